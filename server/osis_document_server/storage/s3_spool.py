"""Segments as objects in a bucket, so that an upload that broke off at one host can go on at another.

A segment grows on the local disk. At each checkpoint what came since the last one becomes an object of its own, named after the
segment and the offset; once it is stored, the local disk may be lost.
"""

import math
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from osis_document_server.domain.blocks import BLOCK_SIZE
from osis_document_server.storage.base import BlobMissing, StoredPart
from osis_document_server.storage.local_spool import LocalSpool, LocalSpoolFile
from osis_document_server.storage.s3 import S3BlobReader
from osis_document_server.storage.s3_bucket import Bucket, ObjectExists, unavailable
from osis_document_server.storage.spool import SegmentMissing

_FOLDER = "spool/"
_UPLOAD = re.compile(r"spool/([0-9a-f]{32})\.[0-9]+/[0-9]+")


class S3Spool:
    """The objects ``spool/<upload>.<epoch>/<offset>`` of a bucket.

    Args:
        bucket: where segments are safe.
        scratch: where they grow, and where type detection looks at them.
    """

    #: Each checkpoint is a request with a price. It is also a part of the blob, if the upload is finished by this writer: not
    #: under 5 MiB, and large enough for large files, as there may be 10,000 parts.
    checkpoint_bytes = 16 * 1024 * 1024
    checkpoint_seconds = math.inf

    def __init__(self, bucket: Bucket, scratch: LocalSpool) -> None:
        self._bucket = bucket
        self._scratch = scratch
        self._next_look = 0.0

    def create(self, name: str, *, expected_bytes: int = 0) -> "S3SpoolFile":
        return S3SpoolFile(self._bucket, name, self._scratch.create(name, expected_bytes=expected_bytes))

    def require_room(self, expected_bytes: int) -> None:
        self._scratch.require_room(expected_bytes)

    def read(self, name: str, *, size_bytes: int) -> Iterator[bytes]:
        start = 0
        while start < size_bytes:
            read = 0
            for data in self._read_part(_part_name(name, start), end=size_bytes - start):
                read += len(data)
                yield data
            if not read:
                raise SegmentMissing(f"{name} ends {size_bytes - start} bytes too early")
            start += read

    def remove(self, name: str) -> None:
        self._scratch.remove(name)
        self._remove_objects(f"{_FOLDER}{name}/")

    def remove_all(self, upload_id: UUID) -> None:
        self._scratch.remove_all(upload_id)
        self._remove_objects(f"{_FOLDER}{upload_id.hex}.")

    def old(self, *, older_than_seconds: float) -> Iterator[UUID]:
        yield from self._scratch.old(older_than_seconds=older_than_seconds)
        # A listing is a request with a price, and nothing becomes old faster than that.
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + older_than_seconds
        limit = time.time() - older_than_seconds
        for found in self._bucket.objects(_FOLDER):
            if (match := _UPLOAD.fullmatch(found.name)) and found.modified_at.timestamp() < limit:
                yield UUID(hex=match[1])

    def _read_part(self, object_name: str, *, end: int) -> Iterator[bytes]:
        try:
            with S3BlobReader(self._bucket, object_name, end=end) as reader:
                offset = 0
                while data := reader.read(offset, BLOCK_SIZE):
                    offset += len(data)
                    yield data
        except BlobMissing as exc:
            raise SegmentMissing(object_name) from exc

    def _remove_objects(self, prefix: str) -> None:
        for found in list(self._bucket.objects(prefix)):
            self._bucket.delete(found.name)


class S3SpoolFile:
    """A segment that is being written: a local file that goes when the block ends, and the objects of what was flushed."""

    def __init__(self, bucket: Bucket, name: str, file: LocalSpoolFile) -> None:
        self._bucket = bucket
        self._name = name
        self._file = file
        self._flushed = 0
        self.parts: list[StoredPart] = []

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def size_bytes(self) -> int:
        return self._file.size_bytes

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def flush(self) -> None:
        part = StoredPart(name=_part_name(self._name, self._flushed), size_bytes=self.size_bytes - self._flushed)
        if not part.size_bytes:
            return
        try:
            self._bucket.put(part.name, self.path, start=self._flushed, size_bytes=part.size_bytes)
        except ObjectExists as exc:
            # Left behind by an upload that had the same id. The next writer's segment has another name.
            raise unavailable(f"there is {part.name} already") from exc
        self.parts.append(part)
        self._flushed = self.size_bytes

    def remove(self) -> None:
        self._file.remove()
        while self.parts:
            self._bucket.delete(self.parts.pop().name)

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._file.__exit__(exc_type, exc, traceback)
        self._file.remove()


def _part_name(segment: str, start: int) -> str:
    return f"{_FOLDER}{segment}/{start:015d}"
