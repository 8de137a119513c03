"""Bringing existing documents over with an admin's key, which may choose their times."""

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from osis.document.v1.document_pb2 import Document
from osis.document.v1.upload_service_pb2 import ImportSpec
from tests.support.stubs import Stubs
from tests.support.uploads import messages, spec


def moment(seconds: float) -> Timestamp:
    """A time, to the microsecond."""
    message = Timestamp()
    message.FromMicroseconds(round(seconds * 1_000_000))
    return message


def bring(
    admin: Stubs, content: bytes = b"content", name: str = "note.txt", *, document_id: str = "", at: float = 0, **fields: Any
) -> Document:
    """Imports a document, uploaded at a time (seconds since 1970; 0: now); `fields` are those of `ImportSpec`."""
    imported = ImportSpec(upload_time=moment(at) if at else None, **fields)
    chosen = {"upload_id": document_id} if document_id else {}
    document: Document = admin.uploads.WriteUpload(messages(spec(name, imported=imported, **chosen), content)).result.document
    return document


def bring_modified_copy(admin: Stubs, document_id: str, content: bytes, name: str = "note.txt") -> None:
    """Imports the modified copy of a document."""
    admin.uploads.WriteUpload(messages(spec(name, imported=ImportSpec(modified_copy_of=document_id)), content))
