"""Blobs as files on a local disk.

A blob is written beside its place under another name, synced, renamed, and its folder synced: at no moment is there a half-
written file under a key, and once ``commit`` returns the blob survives a power cut. Files are read-only from then on.
"""

import errno
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from osis_document_server.errors import StorageFull, StorageUnavailable
from osis_document_server.storage.base import BlobMissing
from osis_document_server.storage.writeback import Writeback

#: How much is written before the disk is asked whether there is still room, in bytes.
_FLOOR_CHECK_BYTES = 64 * 1024 * 1024
_UNFINISHED = ".part"
_KEY = re.compile(r"[0-9a-f]{32}")


class LocalStorage:
    """A folder of blobs, spread over 256 subfolders by the first two digits of their keys.

    Args:
        root: the folder; made if it is missing.
        floor_bytes: free space that uploads leave untouched, so that the database and the system can go on.
    """

    def __init__(self, root: Path, *, floor_bytes: int) -> None:
        self._root = root
        self._floor_bytes = floor_bytes
        # All folders are made at once: a folder made on the way would have to be synced in its parent at every first blob.
        for number in range(256):
            (root / f"{number:02x}").mkdir(parents=True, exist_ok=True)
        _sync_folder(root)

    def create(self, key: str) -> "LocalBlobWriter":
        self.require_room()
        return LocalBlobWriter(self._place(key), self)

    def open(self, key: str) -> "LocalBlobReader":
        try:
            with _translated():
                return LocalBlobReader(self._place(key))
        except FileNotFoundError as exc:
            raise BlobMissing(key) from exc

    def delete(self, key: str) -> None:
        with _translated():
            place = self._place(key)
            place.unlink(missing_ok=True)
            _sync_folder(place.parent)

    def keys(self) -> Iterator[str]:
        for folder in sorted(self._root.iterdir()):
            for entry in os.scandir(folder):
                if _KEY.fullmatch(entry.name):
                    yield entry.name

    def remove_leftovers(self, *, older_than_seconds: float) -> int:
        removed = 0
        limit = time.time() - older_than_seconds
        for leftover in self._root.glob(f"*/*{_UNFINISHED}"):
            try:
                if leftover.stat().st_mtime < limit:
                    leftover.unlink()
                    removed += 1
            except FileNotFoundError:
                continue  # its writer has just finished or given it up
        return removed

    def require_room(self) -> None:
        """Raises ``StorageFull`` when the disk is down to the floor."""
        free_bytes = shutil.disk_usage(self._root).free
        if free_bytes < self._floor_bytes:
            raise StorageFull(
                "The service's disk is down to the space that it keeps free, so it takes no more uploads. "
                "Free some space there, or lower OSIS_DOCUMENT_DISK_FLOOR.",
                retry_after_seconds=60,
                free_bytes=free_bytes,
                floor_bytes=self._floor_bytes,
            )

    def _place(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"no key of this storage: {key!r}")
        return self._root / key[:2] / key


class LocalBlobWriter:
    """A file that becomes a blob."""

    def __init__(self, place: Path, storage: LocalStorage) -> None:
        self.path = place.with_name(place.name + _UNFINISHED)
        self._place = place
        self._storage = storage
        self._written = 0
        self._next_floor_check = _FLOOR_CHECK_BYTES
        with _translated():
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._writeback = Writeback(self._descriptor)

    def write(self, data: bytes) -> None:
        with _translated():
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
        self._written += len(data)
        self._writeback.advance(self._written)
        if self._written >= self._next_floor_check:
            self._next_floor_check += _FLOOR_CHECK_BYTES
            self._storage.require_room()

    def flush(self) -> None:
        with _translated():
            os.fdatasync(self._descriptor)

    def commit(self) -> None:
        with _translated():
            os.fchmod(self._descriptor, 0o400)
            os.fsync(self._descriptor)
            os.rename(self.path, self._place)  # noqa: PTH104 - the system call, as it is
            _sync_folder(self._place.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        os.close(self._descriptor)
        self.path.unlink(missing_ok=True)


class LocalBlobReader:
    """A blob's file, open for reading."""

    def __init__(self, place: Path) -> None:
        self._descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, offset: int, length: int) -> bytes:
        with _translated():
            return os.pread(self._descriptor, length, offset)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        os.close(self._descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as exc:
        if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull(
                "The service's disk is full. Nothing of this upload was kept; try again once there is room.",
                retry_after_seconds=60,
            ) from exc
        raise StorageUnavailable(
            f"The service's storage reports an error ({os.strerror(exc.errno or 0)}). Try again; the log has more.",
            retry_after_seconds=5,
        ) from exc
