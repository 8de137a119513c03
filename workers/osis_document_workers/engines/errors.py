"""The errors that engines raise.

Exception
├── EngineError             the work failed; `reason` says how, `retryable` whether another try may succeed
└── EngineCancelledError    the caller asked to stop; nothing failed
"""

from __future__ import annotations

import enum
from pathlib import Path


class Reason(enum.StrEnum):
    """Why an engine failed. The names are those of the public `ErrorReason` enum."""

    PASSWORD_REQUIRED = "PASSWORD_REQUIRED"  # noqa: S105 -- a name
    DOCUMENT_UNREADABLE = "DOCUMENT_UNREADABLE"
    TYPE_NOT_CONVERTIBLE = "TYPE_NOT_CONVERTIBLE"
    CONVERTER_MISSING = "CONVERTER_MISSING"
    PROCESSING_TIMED_OUT = "PROCESSING_TIMED_OUT"
    PROCESSING_TOO_LARGE = "PROCESSING_TOO_LARGE"
    ENGINE_CRASHED = "ENGINE_CRASHED"
    MERGE_INPUT_NOT_PDF = "MERGE_INPUT_NOT_PDF"
    NOT_AN_IMAGE = "NOT_AN_IMAGE"


#: Another worker, or the same one later, may succeed. Everything else is the document's own fault.
RETRYABLE = frozenset({Reason.CONVERTER_MISSING, Reason.ENGINE_CRASHED})


class EngineError(Exception):
    """The work on a document failed.

    Attributes:
        reason: a member of `Reason`; being a `StrEnum` member it is also the plain string.
        message: what failed, why and what to do, for the person who uploaded the document.
        retryable: True if the same work may succeed elsewhere or later; never for a document's own fault.
        source: the file at fault, where there are several.
    """

    def __init__(self, reason: str, message: str, *, source: Path | None = None) -> None:
        super().__init__(message)
        self.reason: str = Reason(reason)
        self.message = message
        self.retryable = reason in RETRYABLE
        self.source = source

    def __reduce__(self) -> tuple[type[EngineError], tuple[str, str], dict[str, Path | None]]:
        return type(self), (self.reason, self.message), {"source": self.source}


class EngineCancelledError(Exception):
    """The caller set its `cancelled` event; the engine's processes are gone and no target was written."""
