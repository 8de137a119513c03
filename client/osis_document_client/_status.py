"""Translation of a failed gRPC call into the library's error for it."""

from __future__ import annotations

from typing import cast

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from ._errors import ServiceError, service_error

#: The `domain` of every `ErrorInfo` of the service.
ERROR_DOMAIN = "document.osis"


def error_from_call(error: grpc.RpcError, *, target: str, timeout_seconds: float | None = None) -> ServiceError:
    """Makes a typed error of what gRPC raised.

    Args:
        error: what gRPC raised.
        target: the address that was called, for the message.
        timeout_seconds: the call's deadline, for the message.

    Returns:
        The error; it is not raised.
    """
    call = cast("grpc.Call", error)  # what gRPC raises is the call itself, but its types do not say so
    code = call.code()
    details = call.details() or ""
    reason = ""
    metadata: dict[str, str] = {}
    retry_after_seconds: float | None = None
    violations: tuple[error_details_pb2.BadRequest.FieldViolation, ...] = ()
    for detail in _details(call):
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            if info.domain == ERROR_DOMAIN:
                reason, metadata = info.reason, dict(info.metadata)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            retry_after_seconds = retry.retry_delay.ToTimedelta().total_seconds()
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            request = error_details_pb2.BadRequest()
            detail.Unpack(request)
            violations = tuple(request.field_violations)
    return service_error(
        reason,
        message=details if reason else _message(code, details, target=target, timeout_seconds=timeout_seconds),
        code=code,
        metadata=metadata,
        retry_after_seconds=retry_after_seconds,
        field_violations=violations,
    )


def _details(call: grpc.Call) -> list[Any]:
    try:
        status = rpc_status.from_call(call)
    except ValueError:  # details that belong to another status: a proxy between us and the service changed one of the two
        return []
    return list(status.details) if status is not None else []


def _message(code: grpc.StatusCode, details: str, *, target: str, timeout_seconds: float | None) -> str:
    """Says what a bare status code means here and what to do about it."""
    match code:
        case grpc.StatusCode.UNAVAILABLE:
            if any(word in details for word in ("andshak", "SSL", "erification")):
                advice = "check OSIS_DOCUMENT_CLIENT_TLS_CA, _CERT and _KEY against the service's certificate"
            else:
                advice = (
                    "start one with `osis-document-server serve` or set OSIS_DOCUMENT_TARGET, "
                    "and OSIS_DOCUMENT_CLIENT_TLS_CA if it takes encrypted connections alone"
                )
            return f"no service answers at {target} ({details or 'no details'}); {advice}"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            within = f"within {round(timeout_seconds, 2):g} seconds" if timeout_seconds is not None else "in time"
            return f"{target} did not answer {within}; ask again, or allow more with `timeout=` (`--timeout`)"
        case grpc.StatusCode.CANCELLED:
            return f"the call to {target} was cancelled ({details or 'no details'})"
        case grpc.StatusCode.UNIMPLEMENTED:
            return f"the service at {target} does not know this rpc ({details or 'no details'}); it may be older than this client"
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            return f"{target} refused the call: {details or code.name}; check OSIS_DOCUMENT_API_KEY"
        case _:
            return f"{target} answered {code.name}: {details or 'no details'}"
