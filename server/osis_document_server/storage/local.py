"""Blobs as files on a local disk.

A file is synced, renamed to its place, and its folder synced: at no moment is there a half-written file under a key, and once
``put`` returns the blob survives a power cut. Files are read-only from then on.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from osis_document_server.storage.base import BlobMissing
from osis_document_server.storage.spool import translated

_KEY = re.compile(r"[0-9a-f]{32}")


class LocalStorage:
    """A folder of blobs, spread over 256 subfolders by the first two digits of their keys.

    Args:
        root: the folder; made if it is missing.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        # All folders are made at once: a folder made on the way would have to be synced in its parent at every first blob.
        for number in range(256):
            (root / f"{number:02x}").mkdir(parents=True, exist_ok=True)
        _sync_folder(root)

    def put(self, key: str, source: Path) -> None:
        place = self._place(key)
        with translated():
            descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fchmod(descriptor, 0o400)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.rename(source, place)  # noqa: PTH104 - the system call, as it is
            _sync_folder(place.parent)

    def open(self, key: str) -> "LocalBlobReader":
        try:
            with translated():
                return LocalBlobReader(self._place(key))
        except FileNotFoundError as exc:
            raise BlobMissing(key) from exc

    def delete(self, key: str) -> None:
        with translated():
            place = self._place(key)
            place.unlink(missing_ok=True)
            _sync_folder(place.parent)

    def keys(self) -> Iterator[str]:
        for number in range(256):
            for entry in os.scandir(self._root / f"{number:02x}"):
                if _KEY.fullmatch(entry.name):
                    yield entry.name

    def _place(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"no key of this storage: {key!r}")
        return self._root / key[:2] / key


class LocalBlobReader:
    """A blob's file, open for reading."""

    def __init__(self, place: Path) -> None:
        self._descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, offset: int, length: int) -> bytes:
        with translated():
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
