"""What is left of everything that was not confirmed."""

from collections.abc import Collection
from uuid import UUID

from tests.support.server import ServerProcess
from tests.support.waiting import wait_until

#: With these, a server removes all that it is ever to remove by itself, at once.
FORGETFUL = {"TEMP_UPLOAD_MAX_AGE": "1", "SWEEP_SECONDS": "0.2", "BLOB_GRACE_SECONDS": "0"}


def beside(server: ServerProcess, document_ids: Collection[str]) -> dict[str, object]:
    """What there is besides these documents, and what is missing of them, in rows and files."""
    documents = server.rows("document")
    blobs = {row["key"] for row in server.rows("blob")}
    found = {
        "documents": {str(UUID(str(row["id"]))) for row in documents} ^ set(document_ids),
        "uploads": {str(UUID(str(row["id"]))) for row in server.rows("upload")},
        "rows of blobs": blobs ^ {row["blob_key"] for row in documents},
        "files": server.blob_files().keys() ^ blobs,
    }
    return {what: which for what, which in found.items() if which}


def require_nothing_beside(server: ServerProcess, document_ids: Collection[str], *, seconds: float = 60) -> None:
    """Waits until a server that is `FORGETFUL` has removed everything but these documents.

    Raises:
        AssertionError: something stays, or a document is missing.
    """
    try:
        wait_until(lambda: not beside(server, document_ids), "everything else is removed", seconds=seconds)
    except AssertionError as exc:
        raise AssertionError(f"after {seconds:g} s: {beside(server, document_ids)}") from exc
