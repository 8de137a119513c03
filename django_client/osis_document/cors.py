"""Which other sites' scripts may read our answers."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from osis_document import conf

_METHODS = "GET, HEAD, POST, PATCH, DELETE, OPTIONS"
_REQUEST_HEADERS = (
    "Content-Type, If-None-Match, If-Range, Range, Tus-Resumable, Upload-Checksum, Upload-Length, Upload-Metadata, "
    "Upload-Offset, X-HTTP-Method-Override, X-Requested-With"
)
_RESPONSE_HEADERS = (
    "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Location, Osis-Write-Token, Retry-After, "
    "Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Expires, Upload-Length, "
    "Upload-Metadata, Upload-Offset"
)
_MAX_AGE_SECONDS = "600"


def allows(origin: str) -> bool:
    """True when `OSIS_DOCUMENT_DOMAIN_LIST` names this origin, with its scheme or without any."""
    origin = origin.strip().lower()
    host = urlsplit(origin).netloc
    if not host or urlsplit(origin).scheme not in {"http", "https"}:
        return False
    entries = {entry.strip().lower().rstrip("/") for entry in conf.domain_list()}
    return origin in entries or host in entries


def add_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Adds what lets scripts of the listed sites read this answer. Cookies are never allowed: none are needed."""
    patch_vary_headers(response, ("Origin",))
    origin = request.headers.get("Origin", "")
    if not allows(origin):
        return
    response["Access-Control-Allow-Origin"] = origin
    response["Access-Control-Expose-Headers"] = _RESPONSE_HEADERS
    if is_preflight(request):
        response["Access-Control-Allow-Methods"] = _METHODS
        response["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
        response["Access-Control-Max-Age"] = _MAX_AGE_SECONDS


def is_preflight(request: HttpRequest) -> bool:
    """True when a browser asks whether it may send the real request."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def frame_ancestors() -> str:
    """The Content-Security-Policy directive that says whose pages may show documents in a frame."""
    entries = [entry.strip().rstrip("/") for entry in conf.domain_list()]
    # Anything with a blank, a comma or a semicolon in it would end the directive and begin another.
    usable = [entry for entry in entries if entry and not set(entry) & set(" \t\r\n,;")]
    return " ".join(["frame-ancestors", "'self'", *usable])
