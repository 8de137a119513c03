"""Blobs as objects in a bucket.

An object is there or not, whole, once the request that makes it was answered. It is made only if there is none of its name.
"""

import io
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog

from osis_document_server.errors import ServiceError
from osis_document_server.storage.base import (
    IDENTITY_NAME,
    IDENTITY_READ_BYTES,
    BlobExists,
    BlobMissing,
    StoredBlob,
    StoredPart,
    parse_identity,
)
from osis_document_server.storage.s3_bucket import (
    BROKEN_BODY,
    BeyondEnd,
    Bucket,
    ObjectExists,
    ObjectMissing,
    Unsupported,
    unavailable,
)

_log = structlog.get_logger(__name__)

_KEY = re.compile(r"[0-9a-f]{32}")
_FOLDER = "blobs/"

_MIB = 1024 * 1024
#: Files up to this size are sent in one request.
_ONE_REQUEST_BYTES = 64 * _MIB
#: The parts of larger ones, unless there would be too many of them.
_PART_BYTES = 16 * _MIB
#: Amazon's limits ("Amazon S3 multipart upload limits"); a last part may be shorter.
_MAX_PARTS = 10_000
_MIN_PART_BYTES = 5 * _MIB

#: How often a read is tried whose connection breaks.
_TRIES = 4


class S3Storage:
    """The objects ``blobs/…`` of a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        #: Where they are; unfinished uploads may be beside them.
        self.bucket = self._bucket = bucket

    def put(self, key: str, source: Path, *, parts: Sequence[StoredPart] = ()) -> None:
        name = _name(key)
        try:
            self._send(name, source, parts)
        except ObjectExists as exc:
            raise BlobExists(key) from exc
        except ServiceError:
            self._remove_what_may_be_there(name)
            raise
        source.unlink(missing_ok=True)

    def open(self, key: str, *, start: int = 0, end: int | None = None) -> "S3BlobReader":
        return S3BlobReader(self._bucket, _name(key), start=start, end=end)

    def delete(self, key: str) -> None:
        self._bucket.delete(_name(key))

    def stored(self) -> Iterator[StoredBlob]:
        for found in self._bucket.objects(_FOLDER):
            key = found.name.removeprefix(_FOLDER)
            if _KEY.fullmatch(key):
                yield StoredBlob(key=key, size_bytes=found.size_bytes, stored_at=found.modified_at)

    def identity(self) -> str | None:
        try:
            with S3BlobReader(self._bucket, IDENTITY_NAME) as reader:
                content = reader.read(0, IDENTITY_READ_BYTES)
        except BlobMissing:
            return None
        identity = parse_identity(content)
        if identity is None:
            raise unavailable(f"the object {IDENTITY_NAME} holds no id of a storage")
        return identity

    def identify(self, identity: str) -> str:
        content = f"{identity}\n".encode()
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            with suppress(ObjectExists):
                self._bucket.put(IDENTITY_NAME, Path(file.name), start=0, size_bytes=len(content))
        found = self.identity()
        if found is None:
            raise unavailable(f"the object {IDENTITY_NAME} has vanished")
        return found

    def _send(self, name: str, source: Path, parts: Sequence[StoredPart]) -> None:
        size_bytes = source.stat().st_size
        if parts and len(parts) < _MAX_PARTS and all(part.size_bytes >= _MIN_PART_BYTES for part in parts):
            try:
                self._put_together(name, source, size_bytes, parts)
            except (ObjectMissing, Unsupported) as exc:
                _log.warning("the whole file is sent, because its parts could not be copied", name=name, error=repr(exc))
            else:
                return
        if size_bytes > _ONE_REQUEST_BYTES:
            self._put_together(name, source, size_bytes, ())
        else:
            self._bucket.put(name, source, start=0, size_bytes=size_bytes)

    def _put_together(self, name: str, source: Path, size_bytes: int, parts: Sequence[StoredPart]) -> None:
        """Makes an object of parts that are in the bucket and of what follows them in the file."""
        copied_bytes = sum(part.size_bytes for part in parts)
        part_bytes = _part_bytes(size_bytes - copied_bytes, _MAX_PARTS - len(parts))
        with self._bucket.multipart(name) as upload:
            for part in parts:
                upload.copy(part.name)
            for start in range(copied_bytes, size_bytes, part_bytes):
                upload.add(source, start=start, size_bytes=min(part_bytes, size_bytes - start))
            upload.complete()

    def _remove_what_may_be_there(self, name: str) -> None:
        """After a request of which nobody knows whether it was carried out."""
        try:
            self._bucket.delete(name)
        except ServiceError:
            _log.warning("an object may have been made that nobody knows", name=name)


class S3BlobReader:
    """An object, read forward in one request, unless the connection breaks: then the next request goes on from there."""

    def __init__(self, bucket: Bucket, name: str, *, start: int = 0, end: int | None = None) -> None:
        self._bucket = bucket
        self._name = name
        self._end = end
        self._stream: Any = None
        self._open(start)

    def read(self, offset: int, length: int) -> bytes:
        error: Exception | None = None
        for _ in range(_TRIES):
            try:
                if self._stream is None or offset != self._position:
                    self._open(offset)
                data = self._read(length)
            except BROKEN_BODY as exc:
                _log.warning("the connection to the bucket broke", name=self._name, offset=offset, error=str(exc))
                self._close()
                error = exc
            else:
                self._position += len(data)
                return data
        raise unavailable(f"its answers break off: {error}")

    def _open(self, start: int) -> None:
        self._close()
        self._position = start
        try:
            self._stream = self._bucket.get(self._name, start=start, end=self._end)
        except ObjectMissing as exc:
            raise BlobMissing(self._name) from exc
        except BeyondEnd:
            self._stream = io.BytesIO()

    def _read(self, length: int) -> bytes:
        data: bytes = self._stream.read(length)
        while 0 < len(data) < length and (more := self._stream.read(length - len(data))):
            data += more
        return data

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._close()


def _name(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"no key of this storage: {key!r}")
    return f"{_FOLDER}{key}"


def _part_bytes(size_bytes: int, most: int) -> int:
    """Returns the size of parts so that there are not too many: whole mebibytes."""
    return max(_PART_BYTES, -(-size_bytes // (most * _MIB)) * _MIB)
