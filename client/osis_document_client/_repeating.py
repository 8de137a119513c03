"""Calls that are safe to repeat, made again while nobody answers."""

from __future__ import annotations

from typing import Protocol, TypeVar

from ._backoff import Deadline, Tries
from ._errors import Unavailable
from ._rpcs import Rpcs

_Request = TypeVar("_Request", contravariant=True)
_Response = TypeVar("_Response", covariant=True)


class Rpc(Protocol[_Request, _Response]):
    """An rpc without streams."""

    def __call__(self, request: _Request, /, *, timeout: float | None) -> _Response:
        """Makes one call, with a deadline of so many seconds."""


def repeat(client: Rpcs, rpc: Rpc[_Request, _Response], request: _Request) -> _Response:
    """Makes a call, again while nobody answers. All tries and the pauses between them share the deadline that a call has.

    Raises:
        ServiceError: the service refused, or nobody answered in any of the tries (`Unavailable`) or in time (`DeadlineExceeded`).
    """
    deadline = Deadline(client.config.timeout_seconds)
    tries = Tries(client.backoff, deadline=deadline)
    while True:
        try:
            return rpc(request, timeout=deadline.remaining_seconds())
        except Unavailable as exc:
            if not tries.pause(exc):
                raise
