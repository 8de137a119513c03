"""Resumable uploads: what a tus address stands for, and the bytes that are sent to it."""

from __future__ import annotations

import hashlib
import uuid
from contextlib import suppress
from dataclasses import dataclass

from django.core import signing
from django.http import Http404, HttpRequest, UnreadablePostError

from osis.document.v1.upload_service_pb2 import (
    CancelUploadRequest,
    GetUploadStatusRequest,
    GetUploadStatusResponse,
    StartUploadRequest,
    StartUploadResponse,
    UploadResult,
    UploadSpec,
)
from osis_document import channel
from osis_document.gateway.tus_headers import ChecksumMismatch, Creation
from osis_document.gateway.write_stream import MESSAGE_BYTES, WriteStream
from osis_document_client import OsisDocumentError

_SALT = "osis_document.tus"

#: So much is kept back until its checksum is known to be right; of longer bodies nothing stays when it is wrong.
_HELD_BACK_BYTES = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Address:
    """What the last part of an upload's address says; it is signed, so that knowing a document's id gives no access."""

    upload_id: str
    length: int
    metadata: str

    def text(self) -> str:
        """As it stands in the address."""
        return signing.dumps([self.upload_id, self.length, self.metadata], salt=_SALT, compress=True)

    @classmethod
    def read(cls, text: str) -> Address:
        """Reads one.

        Raises:
            Http404: it is none of ours.
        """
        try:
            upload_id, length, metadata = signing.loads(text, salt=_SALT)
        except (signing.BadSignature, ValueError, TypeError) as exc:
            raise Http404 from exc
        return cls(upload_id=str(upload_id), length=int(length), metadata=str(metadata))


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an upload has come."""

    offset: int
    result: UploadResult | None = None


def start(creation: Creation) -> tuple[Address, StartUploadResponse]:
    """Registers an upload.

    Raises:
        ServiceError: the service refuses the name or the length.
    """
    spec = UploadSpec(upload_id=str(uuid.uuid4()), name=creation.name)
    if creation.length:  # an empty file is not declared: the service has an error of its own for it
        spec.size_bytes = creation.length
    started = channel.client().uploads.StartUpload(StartUploadRequest(upload_spec=spec))
    return Address(upload_id=spec.upload_id, length=creation.length, metadata=creation.metadata), started


def status_of(address: Address) -> GetUploadStatusResponse:
    """Asks how far an upload has come.

    Raises:
        ServiceError: it is gone.
    """
    return channel.client().uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=address.upload_id))


def cancel(address: Address) -> None:
    """Removes an upload.

    Raises:
        ServiceError: it is a document by now.
    """
    channel.client().uploads.CancelUpload(CancelUploadRequest(upload_id=address.upload_id))


def append(address: Address, request: HttpRequest, *, offset: int, length: int, sha256: str = "") -> Progress:
    """Streams a body to where it belongs in the file, and finishes the upload when the file is whole.

    What arrived of a body that is cut off stays; of one that has not the SHA-256 that the client says, nothing does.

    Args:
        address: the upload.
        request: the request whose body it is.
        offset: where its first byte belongs.
        length: how long it is announced to be.
        sha256: its SHA-256 in hexadecimal, if the client says it.

    Raises:
        ChecksumMismatch: it has another one.
        ServiceError: the service refuses the upload.
    """
    body = _Body(request)
    held = body.read_up_to(length) if sha256 and length <= _HELD_BACK_BYTES else b""
    if held:
        body.require(sha256)
    stream = WriteStream(channel.client(), address.upload_id, offset=offset, hashed=False)
    try:
        stream.write(held)
        while data := body.read(min(MESSAGE_BYTES, length - body.count)):
            stream.write(data)
        if sha256 and body.count == length:
            body.require(sha256)
        if offset + body.count == address.length:
            return Progress(offset=address.length, result=stream.finish())
        return Progress(offset=stream.pause())
    except ChecksumMismatch:
        stream.abort()
        with suppress(OsisDocumentError):
            cancel(address)  # what has left cannot be taken back piece by piece
        raise
    except BaseException:
        stream.abort()
        raise


class _Body:
    """The body of a request, hashed as it is read; it ends where the client goes away."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._hasher = hashlib.sha256()
        self.count = 0

    def read(self, size: int) -> bytes:
        """Reads up to `size` bytes; none at the end."""
        try:
            data = self._request.read(size) if size else b""
        except UnreadablePostError:
            return b""
        self._hasher.update(data)
        self.count += len(data)
        return data

    def read_up_to(self, length: int) -> bytes:
        """Reads as much as comes, up to `length` bytes."""
        held = bytearray()
        while data := self.read(length - len(held)):
            held += data
        return bytes(held)

    def require(self, sha256: str) -> None:
        """Raises `ChecksumMismatch` unless what was read has this SHA-256."""
        if self._hasher.hexdigest() != sha256:
            raise ChecksumMismatch
