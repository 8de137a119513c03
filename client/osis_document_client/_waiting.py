"""Calls that wait for a worker, for longer than one call may take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ._backoff import Backoff, Deadline, Tries, is_transient
from ._errors import DeadlineExceeded, ServiceError

#: No call waits longer, whatever deadline calls have: far less than the service's own limit, which it reports as a failure.
_LONGEST_CALL_SECONDS = 60.0

_T = TypeVar("_T")


def wait_for_outcome(
    call: Callable[[float], _T], *, request_id: str, call_seconds: float, backoff: Backoff, deadline: Deadline
) -> _T:
    """Makes a call, which its request id makes safe to repeat, until there is an outcome.

    Args:
        call: makes the call with a deadline of so many seconds.
        request_id: what the call sends, for the error.
        call_seconds: how long one call may wait.
        backoff: how it is tried again while nobody answers.
        deadline: until when it is called again.

    Raises:
        DeadlineExceeded: there was no outcome in time; `metadata["request_id"]` fetches it later.
        ServiceError: the outcome, or nobody answered in any of the tries.
    """
    tries = Tries(backoff, deadline=deadline)
    call_seconds = min(call_seconds, _LONGEST_CALL_SECONDS)
    while True:
        remaining = deadline.remaining_seconds()
        try:
            return call(call_seconds if remaining is None else min(call_seconds, remaining))
        except ServiceError as exc:
            if not is_transient(exc):
                raise
            if deadline.remaining_seconds() == 0:
                raise DeadlineExceeded(
                    f"there is no outcome yet; it goes on, and the same call with the request id {request_id} fetches it",
                    metadata={"request_id": request_id},
                ) from exc
            if isinstance(exc, DeadlineExceeded):
                tries.got_on()  # the service is there, and a worker is at it
            elif not tries.pause(exc):
                raise
