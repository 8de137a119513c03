"""What a user is told when something fails, and the exit code that goes with it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field

import click

from .. import (
    AuthenticationError,
    Cancelled,
    ConfigurationError,
    DeadlineExceeded,
    DownloadDamaged,
    DownloadInterrupted,
    OsisDocumentError,
    PermissionDenied,
    PostProcessingFailed,
    ServiceError,
    TokenError,
    Unauthenticated,
    Unavailable,
    UploadInterrupted,
)
from .._export.ledger import LedgerError
from .advice import FALLBACK_ADVICE, advice_for
from .text import visible

REFUSED, USAGE, UNREACHABLE, NOT_ALLOWED, LOCAL_FILE = 1, 2, 3, 4, 5

#: The first class that fits decides.
_EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (ConfigurationError, USAGE),
    (LedgerError, LOCAL_FILE),
    (Unavailable, UNREACHABLE),
    (DeadlineExceeded, UNREACHABLE),
    (Cancelled, UNREACHABLE),
    (UploadInterrupted, UNREACHABLE),
    (DownloadInterrupted, UNREACHABLE),
    (AuthenticationError, NOT_ALLOWED),
    (TokenError, NOT_ALLOWED),
    (Unauthenticated, NOT_ALLOWED),
    (PermissionDenied, NOT_ALLOWED),
    (OsisDocumentError, REFUSED),
    (OSError, LOCAL_FILE),
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One failure: what failed and why, what to do, and how a program reads it."""

    exit_code: int
    message: str
    advice: str
    reason: str
    code: str = ""
    metadata: dict[str, str] = field(default_factory=dict)

    def report(self, *, as_json: bool) -> None:
        """Prints it on stderr: two lines, or one line of JSON."""
        with suppress(BrokenPipeError):  # nobody is there to hear it
            if as_json:
                click.echo(json.dumps(self.as_dict()), err=True)
            else:
                click.echo(f"error: {visible(self.message)}", err=True)
                click.echo(f"to do: {visible(self.advice)}", err=True)

    def as_dict(self) -> dict[str, object]:
        """What a program is told."""
        message = f"{self.message}; {self.advice}"
        return {"error": {"reason": self.reason, "code": self.code, "message": message, "metadata": self.metadata}}


class Pending(OsisDocumentError):
    """What was asked for is still being made."""

    def __init__(self, message: str, *, post_processing_id: str) -> None:
        super().__init__(message)
        self.post_processing_id = post_processing_id


def fault_of(
    error: OsisDocumentError | OSError | ValueError, *, subject: str = "", kind: str = "file", advice: str = ""
) -> Fault:
    """Describes an error to a user.

    Args:
        error: what was raised. A ValueError is one that the content of a local file gave rise to.
        subject: the file or id that it is about, where there may be several.
        kind: what the subject is, for programs.
        advice: what to do about an interruption, if it is more than can be known here.
    """
    given = advice
    if (
        isinstance(error, UploadInterrupted | DownloadInterrupted)
        and error.nothing_done
        and isinstance(error.__cause__, ServiceError)
    ):
        error = error.__cause__  # nothing was interrupted: nobody was there from the start
    metadata = {kind: subject} if subject else {}
    about = f"{subject}: " if subject and subject not in str(error) else ""
    match error:
        case OSError():
            return _local_fault(error, metadata=metadata)
        case OsisDocumentError():
            exit_code = next(code for kind, code in _EXIT_CODES if isinstance(error, kind))
        case _:
            return Fault(
                exit_code=LOCAL_FILE, message=f"{about}{error}", advice="check the file", reason="LOCAL_FILE", metadata=metadata
            )
    reason, code, message = type(error).__name__.upper(), "", str(error)
    match error:
        case UploadInterrupted():
            reason = "UPLOAD_INTERRUPTED"
            advice = given or f"go on with `osis-document upload --upload-id {error.upload_id} FILE`"
            message = message.partition(". To go on")[0]
            metadata |= {"upload_id": error.upload_id, "persisted_size": str(error.persisted_size)}
        case DownloadInterrupted():
            reason, advice = "DOWNLOAD_INTERRUPTED", "try again; nothing was left under the file's name"
        case DownloadDamaged():
            reason, advice = "DOWNLOAD_DAMAGED", advice_for(DownloadDamaged)
        case Pending():
            reason, advice = "PENDING", f"wait for it with `osis-document watch {error.post_processing_id}`"
            metadata["post_processing_id"] = error.post_processing_id
        case PostProcessingFailed():
            reason = error.error.reason if error.error is not None else "CANCELLED"
            advice = advice_for(PostProcessingFailed) if error.error is not None else "start it again if that was a mistake"
            metadata |= {"post_processing_id": error.job.id} | (error.error.metadata if error.error is not None else {})
        case ServiceError():
            reason, code, message = error.reason or error.code.name, error.code.name, error.message
            metadata = error.metadata | metadata
            advice = advice_for(type(error))
            if not advice and not error.reason:
                message, advice = _split(message)
        case _:
            reason = "CONFIGURATION" if isinstance(error, ConfigurationError) else reason
            message, advice = _split(message)
    return Fault(
        exit_code=exit_code,
        message=about + message,
        advice=advice or FALLBACK_ADVICE,
        reason=reason,
        code=code,
        metadata=metadata,
    )


def _split(message: str) -> tuple[str, str]:
    """Parts what this library says into what failed, and what to do about it."""
    what, semicolon, advice = message.rpartition("; ")
    return (what, advice) if semicolon else (message, "")


def _local_fault(error: OSError, *, metadata: dict[str, str]) -> Fault:
    name = error.filename if isinstance(error.filename, str) else str(error.filename or "")
    match error:
        case FileNotFoundError():
            reason, why, advice = "FILE_NOT_FOUND", "there is no such file", "check the name and the folder"
        case IsADirectoryError():
            reason, why, advice = "IS_A_FOLDER", "it is a folder and not a file", "name the files in it one by one"
        case PermissionError():
            reason, why, advice = "FILE_NOT_PERMITTED", "you are not permitted to open it", "change its permissions"
        case FileExistsError():
            reason, why, advice = "FILE_EXISTS", "there is such a file already", "name another one with -o, or add --force"
        case _:
            reason, why, advice = "LOCAL_FILE", error.strerror or str(error), "check the disk and the file"
    subject = next(iter(metadata.values()), "") or name
    about = f"{subject}: " if subject else ""
    return Fault(exit_code=LOCAL_FILE, message=about + why, advice=advice, reason=reason, metadata=metadata)
