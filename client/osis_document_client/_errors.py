"""The errors that this library raises.

    OsisDocumentError
    ├── ConfigurationError                 target, key or TLS files are missing or do not fit together
    ├── UploadInterrupted                  the connection stayed lost; says how far it came
    ├── DownloadInterrupted                the same, while reading
    ├── DownloadDamaged                    bytes arrived that are not those that were sent
    ├── PostProcessingFailed               a job that was waited for is FAILED or CANCELLED
    ├── BatchFailed                        some items of a batch were refused; says which
    └── ServiceError                       the service, or the way to it, refused a call
        ├── RequestError                   the call itself is at fault
        │   ├── ArgumentInvalid, RequestIdConflict, BatchTooLarge
        ├── AuthenticationError            the API key is at fault
        │   ├── ApiKeyMissing, ApiKeyInvalid, RoleNotAllowed
        ├── UploadError                    the file, its name or its upload is at fault
        │   ├── NameInvalid, PathInvalid, MetadataInvalid, ExtensionNotAllowed, MimeMismatch
        │   ├── EmptyFile, FileTooLarge, SizeMismatch, HashMismatch
        │   ├── UploadNotFound, UploadIdTaken, UploadSpecConflict, OffsetGap
        │   └── WriterSuperseded, UploadCancelled, AlreadyConfirmed, UploadLimitReached
        ├── TokenError
        │   ├── TokenInvalid, TokenExpired, TokenSpent, TokenWrongPurpose
        ├── DocumentError                  the document's state or content is at fault
        │   ├── DocumentNotFound, DocumentNotConfirmed, DocumentDeleted, DocumentInfected, DocumentCorrupt
        │   └── ModifiedCopyNotFound, RangeNotSatisfiable, ContentChanged, NotAnImage, NotAPdf
        ├── PostProcessingError
        │   ├── PostProcessingNotFound, TypeNotConvertible, MergeInputNotPdf, PasswordRequired
        │   ├── DocumentUnreadable, ProcessingTooLarge, ProcessingTimedOut, ConverterMissing
        │   └── EngineCrashed, AttemptsExhausted, LeaseLost
        ├── Unavailable                    nobody answers, or not now: the same call may succeed later
        │   ├── StorageUnavailable, DatabaseUnavailable, ServerOverloaded, ShuttingDown
        ├── ServerFault                    the service is at fault
        │   ├── StorageFull, InternalFault
        ├── Unimplemented
        │   └── RpcNotOffered
        └── by status code alone, where the service gave no reason that this version knows:
            DeadlineExceeded, Cancelled, InvalidArgument, NotFound, AlreadyExists, PermissionDenied, Unauthenticated,
            ResourceExhausted, FailedPrecondition, Aborted, OutOfRange, DataLoss (and Unavailable, Unimplemented)
            └── ClientClosed               a Cancelled

There is one class for each value of the contract's `ErrorReason`; `error_reason.proto` says when each is raised and which
keys its `metadata` has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from google.rpc.error_details_pb2 import BadRequest
from grpc import StatusCode

from osis.document.v1.document_pb2 import ItemError
from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.post_processing_pb2 import PostProcessing, PostProcessingState

_PREFIX = "ERROR_REASON_"


class OsisDocumentError(Exception):
    """Base of every error that this library raises on purpose."""


class ConfigurationError(OsisDocumentError):
    """The client does not know where the service is, or its settings do not fit together. The message names what to set."""


class UploadInterrupted(OsisDocumentError):
    """An upload lost its connection more often in a row than is allowed, without getting on.

    Attributes:
        upload_id: `Client.upload(…, upload_id=…)` with the same source goes on from there.
        persisted_size: how many bytes the service was last known to have safely; it may have more by now.
        size_bytes: the whole length in bytes, or None if it is not known.
        sent_size: how many bytes were handed to a connection that took them.
    """

    def __init__(
        self, message: str, *, upload_id: str = "", persisted_size: int = 0, size_bytes: int | None = None, sent_size: int = 0
    ) -> None:
        super().__init__(message)
        self.upload_id = upload_id
        self.persisted_size = persisted_size
        self.size_bytes = size_bytes
        self.sent_size = sent_size

    @property
    def nothing_done(self) -> bool:
        """True when no byte can be safe, so that starting anew costs nothing."""
        return self.persisted_size == 0 and self.sent_size == 0


class DownloadInterrupted(OsisDocumentError):
    """A download lost its connection more often in a row than is allowed, without getting on.

    Attributes:
        offset: `Client.open_download(…, offset=…, expected_sha256=…)` goes on from there; a place in the whole content.
        sha256: of the whole content, to be given as `expected_sha256`; empty when nothing was received at all.
    """

    def __init__(self, message: str, *, offset: int = 0, sha256: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.sha256 = sha256

    @property
    def nothing_done(self) -> bool:
        """True when nothing was received, so that starting anew costs nothing."""
        return not self.sha256


class DownloadDamaged(OsisDocumentError):
    """What arrived is not what was sent: a block's CRC32C, the length or the SHA-256 of the whole differs. Download again."""


class ServiceError(OsisDocumentError):
    """A call was refused, by the service or on the way to it.

    Attributes:
        reason: name of the `ErrorReason` without its prefix (`TOKEN_EXPIRED`); empty when the service gave none.
        code: the gRPC status code.
        message: what failed, why, and what to do.
        metadata: the values named in the message, with the keys that the reason documents.
        retry_after_seconds: how long the service asks to wait before the same call, or None.
        field_violations: which fields of the request are at fault, and why.
    """

    #: What an instance has unless told otherwise; set by the keywords of each class.
    default_reason: ClassVar[str] = ""
    default_code: ClassVar[StatusCode] = StatusCode.UNKNOWN

    def __init_subclass__(cls, *, reason: str = "", code: StatusCode | None = None) -> None:
        super().__init_subclass__()
        cls.default_reason = reason
        if code is not None:
            cls.default_code = code
            if reason:
                _BY_REASON[reason] = cls
            else:
                _BY_CODE[code] = cls

    # All but the message have defaults so that the instances can be pickled (to another process, say).
    def __init__(
        self,
        message: str = "",
        *,
        reason: str | None = None,
        code: StatusCode | None = None,
        metadata: Mapping[str, str] | None = None,
        retry_after_seconds: float | None = None,
        field_violations: tuple[BadRequest.FieldViolation, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = self.default_reason if reason is None else reason
        self.code = self.default_code if code is None else code
        self.metadata = dict(metadata or {})
        self.retry_after_seconds = retry_after_seconds
        self.field_violations = field_violations

    def __str__(self) -> str:
        return f"{self.message} [{self.reason or self.code.name}]"


_BY_REASON: dict[str, type[ServiceError]] = {}
_BY_CODE: dict[StatusCode, type[ServiceError]] = {}


class PostProcessingFailed(OsisDocumentError):
    """A job that was waited for ended without its result.

    Attributes:
        job: the job as it ended, FAILED or CANCELLED.
        error: why it failed, as the class that the reason has; None for a cancelled job.
    """

    def __init__(self, job: PostProcessing) -> None:
        cancelled = job.state == PostProcessingState.POST_PROCESSING_STATE_CANCELLED
        message = "it was cancelled" if cancelled else job.failure.message or "the service did not say why"
        super().__init__(f"post-processing {job.id} did not succeed: {message}")
        self.job = job
        self.error: ServiceError | None = None
        if not cancelled:
            failure = job.failure
            item = ItemError(reason=failure.reason, message=failure.message)
            if failure.document_id:
                item.metadata["document_id"] = failure.document_id
            self.error = error_for_item(item)

    def __reduce__(self) -> tuple[type[PostProcessingFailed], tuple[PostProcessing]]:
        return type(self), (self.job,)


class BatchFailed(OsisDocumentError):
    """Some items of a batch were refused. All others are done.

    Attributes:
        results: what became of each item, in request order: the document, or a `ServiceError`.
        errors: the refusals alone, by place in the request.
    """

    def __init__(self, message: str, *, results: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.results = results
        self.errors = {place: item for place, item in enumerate(results) if isinstance(item, ServiceError)}


def error_for_item(item: ItemError) -> ServiceError:
    """Makes of one refused item of a batch the error that a lone call would have raised.

    Args:
        item: the `error` of a `DocumentResult`, `GetDocumentResult` or `TokenResult`, or a `refusal`.

    Returns:
        The error; it is not raised.
    """
    known = item.reason in ErrorReason.values()
    return service_error(
        ErrorReason.Name(item.reason).removeprefix(_PREFIX) if known and item.reason else "",
        message=item.message or "refused without a message",
        metadata=item.metadata,
    )


def service_error(
    reason: str,
    *,
    message: str,
    code: StatusCode | None = None,
    metadata: Mapping[str, str] | None = None,
    retry_after_seconds: float | None = None,
    field_violations: tuple[BadRequest.FieldViolation, ...] = (),
) -> ServiceError:
    """Makes the error of the class that fits: by `reason` where this version knows it, by `code` otherwise."""
    error_class = _BY_REASON.get(reason)
    if error_class is None:
        error_class = _BY_CODE.get(code, ServiceError) if code is not None else ServiceError
    return error_class(
        message,
        reason=reason,
        code=code,
        metadata=metadata,
        retry_after_seconds=retry_after_seconds,
        field_violations=field_violations,
    )


def error_class_for_reason(reason: str) -> type[ServiceError] | None:
    """Finds the class of a reason (`TOKEN_EXPIRED`); None if this version knows none."""
    return _BY_REASON.get(reason)


# ---- by status code, where the reason is not known --------------------------------------------------------------------------


class DeadlineExceeded(ServiceError, code=StatusCode.DEADLINE_EXCEEDED):
    """No answer in time. What was asked for may have been done all the same."""


class Cancelled(ServiceError, code=StatusCode.CANCELLED):
    """The call was cancelled: by this process, or by the service because nothing moved for too long."""


class ClientClosed(Cancelled, RuntimeError):
    """The client was closed, before the call or while it was under way. Make another one."""


class InvalidArgument(ServiceError, code=StatusCode.INVALID_ARGUMENT):
    """The request has a value that it cannot have."""


class NotFound(ServiceError, code=StatusCode.NOT_FOUND):
    """What was asked for does not exist."""


class AlreadyExists(ServiceError, code=StatusCode.ALREADY_EXISTS):
    """What was to be made exists."""


class PermissionDenied(ServiceError, code=StatusCode.PERMISSION_DENIED):
    """The caller is known and may not do this."""


class Unauthenticated(ServiceError, code=StatusCode.UNAUTHENTICATED):
    """The caller is not known."""


class ResourceExhausted(ServiceError, code=StatusCode.RESOURCE_EXHAUSTED):
    """A limit is reached."""


class FailedPrecondition(ServiceError, code=StatusCode.FAILED_PRECONDITION):
    """The state of things does not allow it."""


class Aborted(ServiceError, code=StatusCode.ABORTED):
    """Somebody else was faster."""


class OutOfRange(ServiceError, code=StatusCode.OUT_OF_RANGE):
    """An offset lies outside of what there is."""


class DataLoss(ServiceError, code=StatusCode.DATA_LOSS):
    """Stored bytes are damaged."""


class Unavailable(ServiceError, code=StatusCode.UNAVAILABLE):
    """Nobody answers, or the service cannot serve the call now. The same call may succeed later."""


class Unimplemented(ServiceError, code=StatusCode.UNIMPLEMENTED):
    """The service does not know this rpc."""


# ---- by reason --------------------------------------------------------------------------------------------------------------


class RequestError(ServiceError):
    """The call itself is at fault."""


class ArgumentInvalid(RequestError, reason="ARGUMENT_INVALID", code=StatusCode.INVALID_ARGUMENT):
    """A field of the request is missing or has a value that it cannot have; see `field_violations`."""


class RequestIdConflict(RequestError, reason="REQUEST_ID_CONFLICT", code=StatusCode.ALREADY_EXISTS):
    """The `request_id` was used before for another request."""


class BatchTooLarge(RequestError, reason="BATCH_TOO_LARGE", code=StatusCode.INVALID_ARGUMENT):
    """A batch has too many items, or none."""


class RpcNotOffered(Unimplemented, reason="NOT_IMPLEMENTED", code=StatusCode.UNIMPLEMENTED):
    """This version of the service does not offer the rpc yet."""


class AuthenticationError(ServiceError):
    """The API key is at fault."""


class ApiKeyMissing(AuthenticationError, reason="API_KEY_MISSING", code=StatusCode.UNAUTHENTICATED):
    """The call needs an API key."""


class ApiKeyInvalid(AuthenticationError, reason="API_KEY_INVALID", code=StatusCode.UNAUTHENTICATED):
    """The API key is none of the service's."""


class RoleNotAllowed(AuthenticationError, reason="ROLE_NOT_ALLOWED", code=StatusCode.PERMISSION_DENIED):
    """The API key is good, but its role may not do this."""


class UploadError(ServiceError):
    """The file, its name, its keys or the state of its upload is at fault."""


class NameInvalid(UploadError, reason="NAME_INVALID", code=StatusCode.INVALID_ARGUMENT):
    """The file name is empty, too long, or contains separators or control characters."""


class PathInvalid(UploadError, reason="PATH_INVALID", code=StatusCode.INVALID_ARGUMENT):
    """The logical path is too long, absolute, or contains `..` or control characters."""


class MetadataInvalid(UploadError, reason="METADATA_INVALID", code=StatusCode.INVALID_ARGUMENT):
    """The users' own keys are too large or hold a number that is not finite."""


class ExtensionNotAllowed(UploadError, reason="EXTENSION_NOT_ALLOWED", code=StatusCode.INVALID_ARGUMENT):
    """The service does not accept files with this extension."""


class MimeMismatch(UploadError, reason="MIME_MISMATCH", code=StatusCode.INVALID_ARGUMENT):
    """The content is not of the type that the name's extension says."""


class EmptyFile(UploadError, reason="EMPTY_FILE", code=StatusCode.INVALID_ARGUMENT):
    """The file has no bytes."""


class FileTooLarge(UploadError, reason="FILE_TOO_LARGE", code=StatusCode.INVALID_ARGUMENT):
    """The file is larger than the service accepts."""


class SizeMismatch(UploadError, reason="SIZE_MISMATCH", code=StatusCode.INVALID_ARGUMENT):
    """The upload was finished with another length than declared."""


class HashMismatch(UploadError, reason="HASH_MISMATCH", code=StatusCode.INVALID_ARGUMENT):
    """The bytes received have another SHA-256 than the caller says."""


class UploadNotFound(UploadError, reason="UPLOAD_NOT_FOUND", code=StatusCode.NOT_FOUND):
    """No such upload: never started, cancelled, or unfinished or unconfirmed for too long."""


class UploadIdTaken(UploadError, reason="UPLOAD_ID_TAKEN", code=StatusCode.ALREADY_EXISTS):
    """The upload id belongs to another client's upload or to another document."""


class UploadSpecConflict(UploadError, reason="UPLOAD_SPEC_CONFLICT", code=StatusCode.FAILED_PRECONDITION):
    """The upload id was started before with another name, size or other keys."""


class OffsetGap(UploadError, reason="OFFSET_GAP", code=StatusCode.OUT_OF_RANGE):
    """Bytes were sent for a place beyond what the service has received."""


class WriterSuperseded(UploadError, reason="WRITER_SUPERSEDED", code=StatusCode.ABORTED):
    """Another stream has taken this upload over."""


class UploadCancelled(UploadError, reason="UPLOAD_CANCELLED", code=StatusCode.ABORTED):
    """The upload was cancelled while bytes were arriving."""


class AlreadyConfirmed(UploadError, reason="ALREADY_CONFIRMED", code=StatusCode.FAILED_PRECONDITION):
    """The upload is a confirmed document by now."""


class UploadLimitReached(UploadError, reason="UPLOAD_LIMIT_REACHED", code=StatusCode.RESOURCE_EXHAUSTED):
    """The client has started too many uploads; `retry_after_seconds` says when to come back."""


class TokenError(ServiceError):
    """The token is at fault."""


class TokenInvalid(TokenError, reason="TOKEN_INVALID", code=StatusCode.UNAUTHENTICATED):
    """The token is none of this service's, or was changed."""


class TokenExpired(TokenError, reason="TOKEN_EXPIRED", code=StatusCode.UNAUTHENTICATED):
    """The token's time is over."""


class TokenSpent(TokenError, reason="TOKEN_SPENT", code=StatusCode.FAILED_PRECONDITION):
    """The token was used for the one change that it allowed, or the document has changed since it was made."""


class TokenWrongPurpose(TokenError, reason="TOKEN_WRONG_PURPOSE", code=StatusCode.PERMISSION_DENIED):
    """The token does not allow this."""


class DocumentError(ServiceError):
    """The document's state or content is at fault."""


class DocumentNotFound(DocumentError, reason="DOCUMENT_NOT_FOUND", code=StatusCode.NOT_FOUND):
    """No such document: the id is wrong, or it was removed for good."""


class DocumentNotConfirmed(DocumentError, reason="DOCUMENT_NOT_CONFIRMED", code=StatusCode.FAILED_PRECONDITION):
    """The document's upload has not been confirmed yet."""


class DocumentDeleted(DocumentError, reason="DOCUMENT_DELETED", code=StatusCode.FAILED_PRECONDITION):
    """The document is deleted."""


class DocumentInfected(DocumentError, reason="DOCUMENT_INFECTED", code=StatusCode.FAILED_PRECONDITION):
    """The document was declared infected."""


class DocumentCorrupt(DocumentError, reason="DOCUMENT_CORRUPT", code=StatusCode.DATA_LOSS):
    """Stored bytes of the document were found damaged."""


class ModifiedCopyNotFound(DocumentError, reason="MODIFIED_COPY_NOT_FOUND", code=StatusCode.NOT_FOUND):
    """The document has no modified copy."""


class RangeNotSatisfiable(DocumentError, reason="RANGE_NOT_SATISFIABLE", code=StatusCode.OUT_OF_RANGE):
    """The range starts at or behind the end."""


class ContentChanged(DocumentError, reason="CONTENT_CHANGED", code=StatusCode.FAILED_PRECONDITION):
    """The content has another SHA-256 than the caller expects."""


class NotAnImage(DocumentError, reason="NOT_AN_IMAGE", code=StatusCode.FAILED_PRECONDITION):
    """Only images can be rotated."""


class NotAPdf(DocumentError, reason="NOT_A_PDF", code=StatusCode.FAILED_PRECONDITION):
    """Only PDFs can be edited."""


class PostProcessingError(ServiceError):
    """A job, or a document as the input of a job, is at fault."""


class PostProcessingNotFound(PostProcessingError, reason="POST_PROCESSING_NOT_FOUND", code=StatusCode.NOT_FOUND):
    """No such job."""


class TypeNotConvertible(PostProcessingError, reason="TYPE_NOT_CONVERTIBLE", code=StatusCode.FAILED_PRECONDITION):
    """No converter takes documents of this type."""


class MergeInputNotPdf(PostProcessingError, reason="MERGE_INPUT_NOT_PDF", code=StatusCode.FAILED_PRECONDITION):
    """Only PDFs can be merged; convert the others first."""


class PasswordRequired(PostProcessingError, reason="PASSWORD_REQUIRED", code=StatusCode.FAILED_PRECONDITION):
    """The document is protected by a password."""


class DocumentUnreadable(PostProcessingError, reason="DOCUMENT_UNREADABLE", code=StatusCode.FAILED_PRECONDITION):
    """The document's content is broken."""


class ProcessingTooLarge(PostProcessingError, reason="PROCESSING_TOO_LARGE", code=StatusCode.FAILED_PRECONDITION):
    """Processing the document would take more memory, pixels or space than a worker may use."""


class ProcessingTimedOut(PostProcessingError, reason="PROCESSING_TIMED_OUT", code=StatusCode.DEADLINE_EXCEEDED):
    """Processing took longer than a worker, or the job as a whole, may take."""


class ConverterMissing(PostProcessingError, reason="CONVERTER_MISSING", code=StatusCode.FAILED_PRECONDITION):
    """A program that the worker needs is not installed there."""


class EngineCrashed(PostProcessingError, reason="ENGINE_CRASHED", code=StatusCode.INTERNAL):
    """The program that processed the document died."""


class AttemptsExhausted(PostProcessingError, reason="ATTEMPTS_EXHAUSTED", code=StatusCode.FAILED_PRECONDITION):
    """Workers were lost while they processed the document, as often as is allowed."""


class LeaseLost(PostProcessingError, reason="LEASE_LOST", code=StatusCode.ABORTED):
    """The worker does not hold the task any more."""


class StorageUnavailable(Unavailable, reason="STORAGE_UNAVAILABLE", code=StatusCode.UNAVAILABLE):
    """The storage does not answer or reports an error."""


class DatabaseUnavailable(Unavailable, reason="DATABASE_UNAVAILABLE", code=StatusCode.UNAVAILABLE):
    """The database does not answer, or all its connections are busy."""


class ServerOverloaded(Unavailable, reason="SERVER_OVERLOADED", code=StatusCode.RESOURCE_EXHAUSTED):
    """As many calls of this kind are under way as the service admits; `retry_after_seconds` says when to come back."""


class ShuttingDown(Unavailable, reason="SHUTTING_DOWN", code=StatusCode.UNAVAILABLE):
    """The service is stopping; another instance, or the next start, will answer."""


class ServerFault(ServiceError):
    """The service is at fault; who runs it must act."""


class StorageFull(ServerFault, reason="STORAGE_FULL", code=StatusCode.RESOURCE_EXHAUSTED):
    """The service's disk is full, or down to the space that it keeps free."""


class InternalFault(ServerFault, reason="INTERNAL", code=StatusCode.INTERNAL):
    """A fault of the service. Its log has more under the `request_id` in `metadata`."""
