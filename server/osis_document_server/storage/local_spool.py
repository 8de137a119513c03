"""Segments as files on a local disk."""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog

from osis_document_server.domain.blocks import BLOCK_SIZE
from osis_document_server.errors import StorageFull
from osis_document_server.operation.private_files import make_private_folder
from osis_document_server.storage.base import StoredPart
from osis_document_server.storage.disk import missing, sync_folder, translated
from osis_document_server.storage.spool import SegmentMissing
from osis_document_server.storage.writeback import Writeback

_log = structlog.get_logger(__name__)

_NAME = re.compile(r"[0-9a-f]{32}\.[0-9]+(\.joined)?")


class LocalSpool:
    """A folder of segments.

    Args:
        folder: made if it is missing; also later, as long as there is the one that it is in. For local storage, on the same file
            system.
        floor_bytes: free space that uploads leave untouched, so that the database and the system can go on.
    """

    checkpoint_bytes = 64 * 1024 * 1024
    checkpoint_seconds = 5.0

    def __init__(self, folder: Path, *, floor_bytes: int) -> None:
        self._folder = folder
        self._floor_bytes = floor_bytes
        make_private_folder(folder)

    def create(self, name: str, *, expected_bytes: int = 0) -> "LocalSpoolFile":
        path = self.path(name)
        self.require_room(expected_bytes)
        try:
            return LocalSpoolFile(path, require_floor=self._require_floor)
        except FileNotFoundError as exc:
            raise missing(self._folder) from exc

    def require_room(self, expected_bytes: int) -> None:
        self._make_again()
        free_bytes = self._require_floor()
        above_floor = free_bytes - self._floor_bytes
        if expected_bytes > above_floor:
            raise StorageFull(
                f"{expected_bytes} bytes are to come, and do not fit: the service's disk has room for {above_floor} above the "
                f"{self._floor_bytes} that it keeps free. Free some space there, or lower OSIS_DOCUMENT_DISK_FLOOR.",
                retry_after_seconds=60,
                free_bytes=free_bytes,
                floor_bytes=self._floor_bytes,
            )

    def path(self, name: str) -> Path:
        """Returns where a segment is."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"no segment: {name!r}")
        return self._folder / name

    def read(self, name: str, *, size_bytes: int) -> Iterator[bytes]:
        try:
            with translated():
                file = self.path(name).open("rb", buffering=0)
        except FileNotFoundError as exc:
            raise SegmentMissing(name) from exc
        with file:
            remaining = size_bytes
            # Never to the end of the file: its writer may still be adding bytes that do not count any more.
            while remaining:
                with translated():
                    data = file.read(min(BLOCK_SIZE, remaining))
                if not data:
                    raise SegmentMissing(f"{name} ends {remaining} bytes too early")
                remaining -= len(data)
                yield data

    def remove(self, name: str) -> None:
        with translated():
            self.path(name).unlink(missing_ok=True)

    def remove_all(self, upload_id: UUID) -> None:
        for file in self._folder.glob(f"{upload_id.hex}.*"):
            self.remove(file.name)

    def old(self, *, older_than_seconds: float) -> Iterator[UUID]:
        limit = time.time() - older_than_seconds
        for file in self._files():
            try:
                if _NAME.fullmatch(file.name) and file.stat().st_mtime < limit:
                    yield UUID(hex=file.name[:32])
            except FileNotFoundError:
                continue  # finished or removed meanwhile

    def _files(self) -> Iterator[Path]:
        with suppress(FileNotFoundError):  # the folder itself; the next upload makes it again
            yield from self._folder.iterdir()

    def _make_again(self) -> None:
        """Makes the folder if somebody has removed it: it alone, as a disk that is not mounted is no place for uploads."""
        with translated(), suppress(FileExistsError):
            try:
                self._folder.mkdir(mode=0o700)
            except FileNotFoundError as exc:
                raise missing(self._folder.parent) from exc
            _log.warning("the folder of unfinished uploads was gone, and is made again", folder=str(self._folder))

    def _require_floor(self, bytes_to_come: int = 0) -> int:
        """Returns how much is free, floor included, if the next bytes leave the floor untouched."""
        with translated():
            disk = os.statvfs(self._folder)
        free_bytes = disk.f_bavail * disk.f_frsize
        if free_bytes - bytes_to_come < self._floor_bytes:
            raise StorageFull(
                "The service's disk is down to the space that it keeps free, so it takes no more uploads. "
                "Free some space there, or lower OSIS_DOCUMENT_DISK_FLOOR.",
                retry_after_seconds=60,
                free_bytes=free_bytes,
                floor_bytes=self._floor_bytes,
            )
        return free_bytes


class LocalSpoolFile:
    """A segment's file, open for writing. It stays when the block ends."""

    parts: tuple[StoredPart, ...] = ()

    def __init__(self, path: Path, *, require_floor: Callable[[int], int]) -> None:
        self.path = path
        self.size_bytes = 0
        self._require_floor = require_floor
        self._name_is_safe = False
        with translated():
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._writeback = Writeback(self._descriptor)

    def write(self, data: bytes) -> None:
        # Before each write, not now and then: a thousand uploads side by side may fill much of a disk between two looks.
        self._require_floor(len(data))
        with translated():
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
        self.size_bytes += len(data)
        self._writeback.advance(self.size_bytes)

    def flush(self) -> None:
        with translated():
            os.fdatasync(self._descriptor)
            if not self._name_is_safe:
                sync_folder(self.path.parent)
                self._name_is_safe = True

    def remove(self) -> None:
        with translated():
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        os.close(self._descriptor)
