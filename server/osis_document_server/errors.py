"""Every refusal that the service gives on purpose.

One class per reason of the contract's ``ErrorReason`` that the server raises. A class knows its reason and nothing of status
codes: ``rpc/errors.py`` maps reasons to codes.

    ServiceError
    ├── the caller      ArgumentInvalid, ApiKeyMissing, ApiKeyInvalid, RoleNotAllowed, RequestIdConflict, BatchTooLarge,
    │                   NotImplementedYet
    ├── uploads         NameInvalid, PathInvalid, MetadataInvalid, ExtensionNotAllowed, MimeMismatch, EmptyFile, FileTooLarge,
    │                   SizeMismatch, HashMismatch, UploadNotFound, UploadIdTaken, UploadSpecConflict, OffsetGap,
    │                   WriterSuperseded, UploadCancelled, UploadLimitReached, AlreadyConfirmed
    ├── tokens          TokenInvalid, TokenExpired, TokenSpent, TokenWrongPurpose
    ├── documents       DocumentNotFound, DocumentNotConfirmed, DocumentDeleted, DocumentInfected, DocumentCorrupt,
    │                   ModifiedCopyNotFound, RangeNotSatisfiable, ContentChanged, NotAnImage, NotAPdf
    ├── post-processing PostProcessingNotFound, TypeNotConvertible, MergeInputNotPdf, LeaseLost; and what workers report:
    │                   PasswordRequired, DocumentUnreadable, ProcessingTooLarge, ProcessingTimedOut, ConverterMissing,
    │                   EngineCrashed, AttemptsExhausted
    └── the service     StorageFull, StorageUnavailable, DatabaseUnavailable, ServerOverloaded, ShuttingDown, InternalError
"""

from typing import Any, ClassVar


class ServiceError(Exception):
    """A refusal with a reason.

    Args:
        message: what failed, why, and what to do; it reaches the caller.
        field: the request's field at fault, if it is one (``upload_spec.name``).
        retry_after_seconds: when the same call may succeed, if waiting helps.
        metadata: the values that the message speaks of.
    """

    reason: ClassVar[str]

    def __init__(self, message: str, *, field: str = "", retry_after_seconds: float | None = None, **metadata: object) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after_seconds = retry_after_seconds
        self.metadata = {key: str(value) for key, value in metadata.items()}


class ArgumentInvalid(ServiceError):
    reason = "ARGUMENT_INVALID"


class ApiKeyMissing(ServiceError):
    reason = "API_KEY_MISSING"


class ApiKeyInvalid(ServiceError):
    reason = "API_KEY_INVALID"


class RoleNotAllowed(ServiceError):
    reason = "ROLE_NOT_ALLOWED"


class RequestIdConflict(ServiceError):
    reason = "REQUEST_ID_CONFLICT"


class BatchTooLarge(ServiceError):
    reason = "BATCH_TOO_LARGE"


class NotImplementedYet(ServiceError):
    reason = "NOT_IMPLEMENTED"


class NameInvalid(ServiceError):
    reason = "NAME_INVALID"


class PathInvalid(ServiceError):
    reason = "PATH_INVALID"


class MetadataInvalid(ServiceError):
    reason = "METADATA_INVALID"


class ExtensionNotAllowed(ServiceError):
    reason = "EXTENSION_NOT_ALLOWED"


class MimeMismatch(ServiceError):
    reason = "MIME_MISMATCH"


class EmptyFile(ServiceError):
    reason = "EMPTY_FILE"


class FileTooLarge(ServiceError):
    reason = "FILE_TOO_LARGE"


class SizeMismatch(ServiceError):
    reason = "SIZE_MISMATCH"


class HashMismatch(ServiceError):
    reason = "HASH_MISMATCH"


class UploadNotFound(ServiceError):
    reason = "UPLOAD_NOT_FOUND"


class UploadIdTaken(ServiceError):
    reason = "UPLOAD_ID_TAKEN"


class UploadSpecConflict(ServiceError):
    reason = "UPLOAD_SPEC_CONFLICT"


class OffsetGap(ServiceError):
    reason = "OFFSET_GAP"


class WriterSuperseded(ServiceError):
    reason = "WRITER_SUPERSEDED"


class UploadCancelled(ServiceError):
    reason = "UPLOAD_CANCELLED"


class UploadLimitReached(ServiceError):
    reason = "UPLOAD_LIMIT_REACHED"


class AlreadyConfirmed(ServiceError):
    reason = "ALREADY_CONFIRMED"


class TokenInvalid(ServiceError):
    reason = "TOKEN_INVALID"


class TokenExpired(ServiceError):
    reason = "TOKEN_EXPIRED"


class TokenSpent(ServiceError):
    reason = "TOKEN_SPENT"


class TokenWrongPurpose(ServiceError):
    reason = "TOKEN_WRONG_PURPOSE"


class DocumentNotFound(ServiceError):
    reason = "DOCUMENT_NOT_FOUND"


class DocumentNotConfirmed(ServiceError):
    reason = "DOCUMENT_NOT_CONFIRMED"


class DocumentDeleted(ServiceError):
    reason = "DOCUMENT_DELETED"


class DocumentInfected(ServiceError):
    reason = "DOCUMENT_INFECTED"


class DocumentCorrupt(ServiceError):
    reason = "DOCUMENT_CORRUPT"


class ModifiedCopyNotFound(ServiceError):
    reason = "MODIFIED_COPY_NOT_FOUND"


class RangeNotSatisfiable(ServiceError):
    reason = "RANGE_NOT_SATISFIABLE"


class ContentChanged(ServiceError):
    reason = "CONTENT_CHANGED"


class NotAnImage(ServiceError):
    reason = "NOT_AN_IMAGE"


class NotAPdf(ServiceError):
    reason = "NOT_A_PDF"


class PostProcessingNotFound(ServiceError):
    reason = "POST_PROCESSING_NOT_FOUND"


class TypeNotConvertible(ServiceError):
    reason = "TYPE_NOT_CONVERTIBLE"


class MergeInputNotPdf(ServiceError):
    reason = "MERGE_INPUT_NOT_PDF"


class PasswordRequired(ServiceError):
    reason = "PASSWORD_REQUIRED"


class DocumentUnreadable(ServiceError):
    reason = "DOCUMENT_UNREADABLE"


class ProcessingTooLarge(ServiceError):
    reason = "PROCESSING_TOO_LARGE"


class ProcessingTimedOut(ServiceError):
    reason = "PROCESSING_TIMED_OUT"


class ConverterMissing(ServiceError):
    reason = "CONVERTER_MISSING"


class EngineCrashed(ServiceError):
    reason = "ENGINE_CRASHED"


class AttemptsExhausted(ServiceError):
    reason = "ATTEMPTS_EXHAUSTED"


class LeaseLost(ServiceError):
    reason = "LEASE_LOST"


class StorageFull(ServiceError):
    reason = "STORAGE_FULL"


class StorageUnavailable(ServiceError):
    reason = "STORAGE_UNAVAILABLE"


class DatabaseUnavailable(ServiceError):
    reason = "DATABASE_UNAVAILABLE"


class ServerOverloaded(ServiceError):
    reason = "SERVER_OVERLOADED"


class ShuttingDown(ServiceError):
    reason = "SHUTTING_DOWN"


class InternalError(ServiceError):
    reason = "INTERNAL"


def error_for(reason: str, message: str, **metadata: Any) -> ServiceError:
    """Returns the refusal with this reason; ``InternalError`` for one that the server never gives itself."""
    classes = {cls.reason: cls for cls in ServiceError.__subclasses__()}
    return classes.get(reason, InternalError)(message, **metadata)
