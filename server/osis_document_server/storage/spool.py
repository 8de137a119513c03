"""Where the bytes of unfinished uploads are. ``local_spool.py`` and ``s3_spool.py`` are two; one set of tests holds for both.

An upload is written in segments, one for each writer: who takes an upload over begins a new one where the last checkpoint was, so
the late bytes of a writer that was superseded go to a segment that nobody reads any more.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from osis_document_server.storage.base import StoredPart


def segment_name(upload_id: UUID, epoch: int) -> str:
    """Returns the name of what one writer wrote of an upload."""
    return f"{upload_id.hex}.{epoch}"


def joined_name(upload_id: UUID, epoch: int) -> str:
    """Returns the name of what one writer made of all segments of an upload."""
    return f"{upload_id.hex}.{epoch}.joined"


class SpoolFile(Protocol):
    """A segment that is being written. A context manager.

    Every method raises ``StorageFull`` when no space is left and ``StorageUnavailable`` when the storage reports an error; then
    the segment is to be given up, never tried again. What was flushed before that stays.
    """

    @property
    def path(self) -> Path:
        """A local file with everything that was written so far; there until the end of the block."""

    @property
    def size_bytes(self) -> int:
        """How much was written."""

    @property
    def parts(self) -> Sequence[StoredPart]:
        """What the storage has of it already, from its beginning on, in order: for ``Storage.put``."""

    def write(self, data: bytes) -> None:
        """Appends ``data``."""

    def flush(self) -> None:
        """Returns once ``Spool.read`` would find everything written so far, whatever happens to this process and its host."""

    def remove(self) -> None:
        """Removes what was written, flushed or not. Only for a writer whose segment is the upload's only one."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class Spool(Protocol):
    """Segments by name."""

    @property
    def checkpoint_bytes(self) -> int:
        """How much is worth a ``flush``, in bytes."""

    @property
    def checkpoint_seconds(self) -> float:
        """How much time is worth a ``flush``, if bytes have arrived meanwhile; infinite where flushing has a price."""

    def create(self, name: str, *, expected_bytes: int = 0) -> SpoolFile:
        """Begins a segment.

        Args:
            name: as ``segment_name`` or ``joined_name`` gives it.
            expected_bytes: how much is said to come.

        Raises:
            StorageFull: the disk is down to the space that it keeps free, or would be with what is to come.
            StorageUnavailable: the storage reports an error.
        """

    def require_room(self, expected_bytes: int) -> None:
        """Makes sure that so many bytes more could be taken in now.

        Raises:
            StorageFull: they do not fit above the space that the disk keeps free; the message says what would.
            StorageUnavailable: the storage reports an error.
        """

    def read(self, name: str, *, size_bytes: int) -> Iterator[bytes]:
        """Yields the first ``size_bytes`` of a segment, all of them flushed; whoever wrote them, and on which host.

        Raises:
            SegmentMissing: they are not there, or fewer; blocks that came before are right.
            StorageUnavailable: the storage reports an error.
        """

    def remove(self, name: str) -> None:
        """Removes a segment; one that is gone already is no error."""

    def remove_all(self, upload_id: UUID) -> None:
        """Removes all segments of an upload."""

    def old(self, *, older_than_seconds: float) -> Iterator[UUID]:
        """Yields the uploads of segments that nobody has written to for so long."""


class SegmentMissing(Exception):
    """Bytes of an upload that were safe are not there: somebody has finished or removed it, or they were lost."""
