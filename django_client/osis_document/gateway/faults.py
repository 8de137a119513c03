"""What a refusal looks like over HTTP: all statuses in one table."""

from __future__ import annotations

import math
from typing import Any

from rest_framework import status
from rest_framework.response import Response

from osis_document import exceptions

#: The first class that fits decides, so the special ones stand before the general ones.
_STATUSES: tuple[tuple[type[exceptions.OsisDocumentException], int], ...] = (
    (exceptions.FileInfectedException, status.HTTP_500_INTERNAL_SERVER_ERROR),
    (exceptions.TokenExpired, status.HTTP_403_FORBIDDEN),
    (exceptions.TokenNotAllowed, status.HTTP_403_FORBIDDEN),
    (exceptions.TokenSpent, status.HTTP_409_CONFLICT),
    (exceptions.TokenNotFound, status.HTTP_404_NOT_FOUND),
    (exceptions.UploadNotFound, status.HTTP_404_NOT_FOUND),
    (exceptions.JobNotFound, status.HTTP_404_NOT_FOUND),
    (exceptions.HashMismatch, status.HTTP_409_CONFLICT),
    (exceptions.MimeMismatch, status.HTTP_409_CONFLICT),
    (exceptions.UploadConflict, status.HTTP_409_CONFLICT),
    (exceptions.FileTooLarge, status.HTTP_413_REQUEST_ENTITY_TOO_LARGE),
    (exceptions.SystemKeyRefused, status.HTTP_403_FORBIDDEN),
    (exceptions.LimitReached, status.HTTP_429_TOO_MANY_REQUESTS),
    (exceptions.ServiceTimeout, status.HTTP_504_GATEWAY_TIMEOUT),
    (exceptions.ServiceUnavailable, status.HTTP_503_SERVICE_UNAVAILABLE),
    (exceptions.ServiceMisconfigured, status.HTTP_503_SERVICE_UNAVAILABLE),
    (exceptions.ServiceFault, status.HTTP_502_BAD_GATEWAY),
)

#: Statuses whose body says `error`; all others say `detail`.
SAY_ERROR = {
    status.HTTP_400_BAD_REQUEST,
    status.HTTP_409_CONFLICT,
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
}

_MAX_TEXT = 1_000

#: What clients compare the answer for an infected document with.
INFECTED = "INFECTED"


def status_of(fault: exceptions.OsisDocumentException) -> int:
    """The HTTP status of a refusal; 400 for all that the caller can mend in the request."""
    found = (code for kind, code in _STATUSES if isinstance(fault, kind))
    return next(found, status.HTTP_400_BAD_REQUEST)


def answer(fault: exceptions.OsisDocumentException, *, code: int | None = None) -> Response:
    """Makes the answer to a call that was refused.

    Args:
        fault: why.
        code: the HTTP status, where a path has one of its own for this.
    """
    code = code or status_of(fault)
    text = INFECTED if isinstance(fault, exceptions.FileInfectedException) else fault.message
    response = Response(body(code, text), status=code)
    seconds = getattr(fault, "retry_after_seconds", None)
    if seconds:
        response["Retry-After"] = str(math.ceil(seconds))
    return response


def body(code: int, text: str) -> dict[str, Any]:
    """The body of a refusal. What callers sent is in some texts: it is cut, and half characters, which JSON can bring, go."""
    readable = str(text)[:_MAX_TEXT].encode(errors="replace").decode()
    return {"error" if code in SAY_ERROR else "detail": readable}


def first_text(detail: Any, *, field: str = "") -> str:
    """The first of the messages that validation has found, with the name of its field."""
    if isinstance(detail, dict) and detail:
        name, inner = next(iter(detail.items()))
        plain = name in {"detail", "non_field_errors"} or isinstance(name, int)
        return first_text(inner, field=field if plain else f"{field}.{name}" if field else str(name))
    if isinstance(detail, list) and detail:
        return first_text(next((item for item in detail if item), ""), field=field)
    return f"{field}: {detail}" if field else str(detail)
