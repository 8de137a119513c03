"""Writing documents into a folder, under their logical paths.

    survey   every document gets a file name that is safe and its own, and is written into the ledger
    fetch    what is not there yet is downloaded, several at once
    listing  the manifest tells what is in the folder, and another file what could not be fetched

The ledger is a database in the folder, so that neither the number of documents nor an interruption matters.
"""
