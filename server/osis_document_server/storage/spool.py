"""Files of uploads that are not finished, on a local disk, whatever the storage is.

An upload is written in segments, one for each writer: who takes an upload over begins a new file where the last checkpoint was,
so the late bytes of a writer that was superseded go to a file that nobody reads any more.
"""

import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from osis_document_server.errors import StorageFull, StorageUnavailable
from osis_document_server.storage.writeback import Writeback

_NAME = re.compile(r"[0-9a-f]{32}\.[0-9]+(\.joined)?")


#: How much is written before the disk is asked whether there is still room, in bytes.
_LOOK_BYTES = 8 * 1024 * 1024


def segment_name(upload_id: UUID, epoch: int) -> str:
    """Returns the name of what one writer wrote of an upload."""
    return f"{upload_id.hex}.{epoch}"


class Spool:
    """A folder of segments.

    Args:
        folder: made if it is missing. For local storage, on the same file system.
        floor_bytes: free space that uploads leave untouched, so that the database and the system can go on.
    """

    def __init__(self, folder: Path, *, floor_bytes: int) -> None:
        self._folder = folder
        self._floor_bytes = floor_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def create(self, name: str, *, expected_bytes: int = 0) -> "SpoolFile":
        """Begins a segment.

        Args:
            name: as ``segment_name`` gives it.
            expected_bytes: how much is said to come.

        Raises:
            StorageFull: the disk is down to the space that it keeps free, or would be with what is to come.
        """
        self.require_room(expected_bytes)
        return SpoolFile(self.path(name), require_room=self.require_room)

    def path(self, name: str) -> Path:
        """Returns where a segment is."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"no segment: {name!r}")
        return self._folder / name

    def remove(self, name: str) -> None:
        """Removes a segment; one that is gone already is no error."""
        self.path(name).unlink(missing_ok=True)

    def names_of(self, upload_id: UUID) -> list[str]:
        """Returns the names of all segments of an upload that are there."""
        return [file.name for file in self._folder.glob(f"{upload_id.hex}.*")]

    def remove_all(self, upload_id: UUID) -> None:
        """Removes all segments of an upload."""
        for name in self.names_of(upload_id):
            self.remove(name)

    def old(self, *, older_than_seconds: float) -> Iterator[UUID]:
        """Yields the uploads of segments that nobody has written to for so long."""
        limit = time.time() - older_than_seconds
        for file in self._folder.iterdir():
            try:
                if _NAME.fullmatch(file.name) and file.stat().st_mtime < limit:
                    yield UUID(hex=file.name[:32])
            except FileNotFoundError:
                continue  # finished or removed meanwhile

    def require_room(self, expected_bytes: int = 0) -> None:
        """Raises ``StorageFull`` when the disk is down to the floor, or would be with ``expected_bytes`` more."""
        free_bytes = shutil.disk_usage(self._folder).free
        if free_bytes - expected_bytes < self._floor_bytes:
            raise StorageFull(
                "The service's disk is down to the space that it keeps free, so it takes no more uploads. "
                "Free some space there, or lower OSIS_DOCUMENT_DISK_FLOOR.",
                retry_after_seconds=60,
                free_bytes=free_bytes,
                floor_bytes=self._floor_bytes,
            )


class SpoolFile:
    """A segment that is being written. A context manager; the file stays when it ends.

    Every method raises ``StorageFull`` when no space is left and ``StorageUnavailable`` when the disk reports an error; then the
    segment is to be given up, never tried again.
    """

    def __init__(self, path: Path, *, require_room: Callable[[], None]) -> None:
        self.path = path
        self._require_room = require_room
        self._next_look = _LOOK_BYTES
        self.size_bytes = 0
        with translated():
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._writeback = Writeback(self._descriptor)

    def write(self, data: bytes) -> None:
        """Appends ``data``."""
        with translated():
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
        self.size_bytes += len(data)
        self._writeback.advance(self.size_bytes)
        if self.size_bytes >= self._next_look:
            self._next_look = self.size_bytes + _LOOK_BYTES
            self._require_room()

    def flush(self) -> None:
        """Returns once everything written so far would survive a power cut."""
        with translated():
            os.fdatasync(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        os.close(self._descriptor)


@contextmanager
def translated() -> Iterator[None]:
    """Tells the errors of a disk as refusals of the service."""
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
