"""Uploads and downloads, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import timedelta

import google_crc32c

from osis.document.v1.download_service_pb2 import ContentRange, DownloadHeader, DownloadRequest, DownloadResponse
from osis.document.v1.upload_service_pb2 import (
    CancelUploadRequest,
    CancelUploadResponse,
    GetUploadStatusRequest,
    GetUploadStatusResponse,
    StartUploadRequest,
    StartUploadResponse,
    UploadResult,
    UploadSpec,
    WriteUploadRequest,
    WriteUploadResponse,
)
from osis_document import conf
from osis_document_client import (
    AlreadyConfirmed,
    ArgumentInvalid,
    ContentChanged,
    HashMismatch,
    OffsetGap,
    RangeNotSatisfiable,
    ServiceError,
    SizeMismatch,
    UploadNotFound,
    UploadSpecConflict,
)

from ..services import times
from . import rules
from .store import REQUESTED, Begun, Store, Stored

_BLOCK_BYTES = 1 << 20


class UploadRpcs:
    """The rpcs of `UploadService`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def start_upload(self, request: StartUploadRequest) -> StartUploadResponse:
        """Registers an upload."""
        found = self._found(request.upload_spec)
        if isinstance(found, Stored):
            return StartUploadResponse(result=self._result(found))
        ends = times.timestamp(self._store.now() + timedelta(seconds=conf.temp_upload_max_age()))
        return StartUploadResponse(persisted_size=len(found.data), expire_time=ends)

    def write_upload(self, requests: Iterable[WriteUploadRequest]) -> WriteUploadResponse:
        """Takes bytes in. The only one that runs without the lock: its bytes may come from a slow browser."""
        found: Begun | Stored | None = None
        for message in requests:
            with self._store.lock:
                if found is None:
                    by_id = message.WhichOneof("first_message") == "upload_id"
                    found = self._known(message.upload_id) if by_id else self._found(message.upload_spec)
                if isinstance(found, Stored):
                    return WriteUploadResponse(result=self._result(found))
                if message.finish_write or message.data:
                    self._take(found, message)
                if message.finish_write:
                    return WriteUploadResponse(result=self._finish(found, message.sha256))
        return WriteUploadResponse(persisted_size=len(found.data) if isinstance(found, Begun) else 0)

    def get_upload_status(self, request: GetUploadStatusRequest) -> GetUploadStatusResponse:
        """Tells how far an upload has come."""
        found = self._known(request.upload_id)
        if isinstance(found, Stored):
            return GetUploadStatusResponse(result=self._result(found))
        ends = times.timestamp(self._store.now() + timedelta(seconds=conf.temp_upload_max_age()))
        size = found.spec.size_bytes if found.spec.HasField("size_bytes") else None
        return GetUploadStatusResponse(persisted_size=len(found.data), expire_time=ends, size_bytes=size)

    def cancel_upload(self, request: CancelUploadRequest) -> CancelUploadResponse:
        """Removes an upload that is not confirmed."""
        finished = self._store.documents.get(request.upload_id)
        if finished is not None and finished.document.status != REQUESTED:
            metadata = {"upload_id": request.upload_id}
            raise AlreadyConfirmed(f"Upload {request.upload_id} is a confirmed document by now.", metadata=metadata)
        self._store.documents.pop(request.upload_id, None)
        self._store.uploads.pop(request.upload_id, None)
        return CancelUploadResponse()

    def _known(self, upload_id: str) -> Begun | Stored:
        found = self._store.documents.get(upload_id) or self._store.uploads.get(upload_id)
        if found is None:
            raise UploadNotFound(f"There is no upload {upload_id}.", metadata={"upload_id": upload_id})
        return found

    def _found(self, spec: UploadSpec) -> Begun | Stored:
        """What was begun with a spec, which begins it where nothing was."""
        if not spec.upload_id:
            raise ArgumentInvalid("upload_spec.upload_id is missing.", metadata={"field": "upload_spec.upload_id"})
        name = rules.require_name(spec.name)
        if spec.HasField("size_bytes"):
            rules.require_size(spec.size_bytes, name=name)
        rules.require_extension(name)
        rules.require_metadata(spec.metadata)
        finished = self._store.documents.get(spec.upload_id)
        if finished is not None:
            other_size = spec.HasField("size_bytes") and spec.size_bytes != finished.document.size_bytes
            if name != finished.document.name or other_size:
                raise _conflict(spec.upload_id)
            return finished
        kept = UploadSpec()
        kept.CopyFrom(spec)
        kept.name = name
        begun = self._store.uploads.setdefault(spec.upload_id, Begun(spec=kept))
        if begun.spec != kept:
            raise _conflict(spec.upload_id)
        return begun

    def _take(self, begun: Begun, message: WriteUploadRequest) -> None:
        persisted = len(begun.data)
        if message.write_offset > persisted:
            metadata = {"write_offset": str(message.write_offset), "persisted_size": str(persisted)}
            raise OffsetGap(f"Bytes were sent for {message.write_offset}; there are {persisted}.", metadata=metadata)
        begun.data += message.data[persisted - message.write_offset :]
        with self._nothing_kept_of(begun):
            rules.require_size(len(begun.data) or 1)

    def _finish(self, begun: Begun, sha256: str) -> UploadResult:
        """Makes a document of an upload; where its content is at fault nothing is kept."""
        spec, content = begun.spec, bytes(begun.data)
        with self._nothing_kept_of(begun):
            rules.require_size(len(content), name=spec.name)
            if spec.HasField("size_bytes") and spec.size_bytes != len(content):
                metadata = {"declared_bytes": str(spec.size_bytes), "received_bytes": str(len(content))}
                raise SizeMismatch(f"{spec.size_bytes} bytes were declared, {len(content)} came.", metadata=metadata)
            received = hashlib.sha256(content).hexdigest()
            if sha256 and sha256 != received:
                metadata = {"declared_sha256": sha256, "received_sha256": received}
                raise HashMismatch("The bytes received have another SHA-256 than was declared.", metadata=metadata)
            mime_type = rules.mime_type_of(content, spec.name)
            rules.require_agreement(spec.name, mime_type)
        del self._store.uploads[spec.upload_id]
        made = self._store.add(spec.name, content, mime_type=mime_type, document_id=spec.upload_id)
        made.document.status = REQUESTED
        made.document.metadata.CopyFrom(spec.metadata)
        return self._result(made)

    def _nothing_kept_of(self, begun: Begun) -> _Discarding:
        return _Discarding(self._store, begun.spec.upload_id)

    def _result(self, found: Stored) -> UploadResult:
        if found.document.status != REQUESTED:
            return UploadResult(document=found.document)
        token, claims = self._store.sign(found, "upload")
        result = UploadResult(document=found.document, write_token=token)
        result.write_token_expire_time.FromSeconds(claims.exp)
        return result


class _Discarding:
    """Removes an upload whose content is refused in its block."""

    def __init__(self, store: Store, upload_id: str) -> None:
        self._store = store
        self._upload_id = upload_id

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ServiceError):
            self._store.uploads.pop(self._upload_id, None)


class DownloadRpcs:
    """The rpcs of `DownloadService`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def download(self, request: DownloadRequest) -> Iterator[DownloadResponse]:
        """Sends the content that a token reads, or a part of it."""
        claims = self._store.verify(request.token)
        found = self._store.find_readable(claims)
        content = found.modified if claims.modified and found.modified is not None else found.content
        described = found.document.modified if claims.modified else found.document
        if request.expected_sha256 not in {"", described.sha256}:
            metadata = {"expected_sha256": request.expected_sha256, "sha256": described.sha256}
            raise ContentChanged("The document has other content by now.", metadata=metadata)
        size = len(content)
        start = max(0, size + request.read_offset) if request.read_offset < 0 else request.read_offset
        if start >= size:
            metadata = {"read_offset": str(request.read_offset), "complete_size": str(size)}
            raise RangeNotSatisfiable(f"The content ends at {size}.", metadata=metadata)
        end = min(size, start + request.read_limit) if request.read_limit else size
        header = DownloadHeader(
            document=found.document,
            range=ContentRange(start=start, end=end, complete_size=size),
            sha256=described.sha256,
            mime_type=described.mime_type,
            for_modified=claims.modified,
        )
        return _messages(header, content[start:end])


def _messages(header: DownloadHeader, content: bytes) -> Iterator[DownloadResponse]:
    yield DownloadResponse(header=header)
    for place in range(0, len(content), _BLOCK_BYTES):
        block = content[place : place + _BLOCK_BYTES]
        yield DownloadResponse(data=block, crc32c=google_crc32c.value(block))


def _conflict(upload_id: str) -> UploadSpecConflict:
    return UploadSpecConflict(f"Upload {upload_id} was begun as another file.", metadata={"upload_id": upload_id})
