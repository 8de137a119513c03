"""What a refused call says, read from the wire and held against the contract."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

DOMAIN = "document.osis"

_REASONS = Path(__file__).parents[2] / "protos/osis/document/v1/error_reason.proto"


@dataclass(frozen=True)
class Refusal:
    """The status of a call that was refused, with its details."""

    code: str
    reason: str
    message: str
    metadata: Mapping[str, str]
    retry_after_seconds: float | None
    fields: Mapping[str, str]


@cache
def documented_codes() -> dict[str, str]:
    """The status code of each reason, as its comment in the contract has it."""
    text = _REASONS.read_text(encoding="utf-8")
    return {reason: code for code, reason in re.findall(r"// Code ([A-Z_]+)\..*(?:\n\s*//.*)*\n\s*ERROR_REASON_(\w+) =", text)}


def refusal_of(error: grpc.RpcError) -> Refusal:
    """Reads an error's status and details.

    Raises:
        AssertionError: it has no details, or not exactly one `ErrorInfo` of the service's domain.
    """
    status = rpc_status.from_call(error)
    assert status is not None, f"no details: {error.code()}: {error.details()}"
    infos, retries, bad_requests = [], [], []
    for detail in status.details:
        for kind, found in ((ErrorInfo, infos), (RetryInfo, retries), (BadRequest, bad_requests)):
            if detail.Is(kind.DESCRIPTOR):
                message = kind()
                detail.Unpack(message)
                found.append(message)
    [info] = infos
    assert info.domain == DOMAIN
    return Refusal(
        code=error.code().name,
        reason=info.reason,
        message=status.message,
        metadata=dict(info.metadata),
        retry_after_seconds=retries[0].retry_delay.ToTimedelta().total_seconds() if retries else None,
        fields={field.field: field.description for each in bad_requests for field in each.field_violations},
    )


def expect_refusal(reason: str, call: Callable[..., Any], *arguments: Any, **keywords: Any) -> Refusal:
    """Makes a call, to its end if it answers a stream, and returns how it was refused.

    Asserts that the reason is the one expected, with the status code that the contract gives it, and that there is a message.
    """
    try:
        answer = call(*arguments, **keywords)
        if isinstance(answer, grpc.Call):
            answer = list(answer)
    except grpc.RpcError as exc:
        refusal = refusal_of(exc)
    else:
        pytest.fail(f"not refused with {reason}, but answered: {str(answer)[:500]}")
    assert refusal.reason == reason, refusal
    assert refusal.code == documented_codes()[reason], refusal
    assert len(refusal.message) > 10, refusal
    return refusal
