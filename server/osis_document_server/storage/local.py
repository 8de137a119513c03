"""Blobs as files on a local disk.

A file is synced, renamed to its place, and its folder synced: at no moment is there a half-written file under a key, and once
``put`` returns the blob survives a power cut. Files are read-only from then on.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from osis_document_server.storage.base import BlobExists, BlobMissing, StoredBlob, StoredPart
from osis_document_server.storage.disk import sync_folder, translated

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
        sync_folder(root)

    def put(self, key: str, source: Path, *, parts: Sequence[StoredPart] = ()) -> None:  # noqa: ARG002 - the file has them all
        place = self._place(key)
        with translated():
            if place.exists():
                raise BlobExists(key)
            descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fchmod(descriptor, 0o400)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.rename(source, place)  # noqa: PTH104 - the system call, as it is
            try:
                sync_folder(place.parent)
            except OSError:
                with suppress(OSError):
                    place.unlink()  # nobody knows whether it would survive, so nobody may rely on it
                raise

    def open(self, key: str, *, start: int = 0, end: int | None = None) -> "LocalBlobReader":  # noqa: ARG002 - the system reads ahead
        try:
            with translated():
                return LocalBlobReader(self._place(key))
        except FileNotFoundError as exc:
            raise BlobMissing(key) from exc

    def delete(self, key: str) -> None:
        place = self._place(key)
        with translated(), suppress(FileNotFoundError):
            place.unlink()
            sync_folder(place.parent)

    def stored(self) -> Iterator[StoredBlob]:
        for number in range(256):
            with translated():
                entries = list(os.scandir(self._root / f"{number:02x}"))
            for entry in entries:
                if not _KEY.fullmatch(entry.name):
                    continue
                try:
                    with translated():
                        status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # deleted meanwhile
                # Making it read-only and renaming it are the last things that `put` does to a file; both set its change time. The
                # modification time may be older: that of the last byte of an upload that was finished much later.
                stored_at = datetime.fromtimestamp(status.st_ctime, UTC)
                yield StoredBlob(key=entry.name, size_bytes=status.st_size, stored_at=stored_at)

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
