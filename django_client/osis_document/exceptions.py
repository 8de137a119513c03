"""What the app raises when the service, or the way to it, refuses something.

    OsisDocumentException
    ├── FormatInvalidException            an argument cannot be so (also a ValueError)
    │   ├── TtlInvalid                    custom_ttl is no number, not above 0, or above the service's limit
    │   ├── SystemKeyRefused              metadata of the system cannot be changed
    │   ├── InvalidPostProcessorAction    no such action, an action twice, or none
    │   └── InvalidMergeFileDimension     no such page size
    ├── UploadInvalidException            the token or the document cannot be used
    │   ├── TokenNotFound                 not genuine
    │   │   ├── TokenExpired, TokenSpent, TokenNotAllowed
    │   ├── UploadNotFound                no such document, upload or modified copy; deleted; not confirmed
    │   ├── FileInfectedException
    │   ├── HashMismatch
    │   │   └── FileCorrupt               the stored bytes are damaged
    │   ├── MimeMismatch
    │   ├── FileRefused                   the name, the extension, an empty file
    │   │   └── FileTooLarge
    │   └── UploadConflict                another upload, or another writer, is in the way
    ├── WrongFileType                     not an image, not a PDF
    ├── MissingFileException              nothing to post-process
    ├── ConversionError                   a post-processing, a rotation or an edit failed
    ├── JobNotFound                       no such post-processing
    ├── SaveRawContentRemotelyException   content could not be stored
    ├── LimitReached                      too many uploads
    ├── ServiceUnavailable                nobody answers, or not now
    │   └── ServiceTimeout                not in time (also a TimeoutError)
    ├── ServiceFault                      the service is at fault
    └── ServiceMisconfigured              the settings do not let us in (also an ImproperlyConfigured)

`str()` of each is for the person at the screen, in their language; what the service said to developers is the `__cause__`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

import osis_document_client as client

from .enums import DocumentError


class OsisDocumentException(Exception):
    """Base of all.

    Attributes:
        message: for the person at the screen, in their language.
        code: the `DocumentError` that HTTP answers carry; "" if none fits.
        reason: the service's reason (`TOKEN_EXPIRED`), or "".
        values: what the service says beside it, by the keys that the contract documents for the reason.
        retry_after_seconds: when it may be tried again; None if that was not said.
        confirmed: documents that were confirmed before the call failed, by their tokens; only where the primary server confirms,
            which it does one by one.
    """

    default_message: ClassVar[str | Promise] = _("The file could not be processed.")
    default_code: ClassVar[str] = ""

    def __init__(
        self,
        message: str | Promise | None = None,
        *,
        reason: str = "",
        values: Mapping[str, str] | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.message = str(message or self.default_message)
        super().__init__(self.message)
        self.code = self.default_code
        self.reason = reason
        self.values = dict(values or {})
        self.retry_after_seconds = retry_after_seconds
        self.confirmed: dict[str, str] = {}


class FormatInvalidException(OsisDocumentException, ValueError):
    """An argument has a form that it cannot have."""

    default_message = _("A value of the request is not valid.")


class TtlInvalid(FormatInvalidException):
    """A token cannot be good for so long."""

    default_message = _("The validity of a token is a number of seconds above 0, up to the limit of the service.")


class SystemKeyRefused(FormatInvalidException):
    """Metadata of the system was to be changed."""

    default_message = _("Only the name of a file and the keys that its owner added can be changed.")


class InvalidPostProcessorAction(FormatInvalidException):
    """The actions of a post-processing cannot be so."""

    default_message = _("A post-processing needs actions, each one once: CONVERT, MERGE.")


class InvalidMergeFileDimension(FormatInvalidException):
    """There is no such page size."""

    default_message = _("There is no such page size.")


class UploadInvalidException(OsisDocumentException):
    """The token or the document cannot be used."""

    default_message = _("This file cannot be used.")


class TokenNotFound(UploadInvalidException):
    """The token is none of the service's."""

    default_message = _("The access to this file is not valid. Reload the page and try again.")
    default_code = DocumentError.TOKEN_NOT_FOUND.value


class TokenExpired(TokenNotFound):
    """The token's time is over."""

    default_message = _("The access to this file has expired. Reload the page and try again.")


class TokenSpent(TokenNotFound):
    """The token was used for the one change that it allowed."""

    default_message = _("This access to the file was used before. Reload the page and try again.")


class TokenNotAllowed(TokenNotFound):
    """The token allows less."""

    default_message = _("This access to the file does not allow to change it.")


class UploadNotFound(UploadInvalidException):
    """There is no such document, upload or modified copy, or not any more, or it was not confirmed."""

    default_message = _("This file does not exist, or not any more. If you have just uploaded it, upload it again.")
    default_code = DocumentError.UPLOAD_NOT_FOUND.value


class FileInfectedException(UploadInvalidException):
    """The document was declared infected."""

    default_message = _("This file was declared infected and cannot be used any more.")
    default_code = DocumentError.INFECTED.value


class HashMismatch(UploadInvalidException):
    """The bytes are others than they should be."""

    default_message = _("The file was damaged on its way. Upload it again.")
    default_code = DocumentError.HASH_MISMATCH.value


class FileCorrupt(HashMismatch):
    """Stored bytes of the document are damaged."""

    default_message = _("The stored file is damaged. Tell the administrators.")


class MimeMismatch(UploadInvalidException):
    """The content is of another type than the extension says."""

    default_message = _("The content of the file does not match its extension. Choose another file, or rename it.")
    default_code = DocumentError.MIME_MISMATCH.value


class FileRefused(UploadInvalidException):
    """The service does not take such a file."""

    default_message = _("This file is not accepted. Choose another file.")


class FileTooLarge(FileRefused):
    """The file is larger than allowed."""

    default_message = _("This file is too large. Choose a smaller one.")


class UploadConflict(UploadInvalidException):
    """Another upload, or another writer of the same one, is in the way."""

    default_message = _("This upload was continued or stopped elsewhere. Upload the file again.")


class WrongFileType(OsisDocumentException):
    """The change is not for documents of this type."""

    default_message = _("Files of this type cannot be changed like that.")


class MissingFileException(OsisDocumentException):
    """There is nothing to post-process, or a document of it is not there."""

    default_message = _("A file to be processed is missing.")


class ConversionError(OsisDocumentException):
    """A post-processing, a rotation or an edit failed.

    Attributes:
        job_id: the job, if there was one; "" otherwise.
    """

    default_message = _("The file could not be converted.")
    job_id = ""

    @property
    def errors(self) -> dict[str, Any]:
        """`{"params": what the reason is about, "messages": [text]}`."""
        return {"params": self.values, "messages": [self.message]}


class JobNotFound(OsisDocumentException):
    """There is no such post-processing."""

    default_message = _("There is no such post-processing.")


class SaveRawContentRemotelyException(OsisDocumentException):
    """Content could not be stored."""

    default_message = _("The content could not be stored.")


class LimitReached(OsisDocumentException):
    """Too many uploads were begun."""

    default_message = _("Too many files were uploaded in a short time. Wait a little and try again.")


class ServiceUnavailable(OsisDocumentException):
    """Nobody answers, or not now; the same may succeed later."""

    default_message = _("The document service cannot be reached at the moment. Try again later.")


class ServiceTimeout(ServiceUnavailable, TimeoutError):
    """It took too long. What was asked for may be done all the same."""

    default_message = _("The document service did not answer in time. Try again later.")


class ServiceFault(OsisDocumentException):
    """The service is at fault."""

    default_message = _("The document service has a problem. Tell the administrators.")


class ServiceMisconfigured(OsisDocumentException, ImproperlyConfigured):
    """The settings do not let us in; `manage.py check` says more."""

    default_message = _("The document service is not configured well. Tell the administrators.")


#: What each error of the client becomes; one that is not here becomes what its nearest base class becomes.
_EXCEPTIONS: dict[type[client.OsisDocumentError], type[OsisDocumentException]] = {
    client.OsisDocumentError: ServiceFault,
    client.ServiceError: ServiceFault,
    client.ConfigurationError: ServiceMisconfigured,
    client.UploadInterrupted: ServiceUnavailable,
    client.DownloadInterrupted: ServiceUnavailable,
    client.DownloadDamaged: ServiceUnavailable,
    client.PostProcessingFailed: ConversionError,
    # The call
    client.ArgumentInvalid: FormatInvalidException,
    client.InvalidArgument: FormatInvalidException,
    client.BatchTooLarge: FormatInvalidException,
    client.RequestIdConflict: FormatInvalidException,
    client.AlreadyExists: UploadConflict,
    client.NotFound: UploadNotFound,
    client.DeadlineExceeded: ServiceTimeout,
    client.Cancelled: ServiceUnavailable,
    client.Unavailable: ServiceUnavailable,
    client.ResourceExhausted: ServiceUnavailable,
    client.DataLoss: FileCorrupt,
    # The key
    client.AuthenticationError: ServiceMisconfigured,
    client.Unauthenticated: ServiceMisconfigured,
    client.PermissionDenied: ServiceMisconfigured,
    client.Unimplemented: ServiceMisconfigured,
    # The upload
    client.UploadError: UploadConflict,
    client.NameInvalid: FileRefused,
    client.PathInvalid: FormatInvalidException,
    client.MetadataInvalid: FormatInvalidException,
    client.ExtensionNotAllowed: FileRefused,
    client.MimeMismatch: MimeMismatch,
    client.EmptyFile: FileRefused,
    client.FileTooLarge: FileTooLarge,
    client.SizeMismatch: HashMismatch,
    client.HashMismatch: HashMismatch,
    client.UploadNotFound: UploadNotFound,
    client.UploadLimitReached: LimitReached,
    # The token
    client.TokenError: TokenNotFound,
    client.TokenExpired: TokenExpired,
    client.TokenSpent: TokenSpent,
    client.TokenWrongPurpose: TokenNotAllowed,
    # The document
    client.DocumentError: UploadInvalidException,
    client.DocumentNotFound: UploadNotFound,
    client.DocumentNotConfirmed: UploadNotFound,
    client.DocumentDeleted: UploadNotFound,
    client.ModifiedCopyNotFound: UploadNotFound,
    client.DocumentInfected: FileInfectedException,
    client.DocumentCorrupt: FileCorrupt,
    client.NotAnImage: WrongFileType,
    client.NotAPdf: WrongFileType,
    # The job
    client.PostProcessingError: ConversionError,
    client.PostProcessingNotFound: JobNotFound,
}

#: What is said where the exception's own words are too general.
_MESSAGES: dict[str, Promise] = {
    "NAME_INVALID": _("The name of the file is empty, too long, or has characters that it cannot have. Rename the file."),
    "PATH_INVALID": _("The folder for the file is too long, not relative, or has characters that it cannot have."),
    "METADATA_INVALID": _("What is to be kept with the file is too large, or has values that cannot be kept."),
    "EXTENSION_NOT_ALLOWED": _("Files of this kind are not accepted. Choose a file with one of these extensions: %(allowed)s."),
    "EMPTY_FILE": _("The file is empty. Choose another file."),
    "NOT_AN_IMAGE": _("Only images can be rotated."),
    "NOT_A_PDF": _("Only PDF files can be edited."),
    "TYPE_NOT_CONVERTIBLE": _("Files of this type cannot be converted to PDF."),
    "MERGE_INPUT_NOT_PDF": _("Only PDF files can be merged. Convert the others first."),
    "PASSWORD_REQUIRED": _("The file is protected by a password. Remove the password and upload the file again."),
    "DOCUMENT_UNREADABLE": _("The content of the file cannot be read. Open it, save it anew and upload it again."),
    "PROCESSING_TOO_LARGE": _("The file is too large or too complex to be processed."),
    "PROCESSING_TIMED_OUT": _("Processing the file took too long. Try again later."),
}


def exception_for(error: client.OsisDocumentError) -> OsisDocumentException:
    """Makes of an error of the client the exception that fits; it is not raised."""
    if isinstance(error, client.BatchFailed) and error.errors:
        return exception_for(next(iter(error.errors.values())))
    if isinstance(error, client.PostProcessingFailed):
        return _exception_for_job(error)
    kind = next(_EXCEPTIONS[base] for base in type(error).__mro__ if base in _EXCEPTIONS)
    if not isinstance(error, client.ServiceError):
        return kind()
    return kind(
        text_for_reason(error.reason, error.metadata),
        reason=error.reason,
        values=error.metadata,
        retry_after_seconds=error.retry_after_seconds,
    )


def _exception_for_job(error: client.PostProcessingFailed) -> OsisDocumentException:
    """Every job that failed is a `ConversionError`, whatever the reason."""
    if error.error is None:
        exception = ConversionError(_("The post-processing was cancelled."))
    else:
        # The service writes what no text here is made for to the person whose document it is.
        message = text_for_reason(error.error.reason, error.error.metadata) or error.error.message
        exception = ConversionError(message, reason=error.error.reason, values=error.error.metadata)
    exception.job_id = error.job.id
    return exception


def text_for_reason(reason: str, values: Mapping[str, str] | None = None) -> str | None:
    """The text for a reason (`EMPTY_FILE`), in the language of now; None where the exception's own words are as good."""
    text = _MESSAGES.get(reason)
    if text is None:
        return None
    return str(text) % {"allowed": ", ".join((values or {}).get("allowed", "").split())}


@contextmanager
def translated() -> Iterator[None]:
    """Raises the app's exceptions in place of the client's, and for texts that cannot be sent (half of a surrogate pair)."""
    try:
        yield
    except client.OsisDocumentError as exc:
        raise exception_for(exc) from exc
    except UnicodeError as exc:
        raise FormatInvalidException from exc


def error_dict(exception: OsisDocumentException) -> dict[str, dict[str, str]]:
    """`{"error": {"code", "message"}}`, as answers for many files have it where one was refused."""
    return {"error": {"code": exception.code or DocumentError.UPLOAD_NOT_FOUND.value, "message": exception.message}}
