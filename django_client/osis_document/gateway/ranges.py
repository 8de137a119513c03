"""Conditional and partial requests (RFC 9110) for content whose ETag is its SHA-256."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.http import parse_etags

_SINGLE_RANGE = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)

#: Offsets travel as 64-bit integers.
_MAX_OFFSET = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class ByteRange:
    """A part of the content, as the service takes it."""

    offset: int
    """The first byte; negative: so many bytes before the end."""

    limit: int
    """How many bytes at most; 0: up to the end."""

    only_of_sha256: str = ""
    """Only this content is wanted in part (`If-Range`), any other as a whole."""

    @property
    def is_empty(self) -> bool:
        """True for the last 0 bytes, which nothing can satisfy."""
        return self.offset == 0 and self.limit < 0


WHOLE = ByteRange(offset=0, limit=0)


def etag(sha256: str) -> str:
    """The content's ETag."""
    return f'"{sha256}"'


def requested_range(request: HttpRequest) -> ByteRange:
    """Reads `Range` and `If-Range`. Several ranges at once, and what is no range, ask for the whole."""
    match = _SINGLE_RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or request.method != "GET":
        return WHOLE
    condition = request.headers.get("If-Range", "").strip()
    sha256 = condition[1:-1] if re.fullmatch(r'"[0-9a-f]{64}"', condition) else ""
    if condition and not sha256:
        return WHOLE  # a date, or the tag of something else
    return _byte_range(*match.groups(), only_of_sha256=sha256) or WHOLE


def is_current(request: HttpRequest, sha256: str) -> bool:
    """True when the client has this content already (`If-None-Match`)."""
    tags = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in tags or etag(sha256) in {tag.removeprefix("W/") for tag in tags}


def _byte_range(first: str, last: str, *, only_of_sha256: str) -> ByteRange | None:
    if not first and not last:
        return None
    if not first:
        count = min(int(last), _MAX_OFFSET)
        return ByteRange(offset=-count, limit=0 if count else -1, only_of_sha256=only_of_sha256)
    start = min(int(first), _MAX_OFFSET)
    if not last:
        return ByteRange(offset=start, limit=0, only_of_sha256=only_of_sha256)
    if int(last) < start:
        return None
    return ByteRange(offset=start, limit=min(int(last) - start + 1, _MAX_OFFSET), only_of_sha256=only_of_sha256)
