"""What a user is told when something fails, and the exit code that goes with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from .. import (
    ApiKeyInvalid,
    ApiKeyMissing,
    AuthenticationError,
    Cancelled,
    ConfigurationError,
    DatabaseUnavailable,
    DeadlineExceeded,
    DocumentCorrupt,
    DocumentDeleted,
    DocumentError,
    DocumentInfected,
    DocumentNotConfirmed,
    DocumentNotFound,
    DownloadDamaged,
    DownloadInterrupted,
    EmptyFile,
    ExtensionNotAllowed,
    FileTooLarge,
    HashMismatch,
    MergeInputNotPdf,
    MetadataInvalid,
    MimeMismatch,
    NameInvalid,
    OsisDocumentError,
    PathInvalid,
    PermissionDenied,
    PostProcessingError,
    PostProcessingFailed,
    PostProcessingNotFound,
    RequestError,
    RoleNotAllowed,
    RpcNotOffered,
    ServerFault,
    ServerOverloaded,
    ServiceError,
    ShuttingDown,
    SizeMismatch,
    StorageUnavailable,
    TokenError,
    TokenExpired,
    TokenInvalid,
    TokenSpent,
    TokenWrongPurpose,
    TypeNotConvertible,
    Unauthenticated,
    Unavailable,
    UploadError,
    UploadIdTaken,
    UploadInterrupted,
    UploadLimitReached,
    UploadSpecConflict,
    WriterSuperseded,
)
from .text import visible

REFUSED, USAGE, UNREACHABLE, NOT_ALLOWED, LOCAL_FILE, INTERRUPTED = 1, 2, 3, 4, 5, 130

#: The first class that fits decides.
_EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (ConfigurationError, USAGE),
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

_LATER = "try again in a moment"

#: What to do about an error. Errors that are missing here say it themselves, behind a semicolon.
_ADVICE: dict[type[OsisDocumentError], str] = {
    ApiKeyMissing: "set OSIS_DOCUMENT_API_KEY, or name a file with the key by --api-key-file",
    ApiKeyInvalid: "check OSIS_DOCUMENT_API_KEY (or --api-key-file) against the service's OSIS_DOCUMENT_API_SHARED_SECRET",
    RoleNotAllowed: "use a key of the role that is needed",
    TokenExpired: "ask for a new one with `osis-document token ID`, or upload the file again if it was never confirmed",
    TokenInvalid: "check that the whole token was copied, and that it comes from this service",
    TokenSpent: "`osis-document show ID` tells how the document stands; upload the file again if it is gone",
    TokenWrongPurpose: "ask for one that may write with `osis-document token ID --write`",
    DocumentNotFound: "check the id; a document that was never confirmed, or was deleted long ago, is gone for good",
    DocumentNotConfirmed: "confirm it with `osis-document confirm TOKEN`",
    DocumentDeleted: "who runs the service can bring it back while the retention time lasts",
    DocumentInfected: "nothing gives it back; remove the file where it came from",
    DocumentCorrupt: "tell who runs the service: the stored file must come back from a backup",
    DownloadDamaged: "download it again",
    EmptyFile: "choose a file with content",
    ExtensionNotAllowed: "convert the file to a type that the service accepts",
    FileTooLarge: "make the file smaller, or have the service's MAX_UPLOAD_SIZE raised",
    MimeMismatch: "give the file the extension of its type with --name, if the service accepts that type",
    NameInvalid: "give another name with --name",
    PathInvalid: "give a relative path without `..`",
    UploadIdTaken: "leave --upload-id out, and a new one is made",
    UploadSpecConflict: "give the same file, --name and --metadata as the first time, or leave --upload-id out",
    MergeInputNotPdf: "add --convert, or convert the documents first",
    TypeNotConvertible: "only office documents, text, images and PDFs can be converted",
    PostProcessingNotFound: "check the id of the job",
    PostProcessingFailed: "correct the document at fault and start again",
    ServerOverloaded: _LATER,
    ShuttingDown: _LATER,
    StorageUnavailable: _LATER,
    DatabaseUnavailable: _LATER,
    HashMismatch: "the file changed while it was sent, or was damaged on the way; send it again",
    SizeMismatch: "the file changed while it was sent; send it again",
    WriterSuperseded: "the same upload is being sent from elsewhere; let that one end",
    UploadLimitReached: _LATER,
    MetadataInvalid: "give fewer or shorter --metadata",
    UploadError: "send the file again, without --upload-id",
    DocumentError: "`osis-document show ID` tells how the document stands",
    PostProcessingError: "save the document anew with the program that made it, or try again later",
    RpcNotOffered: "wait for a newer version of the service",
    RequestError: "correct the value that is named",
    ServerFault: "tell who runs the service; its log has more",
}

FALLBACK_ADVICE = "`osis-document COMMAND --help` shows how the command is meant"


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
        if as_json:
            message = f"{self.message}; {self.advice}"
            error = {"reason": self.reason, "code": self.code, "message": message, "metadata": self.metadata}
            click.echo(json.dumps({"error": error}), err=True)
        else:
            click.echo(f"error: {visible(self.message)}", err=True)
            click.echo(f"to do: {visible(self.advice)}", err=True)


class Pending(OsisDocumentError):
    """What was asked for is still being made."""

    def __init__(self, message: str, *, post_processing_id: str) -> None:
        super().__init__(message)
        self.post_processing_id = post_processing_id


def fault_of(error: OsisDocumentError | OSError | ValueError, *, subject: str = "") -> Fault:
    """Describes an error to a user.

    Args:
        error: what was raised. A ValueError is one that the content of a local file gave rise to.
        subject: the file or id that it is about, where there may be several.
    """
    if (
        isinstance(error, UploadInterrupted | DownloadInterrupted)
        and error.nothing_done
        and isinstance(error.__cause__, ServiceError)
    ):
        error = error.__cause__  # nothing was interrupted: nobody was there from the start
    metadata = {"file": subject} if subject else {}
    about = f"{subject}: " if subject else ""
    match error:
        case OSError():
            return _local_fault(error, metadata=metadata, about=about)
        case OsisDocumentError():
            exit_code = next(code for kind, code in _EXIT_CODES if isinstance(error, kind))
        case _:
            return Fault(
                exit_code=LOCAL_FILE, message=f"{about}{error}", advice="check the file", reason="LOCAL_FILE", metadata=metadata
            )
    reason, code, message = type(error).__name__.upper(), "", str(error)
    match error:
        case UploadInterrupted():
            reason, advice = "UPLOAD_INTERRUPTED", f"go on with `osis-document upload --upload-id {error.upload_id} FILE`"
            message = message.partition(". To go on")[0]
            metadata |= {"upload_id": error.upload_id, "persisted_size": str(error.persisted_size)}
        case DownloadInterrupted():
            reason, advice = "DOWNLOAD_INTERRUPTED", "try again; nothing was left under the file's name"
        case DownloadDamaged():
            reason, advice = "DOWNLOAD_DAMAGED", _ADVICE[DownloadDamaged]
        case Pending():
            reason, advice = "PENDING", f"wait for it with `osis-document watch {error.post_processing_id}`"
            metadata["post_processing_id"] = error.post_processing_id
        case PostProcessingFailed():
            reason = error.error.reason if error.error is not None else "CANCELLED"
            advice = _ADVICE[PostProcessingFailed] if error.error is not None else "start it again if that was a mistake"
            metadata |= {"post_processing_id": error.job.id} | (error.error.metadata if error.error is not None else {})
        case ServiceError():
            reason, code, message = error.reason or error.code.name, error.code.name, error.message
            metadata = error.metadata | metadata
            advice = _advice_for(type(error))
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


def _advice_for(kind: type[ServiceError]) -> str:
    return next((_ADVICE[each] for each in kind.__mro__ if each in _ADVICE), "")


def _local_fault(error: OSError, *, metadata: dict[str, str], about: str) -> Fault:
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
    about = about or (f"{name}: " if name else "")
    return Fault(exit_code=LOCAL_FILE, message=about + why, advice=advice, reason=reason, metadata=metadata)


class Failures:
    """Reports what fails of several things, goes on with the others, and remembers the first exit code."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._exit_code = 0

    @contextmanager
    def caught(self, subject: str) -> Iterator[None]:
        """Reports an error that the block raises, as one about `subject`."""
        try:
            yield
        except BrokenPipeError:
            raise  # whoever read our output has gone, which is no fault of the file's
        except (OsisDocumentError, OSError, ValueError) as exc:
            fault = fault_of(exc, subject=subject)
            fault.report(as_json=self._as_json)
            self._exit_code = self._exit_code or fault.exit_code

    def exit(self) -> None:
        """Ends the command with the exit code of the first failure, if there was one."""
        if self._exit_code:
            sys.exit(self._exit_code)
