"""`python -m osis_document_client.cli`."""

from . import main

main()
