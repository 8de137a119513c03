"""What a storage of blobs does. ``local.py`` is one; the same contract tests hold for all."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self


class BlobWriter(Protocol):
    """A blob that is being written. A context manager: what was not committed by its end leaves nothing behind.

    Every method raises ``StorageFull`` when no space is left and ``StorageUnavailable`` when the storage reports an error; then
    the blob is to be given up, never tried again.
    """

    #: A local file with everything that was written so far, there to look at.
    path: Path

    def write(self, data: bytes) -> None:
        """Appends ``data``."""

    def flush(self) -> None:
        """Returns once everything written so far would survive a power cut."""

    def commit(self) -> None:
        """Puts the blob under its key, durably: after this it is there, whole, whatever happens."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class BlobReader(Protocol):
    """A stored blob. A context manager."""

    def read(self, offset: int, length: int) -> bytes:
        """Returns up to ``length`` bytes from ``offset`` on; fewer only at the end of the blob.

        Raises:
            StorageUnavailable: the storage reports an error.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class Storage(Protocol):
    """Blobs by key. A key is 32 hexadecimal digits that the service generated; no user's word is ever part of it."""

    def create(self, key: str) -> BlobWriter:
        """Begins a blob.

        Raises:
            StorageFull: the storage is down to the space that it keeps free.
        """

    def open(self, key: str) -> BlobReader:
        """Opens a blob.

        Raises:
            BlobMissing: there is none.
            StorageUnavailable: the storage reports an error.
        """

    def delete(self, key: str) -> None:
        """Removes a blob; one that is gone already is no error."""

    def keys(self) -> Iterator[str]:
        """Yields the keys of all blobs, in no order."""

    def remove_leftovers(self, *, older_than_seconds: float) -> int:
        """Removes what interrupted writers left behind, once it is that old, and returns how many there were."""


class BlobMissing(Exception):
    """A blob that a document refers to is not in the storage."""
