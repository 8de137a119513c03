"""Calls that may be answered or refused, where either is right in its place."""

from collections.abc import Callable
from typing import Any

import grpc

from tests.support.refusals import Refusal, refusal_of

#: How a call ends that never reached the service, or lost it on the way: nothing is known of what it did.
_LOST = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}
#: The same, as grpc tells it of a stream whose connection ended in the middle of a frame.
_BROKEN_OFF = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}


def outcome_of(call: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Makes a unary call and returns its answer, or the `Refusal` if the service refuses it.

    Raises:
        grpc.RpcError: the service did not answer at all.
    """
    try:
        return call(*arguments, **keywords)
    except grpc.RpcError as exc:
        if is_lost(exc):
            raise
        return refusal_of(exc)


def reason_of(outcome: Any) -> str:
    """The reason of a refusal; empty for an answer."""
    return outcome.reason if isinstance(outcome, Refusal) else ""


def is_lost(error: grpc.RpcError) -> bool:
    """True when nothing is wrong with the call itself, so that it may be made again."""
    has_details = any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata() or ())
    return error.code() in _LOST or (error.code() in _BROKEN_OFF and not has_details)
