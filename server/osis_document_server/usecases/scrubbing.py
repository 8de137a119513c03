"""Finding damage before a reader does: all stored bytes are read again from time to time, and compared with what they were.

Two kinds of strays are told apart: rows without bytes, which are damage; and bytes without a row, which a crash between the two
may leave, and which harm nobody.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from osis_document_server.domain.blocks import BLOCK_SIZE
from osis_document_server.models.database import reading, unit_of_work
from osis_document_server.models.tables import BlobRow
from osis_document_server.storage.base import BlobMissing
from osis_document_server.usecases import storage_identity
from osis_document_server.usecases.service import Service
from osis_document_server.usecases.service_leases import ServiceLease

_log = structlog.get_logger(__name__)

_BATCH = 100
#: Bytes without a row that are younger may belong to an upload that is just being finished.
_ORPHAN_AGE = timedelta(hours=1)
#: How long a lease is to last: longer than reading one blob takes, and a scrubber that has died keeps others away no longer.
LEASE_LASTS = timedelta(hours=1)


@dataclass(kw_only=True)
class ScrubReport:
    """What a round of the scrubber found."""

    blobs_read: int = 0
    bytes_read: int = 0
    #: Keys of blobs whose bytes are not what they were.
    damaged: list[str] = field(default_factory=list)
    #: Keys of blobs whose bytes are gone.
    missing: list[str] = field(default_factory=list)
    #: Keys of blobs that were marked, and are sound again.
    repaired: list[str] = field(default_factory=list)
    #: Keys of bytes that no row knows.
    orphans: list[str] = field(default_factory=list)
    #: How many blobs are marked as damaged at the end, those found sound by now among them.
    marked: int = 0

    @property
    def is_sound(self) -> bool:
        """True when nothing was damaged or missing."""
        return not self.damaged and not self.missing


class Scrubber:
    """Reads blobs again, those first that were not read for longest.

    Args:
        service: what it works with.
        bytes_per_second: how fast it reads, so that it disturbs nobody; None: as fast as it can.
        lease: lets one of several servers read; None: nobody is asked.
    """

    def __init__(self, service: Service, *, bytes_per_second: int | None = None, lease: ServiceLease | None = None) -> None:
        self._service = service
        self._bytes_per_second = bytes_per_second
        self._lease = lease
        self._stopping = threading.Event()

    def scrub(self, *, not_since: datetime, progress: Callable[[ScrubReport], None] = lambda _: None) -> ScrubReport | None:
        """Reads all blobs that were not read since a moment, and lists strays. None: another server is at it.

        Damaged blobs are marked, so that every read of them says so at once, and logged.

        Args:
            not_since: blobs that were verified later are left alone.
            progress: called after each blob.

        Raises:
            StorageUnavailable: the storage reports an error, or is not there as a whole; nothing is marked for that.
        """
        if self._lease is not None and not self._lease.take():
            return None
        report = ScrubReport()
        try:
            for key, size_bytes, sha256 in self._due(not_since):
                self._verify(key, size_bytes, sha256, report)
                progress(report)
                if self._stopping.is_set() or (self._lease is not None and not self._lease.take()):
                    return report
            report.orphans = list(self._orphans())
            report.marked = self._count_marked()
        finally:
            if self._lease is not None:
                self._lease.give_up()
        for key in report.orphans:
            _log.warning("bytes without a row", blob=key)
        return report

    def stop(self) -> None:
        """Ends a round that is under way, after at most a block."""
        self._stopping.set()

    def recheck(self, *, progress: Callable[[ScrubReport], None] = lambda _: None) -> ScrubReport:
        """Reads the blobs that are marked as damaged, and takes the mark off those that have been repaired."""
        report = ScrubReport()
        with reading(self._service.database):
            marked: list[Any] = list(
                BlobRow.select(BlobRow.key, BlobRow.size_bytes, BlobRow.sha256).where(BlobRow.corrupt).tuples()
            )
        for key, size_bytes, sha256 in marked:
            if self._verify(key, size_bytes, sha256, report):
                with unit_of_work(self._service.database):
                    BlobRow.update(corrupt=False).where(BlobRow.key == key).execute()
                report.repaired.append(key)
                _log.info("blob repaired", blob=key)
            progress(report)
        report.marked = self._count_marked()
        return report

    def _due(self, not_since: datetime) -> Iterator[tuple[str, int, str]]:
        while True:
            with reading(self._service.database):
                batch: list[Any] = list(
                    BlobRow.select(BlobRow.key, BlobRow.size_bytes, BlobRow.sha256)
                    .where(BlobRow.verified_at < not_since)
                    .order_by(BlobRow.verified_at)
                    .limit(_BATCH)
                    .tuples()
                )
            yield from batch
            if len(batch) < _BATCH:
                return

    def _verify(self, key: str, size_bytes: int, sha256: str, report: ScrubReport) -> bool:
        """Reads one blob, notes what was found, and returns whether it is sound."""
        try:
            found = self._read(key, size_bytes)
        except BlobMissing:
            storage_identity.require_present(self._service)
            self._mark(key, sound=False)
            if self._is_wanted(key):
                report.missing.append(key)
                _log.error("blob missing", blob=key)
            return False
        if found is None:
            return False
        read, digest = found
        report.blobs_read += 1
        report.bytes_read += read
        sound = digest == sha256
        self._mark(key, sound=sound)
        if not sound:
            report.damaged.append(key)
            _log.error("blob damaged", blob=key, size_bytes=size_bytes, read_bytes=read)
        return sound

    def _read(self, key: str, size_bytes: int) -> tuple[int, str] | None:
        """Returns how much there is of a blob and its SHA-256, as fast as is allowed; None: stopped on the way."""
        digest, started, read = hashlib.sha256(), time.monotonic(), 0
        with self._service.storage.open(key) as reader:
            # One byte more than there should be, to notice what was added.
            while read <= size_bytes and (data := reader.read(read, min(BLOCK_SIZE, size_bytes + 1 - read))):
                digest.update(data)
                read += len(data)
                if self._bytes_per_second:
                    ahead_seconds = started + read / self._bytes_per_second - time.monotonic()
                    if self._stopping.wait(max(0.0, ahead_seconds)):
                        return None
        return read, digest.hexdigest()

    def _mark(self, key: str, *, sound: bool) -> None:
        values: dict[str, object] = {"verified_at": self._service.now()}
        if not sound:  # never the other way round: who restores bytes says so
            values["corrupt"] = True
        with unit_of_work(self._service.database):
            BlobRow.update(**values).where(BlobRow.key == key).execute()

    def _count_marked(self) -> int:
        with reading(self._service.database):
            count: int = BlobRow.select().where(BlobRow.corrupt).count()
        return count

    def _is_wanted(self, key: str) -> bool:
        """False for a blob that was removed while it was looked for."""
        with reading(self._service.database):
            return BlobRow.select().where(BlobRow.key == key).exists()

    def _orphans(self) -> Iterator[str]:
        young = self._service.now() - _ORPHAN_AGE
        batch: list[str] = []
        for stored in self._service.storage.stored():
            if stored.stored_at < young:
                batch.append(stored.key)
            if len(batch) == _BATCH:
                yield from self._unknown(batch)
                batch = []
        yield from self._unknown(batch)

    def _unknown(self, keys: list[str]) -> list[str]:
        if not keys:
            return []
        with reading(self._service.database):
            known = {row.key for row in BlobRow.select(BlobRow.key).where(BlobRow.key.in_(keys))}
        return [key for key in keys if key not in known]
