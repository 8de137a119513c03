"""How many bytes may lie in the service that nobody has confirmed yet.

Forms and other servers confirm without passing here; so the service is asked what became of uploads before anybody is refused.
What is counted lies in Django's cache, with the uploads' own time: behind several processes it must be a cache that they share.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.cache import cache
from django.utils.translation import gettext as _
from rest_framework.request import Request

from osis.document.v1.document_pb2 import DocumentStatus
from osis_document import channel, conf
from osis_document.exceptions import FileTooLarge, LimitReached
from osis_document.gateway.addresses import address_of
from osis_document.gateway.throttling import is_exempt

_PREFIX = "osis_document:pending"
_ALL = "all"
_REQUESTED = DocumentStatus.DOCUMENT_STATUS_REQUESTED

#: So many of the newest finished uploads of an address (and of all) are remembered, to ask the service what became of them.
_MAX_KNOWN = 2_000

#: The service is not asked more often than that.
_ASK_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What a caller may upload."""

    address: str
    """Whose bytes are counted; empty for callers that are not limited."""

    max_size_bytes: int | None
    """The longest file; None: as long as the service takes."""

    def require_size(self, size_bytes: int) -> None:
        """Raises `FileTooLarge` for a file longer than is let in."""
        if self.max_size_bytes is not None and size_bytes > self.max_size_bytes:
            raise FileTooLarge(
                _("The file is too large: at most %(limit)s bytes are accepted. Send a smaller one.")
                % {"limit": self.max_size_bytes}
            )

    def reserve(self, size_bytes: int) -> Reservation:
        """Counts bytes that are about to come.

        Raises:
            LimitReached: too many of this address, or of all, wait for their confirmation.
        """
        reservation = Reservation(address=self.address, size_bytes=size_bytes, period=_period())
        if not self.address or reservation.fits():
            return reservation
        for who in (self.address, _ALL):
            _forget_confirmed(who)
        if reservation.fits():
            return reservation
        raise LimitReached(
            _("Too much was uploaded that has not been saved yet. Save it, or try again later."),
            retry_after_seconds=conf.temp_upload_max_age(),
        )


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """Bytes that are counted until they are confirmed or gone."""

    address: str
    size_bytes: int
    period: int

    def fits(self) -> bool:
        """Counts them, unless that is too much."""
        limits = ((self.address, conf.anonymous_max_pending_per_address()), (_ALL, conf.anonymous_max_pending()))
        counted = [(_count(who, self.period, self.size_bytes), limit) for who, limit in limits]
        if all(total <= limit for total, limit in counted):
            return True
        self.release()
        return False

    def release(self) -> None:
        """Counts them no more."""
        if self.address:
            _count(self.address, self.period, -self.size_bytes)
            _count(_ALL, self.period, -self.size_bytes)

    def settle(self, upload_id: str, size_bytes: int | None = None) -> None:
        """Notes which upload they belong to, and how many they have become."""
        if not self.address:
            return
        final = self if size_bytes is None else self._resized(size_bytes)
        cache.set(f"{_PREFIX}:upload:{upload_id}", (final.address, final.size_bytes, final.period), timeout=_keep_seconds())

    def _resized(self, size_bytes: int) -> Reservation:
        _count(self.address, self.period, size_bytes - self.size_bytes)
        _count(_ALL, self.period, size_bytes - self.size_bytes)
        return Reservation(address=self.address, size_bytes=size_bytes, period=self.period)


def quota_for(request: Request) -> Quota:
    """What the caller of this request may upload."""
    limits = [conf.max_upload_size()]
    exempt = is_exempt(request)
    if not exempt:
        limits.append(conf.anonymous_max_upload_size())
    sizes = [limit for limit in limits if limit is not None]
    return Quota(
        address="" if exempt else address_of(request._request) or "unknown", max_size_bytes=min(sizes) if sizes else None
    )


def remember(upload_id: str) -> None:
    """Notes that an upload is finished, so that the service may be asked whether it was confirmed."""
    found = cache.get(f"{_PREFIX}:upload:{upload_id}")
    if found is None:
        return
    for who in (found[0], _ALL):
        key = f"{_PREFIX}:uploads:{who}"
        known = [*cache.get(key, []), upload_id]
        cache.set(key, known[-_MAX_KNOWN:], timeout=_keep_seconds())


def forget(upload_ids: Iterable[str]) -> None:
    """Counts these uploads no more: they are confirmed, or gone."""
    keys = [f"{_PREFIX}:upload:{upload_id}" for upload_id in upload_ids]
    for key, (address, size_bytes, period) in cache.get_many(keys).items():
        if cache.delete(key):
            Reservation(address=address, size_bytes=size_bytes, period=period).release()


def _forget_confirmed(who: str) -> None:
    """Asks the service which uploads were confirmed by others than this gateway, or are gone, and counts these no more."""
    if not cache.add(f"{_PREFIX}:asked:{who}", True, timeout=_ASK_SECONDS):
        return
    key = f"{_PREFIX}:uploads:{who}"
    known: list[str] = cache.get(key, [])
    results = channel.client().get_documents(known)
    waiting = [
        upload_id for upload_id, result in zip(known, results, strict=True) if getattr(result, "status", None) == _REQUESTED
    ]
    forget(set(known) - set(waiting))
    cache.set(key, waiting, timeout=_keep_seconds())


def _count(who: str, period: int, size_bytes: int) -> int:
    """Adds to what is counted in one period; answers what is counted in it and in the one before."""
    key = f"{_PREFIX}:{who}:{period}"
    cache.add(key, 0, timeout=_keep_seconds())
    try:
        present = cache.incr(key, size_bytes)
    except ValueError:  # its time ended between the two calls
        present = max(size_bytes, 0)
    return int(present) + int(cache.get(f"{_PREFIX}:{who}:{period - 1}", 0))


def _period() -> int:
    """The number of the present period; each is as long as an upload may wait for its confirmation."""
    return int(time.time() // max(conf.temp_upload_max_age(), 1))


def _keep_seconds() -> int:
    return 2 * max(conf.temp_upload_max_age(), 1) + 60
