"""How many uploads one address may start."""

from __future__ import annotations

import math
import time
from typing import Any

from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from osis_document import conf
from osis_document.gateway.addresses import address_of, is_trusted
from osis_document.gateway.keys import has_key

_PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class UploadThrottle(BaseThrottle):
    """Counts uploads per address in Django's cache; addresses that are trusted and callers with the key are not counted.

    Behind several processes the cache must be one that they share, or each counts for itself.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        """Counts the request; False when the address has used its share of the present period."""
        self._wait: float | None = None
        limit = conf.upload_limit()
        if limit is None or request.method != "POST" or is_exempt(request):
            return True
        count, period = parse_limit(limit)
        window = int(time.time() // period)
        key = f"osis_document:uploads:{address_of(request._request)}:{limit}:{window}"
        cache.add(key, 0, timeout=period + 1)
        if cache.incr(key) <= count:
            return True
        self._wait = (window + 1) * period - time.time()
        return False

    def wait(self) -> float | None:
        """Seconds until the next upload is let in."""
        return math.ceil(self._wait) if self._wait is not None else None


def is_exempt(request: Request) -> bool:
    """True for those who are not limited: callers with the key, and trusted addresses."""
    return has_key(request) or is_trusted(address_of(request._request))


def parse_limit(limit: str) -> tuple[int, int]:
    """Makes a count and a period in seconds of `10/minute`; the period's first letter is enough.

    Raises:
        ImproperlyConfigured: it is not of that form.
    """
    count, _, period = limit.partition("/")
    try:
        return int(count), _PERIODS[period.strip().lower()[:1]]
    except (KeyError, ValueError) as exc:
        raise ImproperlyConfigured(
            f"OSIS_DOCUMENT_UPLOAD_LIMIT is {limit!r}; write a count and a period, for example '10/minute' "
            "(second, minute, hour or day), or None for no limit"
        ) from exc
