"""The client: the rpcs of every service, and a method for each thing that is done with them."""

from __future__ import annotations

from ._methods import changes, confirmation, documents, downloads, lifecycle, post_processings, tokens, uploads
from ._rpcs import Rpcs


class Client(Rpcs):
    """Talks to a document service.

        with Client(ClientConfig.from_environment()) as client:
            [document] = client.confirm([client.upload("id-card.pdf")])

    One instance serves all threads of a process, and processes forked from it: each makes a channel of its own when it first
    makes a call. (Make calls only after forking; gRPC itself does not survive a fork in the middle of things.)

    Every method, the raw rpcs included, sends the API key, has a deadline if it is unary (`ClientConfig.timeout_seconds`
    unless `timeout=` says otherwise), and raises `ServiceError` or one of its subclasses, also while a stream is read. What
    may be done twice without harm, by its nature or by an id that the client makes up for it, is done again while nobody
    answers.

    Methods that take several documents take any number of them, in as many calls as that needs; only `confirm` and `start` are
    all or nothing and take at most 1,000. Those that ask (`get_documents`, `create_tokens`) answer `Results`, with the error of
    an item that was refused in its place. Those that change something (`finalize`, `duplicate`, `delete`, `undelete`) do what
    they can, and then raise `BatchFailed` if anything was refused.
    """

    # Each is documented where it is defined, in the module of that name in `_methods`.

    upload = uploads.upload
    cancel_upload = uploads.cancel_upload

    confirm = confirmation.confirm
    finalize = confirmation.finalize

    create_token = tokens.create_token
    create_tokens = tokens.create_tokens
    inspect_token = tokens.inspect_token

    open_download = downloads.open_download
    download = downloads.download

    get_document = documents.get_document
    get_documents = documents.get_documents
    list_documents = documents.list_documents
    update_metadata = documents.update_metadata

    rotate_image = changes.rotate_image
    save_edit = changes.save_edit

    duplicate = lifecycle.duplicate
    delete = lifecycle.delete
    undelete = lifecycle.undelete
    declare_infected = lifecycle.declare_infected

    start = post_processings.start
    watch = post_processings.watch
    wait = post_processings.wait
    cancel = post_processings.cancel
    list_jobs = post_processings.list_jobs
