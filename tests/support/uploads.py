"""Uploading, message by message."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

from osis.document.v1.document_pb2 import Document
from osis.document.v1.document_service_pb2 import ConfirmUpload, ConfirmUploadsRequest
from osis.document.v1.token_service_pb2 import CreateTokenRequest, TokenPurpose
from osis.document.v1.upload_service_pb2 import UploadResult, UploadSpec, WriteUploadRequest
from tests.support.stubs import Stubs

MEBIBYTE = 1 << 20


def new_id() -> str:
    """A random UUID."""
    return str(uuid4())


def spec(name: str = "note.txt", **fields: Any) -> UploadSpec:
    """A spec with an id of its own unless one is given."""
    return UploadSpec(**({"upload_id": new_id(), "name": name} | fields))


def messages(
    upload: UploadSpec | str, data: bytes, *, chunk: int = MEBIBYTE, finish: bool = True, sha256: str = ""
) -> Iterator[WriteUploadRequest]:
    """The messages that send `data`; the last one that carries some finishes the upload."""
    for offset in range(0, max(len(data), 1), chunk):
        message = WriteUploadRequest(write_offset=offset, data=data[offset : offset + chunk])
        if offset == 0:
            if isinstance(upload, str):
                message.upload_id = upload
            else:
                message.upload_spec.CopyFrom(upload)
        if finish and offset + chunk >= len(data):
            message.finish_write = True
            message.sha256 = sha256
        yield message


def upload(stubs: Stubs, data: bytes, name: str = "note.txt", **fields: Any) -> UploadResult:
    """Uploads bytes under a name; answers the finished upload."""
    answer = stubs.uploads.WriteUpload(messages(spec(name, **fields), data))
    assert answer.WhichOneof("outcome") == "result"
    result: UploadResult = answer.result
    return result


def confirm(stubs: Stubs, token: str, *, request_id: str = "", **fields: Any) -> Document:
    """Confirms one upload."""
    request = ConfirmUploadsRequest(uploads=[ConfirmUpload(token=token, **fields)], request_id=request_id)
    [document] = stubs.documents.ConfirmUploads(request).documents
    return document


def store(stubs: Stubs, data: bytes, name: str = "note.txt", **fields: Any) -> Document:
    """Uploads and confirms; answers the document."""
    return confirm(stubs, upload(stubs, data, name, **fields).write_token)


def store_all(stubs: Stubs, files: Iterable[tuple[str, bytes]]) -> list[str]:
    """Uploads and confirms files; answers the documents' ids in order."""
    return [store(stubs, data, name).id for name, data in files]


def token_for(stubs: Stubs, document_id: str, *, write: bool = False, **fields: Any) -> str:
    """A token for a document."""
    purpose = TokenPurpose.TOKEN_PURPOSE_WRITE if write else TokenPurpose.TOKEN_PURPOSE_READ
    answer = stubs.tokens.CreateToken(CreateTokenRequest(document_id=document_id, purpose=purpose, **fields))
    assert answer.WhichOneof("outcome") == "token", answer
    token: str = answer.token.token
    return token
