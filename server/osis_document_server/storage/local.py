"""Blobs as files on a local disk.

A file is synced, renamed to its place, and its folder synced: at no moment is there a half-written file under a key, and once
``put`` returns the blob survives a power cut. Files are read-only from then on.
"""

import errno
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from osis_document_server.operation.private_files import make_private_folder
from osis_document_server.storage.base import (
    IDENTITY_NAME,
    IDENTITY_READ_BYTES,
    BlobExists,
    BlobMissing,
    StoredBlob,
    StoredPart,
    parse_identity,
)
from osis_document_server.storage.disk import missing, sync_folder, translated, unavailable

_KEY = re.compile(r"[0-9a-f]{32}")
#: What file systems say that know no hard links, as those of some network shares.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}


class LocalStorage:
    """A folder of blobs, spread over 256 subfolders by the first two digits of their keys.

    Args:
        root: the folder. ``prepare`` makes what is missing of it: an empty folder in place of a disk that is not mounted would
            pass for a storage, so that is not done before somebody has looked whose it is.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def prepare(self) -> None:
        """Makes the folders that are missing, for the server's own user alone.

        Raises:
            OSError: they cannot be made.
        """
        make_private_folder(self._root)
        # All at once: a folder made on the way would have to be synced in its parent at every first blob.
        for number in range(256):
            make_private_folder(self._root / f"{number:02x}")
        sync_folder(self._root)

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
            try:
                os.rename(source, place)  # noqa: PTH104 - the system call, as it is
            except FileNotFoundError as exc:
                if place.parent.is_dir():
                    raise
                raise missing(place.parent) from exc
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
        with translated():
            try:
                place.unlink()
                sync_folder(place.parent)
            except FileNotFoundError as exc:
                if not place.parent.is_dir():  # then nobody knows whether the blob is gone
                    raise missing(place.parent) from exc

    def stored(self) -> Iterator[StoredBlob]:
        for number in range(256):
            folder = self._root / f"{number:02x}"
            try:
                with translated():
                    entries = list(os.scandir(folder))
            except FileNotFoundError as exc:
                raise missing(folder) from exc
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

    def identity(self) -> str | None:
        place = self._root / IDENTITY_NAME
        try:
            with translated(), place.open("rb") as file:
                content = file.read(IDENTITY_READ_BYTES)
        except FileNotFoundError:
            return None
        identity = parse_identity(content)
        if identity is None:
            raise unavailable(f"{place} holds no id of a storage")
        return identity

    def identify(self, identity: str) -> str:
        make_private_folder(self._root)
        with tempfile.NamedTemporaryFile(dir=self._root, prefix=f"{IDENTITY_NAME}.") as file:
            file.write(f"{identity}\n".encode())
            file.flush()
            os.fsync(file.fileno())
            self._put_unless_there(Path(file.name), self._root / IDENTITY_NAME)
        sync_folder(self._root)
        found = self.identity()
        if found is None:
            raise unavailable(f"{self._root / IDENTITY_NAME} has vanished")
        return found

    def _put_unless_there(self, source: Path, place: Path) -> None:
        """Makes a file appear in one moment, with all of its content."""
        with suppress(FileExistsError):
            try:
                os.link(source, place)
            except OSError as exc:
                if exc.errno not in _NO_LINKS:
                    raise
                # Not quite in one moment: servers that start together for the first time may differ, and then one refuses to.
                descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                try:
                    os.write(descriptor, source.read_bytes())
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

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
