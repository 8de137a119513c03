"""Refusals as gRPC statuses. The only module that knows status codes."""

from dataclasses import dataclass
from typing import NoReturn

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from osis_document_server.errors import ServiceError

#: ``ErrorInfo.domain`` of every error.
DOMAIN = "document.osis"

#: Longest value in an ``ErrorInfo``, and longest message, in bytes as UTF-8: details must stay far below the 8 KiB that HTTP/2
#: peers allow for all headers together (grpc/grpc#37852).
_VALUE_LIMIT = 200
_MESSAGE_LIMIT = 900

#: The status code of each reason; the contract's ``ErrorReason`` says the same in its comments.
CODES: dict[str, int] = {
    "ARGUMENT_INVALID": code_pb2.INVALID_ARGUMENT,
    "API_KEY_MISSING": code_pb2.UNAUTHENTICATED,
    "API_KEY_INVALID": code_pb2.UNAUTHENTICATED,
    "ROLE_NOT_ALLOWED": code_pb2.PERMISSION_DENIED,
    "REQUEST_ID_CONFLICT": code_pb2.ALREADY_EXISTS,
    "BATCH_TOO_LARGE": code_pb2.INVALID_ARGUMENT,
    "NOT_IMPLEMENTED": code_pb2.UNIMPLEMENTED,
    "NAME_INVALID": code_pb2.INVALID_ARGUMENT,
    "PATH_INVALID": code_pb2.INVALID_ARGUMENT,
    "METADATA_INVALID": code_pb2.INVALID_ARGUMENT,
    "EXTENSION_NOT_ALLOWED": code_pb2.INVALID_ARGUMENT,
    "MIME_MISMATCH": code_pb2.INVALID_ARGUMENT,
    "EMPTY_FILE": code_pb2.INVALID_ARGUMENT,
    "FILE_TOO_LARGE": code_pb2.INVALID_ARGUMENT,
    "SIZE_MISMATCH": code_pb2.INVALID_ARGUMENT,
    "HASH_MISMATCH": code_pb2.INVALID_ARGUMENT,
    "UPLOAD_NOT_FOUND": code_pb2.NOT_FOUND,
    "UPLOAD_ID_TAKEN": code_pb2.ALREADY_EXISTS,
    "UPLOAD_SPEC_CONFLICT": code_pb2.FAILED_PRECONDITION,
    "OFFSET_GAP": code_pb2.OUT_OF_RANGE,
    "WRITER_SUPERSEDED": code_pb2.ABORTED,
    "UPLOAD_CANCELLED": code_pb2.ABORTED,
    "ALREADY_CONFIRMED": code_pb2.FAILED_PRECONDITION,
    "UPLOAD_LIMIT_REACHED": code_pb2.RESOURCE_EXHAUSTED,
    "TOKEN_INVALID": code_pb2.UNAUTHENTICATED,
    "TOKEN_EXPIRED": code_pb2.UNAUTHENTICATED,
    "TOKEN_SPENT": code_pb2.FAILED_PRECONDITION,
    "TOKEN_WRONG_PURPOSE": code_pb2.PERMISSION_DENIED,
    "DOCUMENT_NOT_FOUND": code_pb2.NOT_FOUND,
    "DOCUMENT_NOT_CONFIRMED": code_pb2.FAILED_PRECONDITION,
    "DOCUMENT_DELETED": code_pb2.FAILED_PRECONDITION,
    "DOCUMENT_INFECTED": code_pb2.FAILED_PRECONDITION,
    "DOCUMENT_CORRUPT": code_pb2.DATA_LOSS,
    "MODIFIED_COPY_NOT_FOUND": code_pb2.NOT_FOUND,
    "RANGE_NOT_SATISFIABLE": code_pb2.OUT_OF_RANGE,
    "CONTENT_CHANGED": code_pb2.FAILED_PRECONDITION,
    "NOT_AN_IMAGE": code_pb2.FAILED_PRECONDITION,
    "NOT_A_PDF": code_pb2.FAILED_PRECONDITION,
    "POST_PROCESSING_NOT_FOUND": code_pb2.NOT_FOUND,
    "TYPE_NOT_CONVERTIBLE": code_pb2.FAILED_PRECONDITION,
    "MERGE_INPUT_NOT_PDF": code_pb2.FAILED_PRECONDITION,
    "PASSWORD_REQUIRED": code_pb2.FAILED_PRECONDITION,
    "DOCUMENT_UNREADABLE": code_pb2.FAILED_PRECONDITION,
    "PROCESSING_TOO_LARGE": code_pb2.FAILED_PRECONDITION,
    "PROCESSING_TIMED_OUT": code_pb2.DEADLINE_EXCEEDED,
    "CONVERTER_MISSING": code_pb2.FAILED_PRECONDITION,
    "ENGINE_CRASHED": code_pb2.INTERNAL,
    "ATTEMPTS_EXHAUSTED": code_pb2.FAILED_PRECONDITION,
    "LEASE_LOST": code_pb2.ABORTED,
    "STORAGE_FULL": code_pb2.RESOURCE_EXHAUSTED,
    "STORAGE_UNAVAILABLE": code_pb2.UNAVAILABLE,
    "DATABASE_UNAVAILABLE": code_pb2.UNAVAILABLE,
    "SERVER_OVERLOADED": code_pb2.RESOURCE_EXHAUSTED,
    "SHUTTING_DOWN": code_pb2.UNAVAILABLE,
    "INTERNAL": code_pb2.INTERNAL,
}


def to_status(error: ServiceError) -> status_pb2.Status:
    """Returns the status of a refusal: code, message, and its details."""
    status = status_pb2.Status(code=CODES[error.reason], message=_cut(error.message, _MESSAGE_LIMIT))
    metadata = {key: _cut(value, _VALUE_LIMIT) for key, value in error.metadata.items()}
    if error.field:
        metadata.setdefault("field", error.field)
    details = [error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)]
    if error.field:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field, description=_cut(error.message, _VALUE_LIMIT * 2)
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if error.retry_after_seconds is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(error.retry_after_seconds * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def code_of(error: ServiceError) -> str:
    """Returns the name of a refusal's status code."""
    name: str = code_pb2.Code.Name(CODES[error.reason])
    return name


def abort(context: grpc.ServicerContext, error: ServiceError) -> NoReturn:
    """Ends a call with a refusal; what was set as trailing metadata before stays."""
    status = rpc_status.to_status(to_status(error))
    metadata = (*(context.trailing_metadata() or ()), *status.trailing_metadata)
    context.abort_with_status(_Status(code=status.code, details=status.details, trailing_metadata=metadata))
    raise AssertionError("abort_with_status always raises")


@dataclass(frozen=True)
class _Status(grpc.Status):
    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, str | bytes], ...]


def _cut(text: str, limit_bytes: int) -> str:
    encoded = text.encode()
    return text if len(encoded) <= limit_bytes else encoded[: limit_bytes - 3].decode(errors="ignore") + "…"
