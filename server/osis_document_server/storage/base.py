"""What a storage of blobs does. ``local.py`` and ``s3.py`` are two; the same contract tests hold for both."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

#: The file, or the object beside the blobs, that holds the storage's id.
IDENTITY_NAME = "storage-id"
#: Bytes that are read of it at most.
IDENTITY_READ_BYTES = 64
_IDENTITY = re.compile(rb"([0-9a-f]{32})\n?")


class BlobReader(Protocol):
    """A stored blob. A context manager."""

    def read(self, offset: int, length: int) -> bytes:
        """Returns up to ``length`` bytes from ``offset`` on; fewer only at the end of the blob. Reads go forward.

        Raises:
            BlobMissing: it was removed meanwhile. (A local file that is open stays readable.)
            StorageUnavailable: the storage reports an error.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True, kw_only=True)
class StoredBlob:
    """What a storage tells of a blob without opening it."""

    key: str
    size_bytes: int
    #: When it was put, by the storage's own clock; aware. A blob is there a moment before the row that names it is committed, so
    #: a young one without a row is no orphan yet.
    stored_at: datetime


@dataclass(frozen=True, kw_only=True)
class StoredPart:
    """Bytes that a storage has already, though not as a blob: an upload's, saved before it was finished."""

    name: str
    size_bytes: int


class Storage(Protocol):
    """Blobs by key. A key is 32 hexadecimal digits that the service generated; no user's word is ever part of it."""

    def put(self, key: str, source: Path, *, parts: Sequence[StoredPart] = ()) -> None:
        """Makes a blob of a local file, durably: after this it is there, whole, whatever happens. The file is gone then.

        Args:
            key: one that no blob has.
            source: the file.
            parts: what the storage has already of the file's beginning, in order; it need not be sent again.

        Raises:
            FileNotFoundError: the file is not there (any more).
            BlobExists: there is a blob with this key; it stays as it is.
            StorageFull, StorageUnavailable: it cannot be stored now; there is no blob, and the file may be gone.
        """

    def open(self, key: str, *, start: int = 0, end: int | None = None) -> BlobReader:
        """Opens a blob.

        Args:
            key: the blob's.
            start: where the first read will begin. Only a hint: a storage may ask for the bytes at once.
            end: no read will go beyond it. None: the end of the blob.

        Raises:
            BlobMissing: there is none.
            StorageUnavailable: the storage reports an error.
        """

    def delete(self, key: str) -> None:
        """Removes a blob; one that is gone already is no error.

        Raises:
            StorageUnavailable: the storage reports an error.
        """

    def stored(self) -> Iterator[StoredBlob]:
        """Yields all blobs, in no order. One that is put or deleted meanwhile may be among them or not.

        Raises:
            StorageUnavailable: the storage reports an error; what came before it is right.
        """

    def identity(self) -> str | None:
        """Returns the id that the storage was given, 32 hexadecimal digits; None: it has none, or it is not there at all.

        Raises:
            StorageUnavailable: the storage reports an error, or what it has is no id.
        """

    def identify(self, identity: str) -> str:
        """Gives the storage an id, durably, unless it has one; returns the one that it has then.

        Of those who do so at the same moment one succeeds, and all are told the same id.

        Raises:
            OSError, StorageUnavailable, StorageFull: the storage cannot be written to.
        """


class BlobMissing(Exception):
    """A blob that a document refers to is not in the storage."""


class BlobExists(Exception):
    """A key was given out twice: a fault of the service itself."""


def parse_identity(content: bytes) -> str | None:
    """Returns the id that was read of a storage; None: that is none."""
    match = _IDENTITY.fullmatch(content)
    return match[1].decode() if match else None
