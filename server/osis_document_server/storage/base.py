"""What a storage of blobs does. ``local.py`` and ``s3.py`` are two; the same contract tests hold for both."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self


class BlobReader(Protocol):
    """A stored blob. A context manager."""

    def read(self, offset: int, length: int) -> bytes:
        """Returns up to ``length`` bytes from ``offset`` on; fewer only at the end of the blob. Reads go forward.

        Raises:
            StorageUnavailable: the storage reports an error.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class Storage(Protocol):
    """Blobs by key. A key is 32 hexadecimal digits that the service generated; no user's word is ever part of it."""

    def put(self, key: str, source: Path) -> None:
        """Makes a blob of a local file, durably: after this it is there, whole, whatever happens. The file is gone then.

        Raises:
            StorageFull, StorageUnavailable: it cannot be stored now; there is no blob, and the file may be gone.
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


class BlobMissing(Exception):
    """A blob that a document refers to is not in the storage."""
