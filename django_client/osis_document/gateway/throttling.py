"""How many uploads one address may start."""

from __future__ import annotations

import math
import time
from typing import Any

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from osis_document import conf
from osis_document.gateway.addresses import address_of, is_trusted
from osis_document.gateway.keys import has_key


class UploadThrottle(BaseThrottle):
    """Counts uploads per address in Django's cache; addresses that are trusted and callers with the key are not counted.

    Behind several processes the cache must be one that they share, or each counts for itself. With a cache that keeps nothing
    (`DummyCache`), nobody is refused.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        """Counts the request; False when the address has used its share of the present period."""
        self._wait: float | None = None
        limit = conf.upload_limit()
        if limit is None or request.method != "POST" or is_exempt(request):
            return True
        window = int(time.time() // limit.seconds)
        key = f"osis_document:uploads:{address_of(request._request)}:{limit.count}/{limit.seconds}:{window}"
        if _counted(key, keep_seconds=limit.seconds + 1) <= limit.count:
            return True
        self._wait = (window + 1) * limit.seconds - time.time()
        return False

    def wait(self) -> float | None:
        """Seconds until the next upload is let in."""
        return math.ceil(self._wait) if self._wait is not None else None


def is_exempt(request: Request) -> bool:
    """True for those who are not limited: callers with the key, and trusted addresses."""
    return has_key(request) or is_trusted(address_of(request._request))


def _counted(key: str, *, keep_seconds: int) -> int:
    """Counts one more; answers how many there are now."""
    cache.add(key, 0, timeout=keep_seconds)
    try:
        return cache.incr(key)
    except ValueError:  # a cache that keeps nothing, or has thrown it away between the two calls
        return 1
