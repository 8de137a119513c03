"""Ends calls whose other side has gone quiet.

A handler that waits for a client's next message, or for a client to take one, waits for ever if the client never does, and keeps
its thread. So each wait is known here, and a thread cancels the calls that have waited too long. Clients resume them.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import grpc
import structlog

from osis_document_server.operation.repeating import repeat
from osis_document_server.rpc.messages import Received

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

#: Whoever sends less than this in the idle time counts as quiet, or a byte now and then would hold a thread for ever.
_TRICKLE_BYTES = 16 * 1024
#: How long the one message of a call may take that has but one: clients send it together with the call.
_FIRST_SECONDS = 10.0
#: When more calls than this wait for theirs at once …
_MANY_OPEN = 64
#: … somebody opens calls and says nothing, and it may take no longer than this.
_FIRST_SECONDS_OF_MANY = 1.0
#: Seconds between two looks at who waits.
_LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class _Wait:
    since: float
    #: Whether it is for the one message of a call that has but one.
    first: bool = False


class Reaper:
    """Follows calls.

    Args:
        idle_seconds: how long a client may send nothing, or take nothing.
    """

    def __init__(self, *, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._waits: dict[grpc.ServicerContext, _Wait] = {}
        self._stop = repeat(self._look, name="reaper", every_seconds=min(_LOOK_SECONDS, idle_seconds / 4))

    def request(self, messages: Iterator[Received], context: grpc.ServicerContext) -> Received | None:
        """Returns the message of a call that has but one; None when it ends without."""
        self._waits[context] = _Wait(time.monotonic(), first=True)
        try:
            return next(messages, None)
        finally:
            self._waits.pop(context, None)

    def requests(self, messages: Iterable[Received], context: grpc.ServicerContext) -> Iterator[Received]:
        """Yields a client's messages, each wait for the next one limited."""
        iterator = iter(messages)
        quiet_seconds, brought = 0.0, 0
        while True:
            began = time.monotonic()
            self._waits[context] = _Wait(began - quiet_seconds)
            try:
                message = next(iterator)
            except StopIteration:
                return
            finally:
                self._waits.pop(context, None)
            quiet_seconds += time.monotonic() - began
            brought += message.size_bytes
            if brought >= _TRICKLE_BYTES:
                quiet_seconds, brought = 0.0, 0
            yield message

    def responses(self, messages: Iterable[_T], context: grpc.ServicerContext) -> Iterator[_T]:
        """Yields messages for a client, each wait for it to take one limited."""
        for message in messages:
            self._waits[context] = _Wait(time.monotonic())
            try:
                yield message
            finally:
                self._waits.pop(context, None)

    def stop(self) -> None:
        """Ends the thread."""
        self._stop()

    def _look(self) -> None:
        # A copy is made in one step; while a list of the items is made, Python may collect garbage, and other threads add theirs.
        waits = self._waits.copy()
        many = sum(wait.first for wait in waits.values()) > _MANY_OPEN
        first_seconds = min(self._idle_seconds, _FIRST_SECONDS_OF_MANY if many else _FIRST_SECONDS)
        now = time.monotonic()
        for context, wait in waits.items():
            limit = first_seconds if wait.first else self._idle_seconds
            if now - wait.since > limit and self._waits.pop(context, None) is not None:
                context.cancel()  # type: ignore[no-untyped-call]
                _log.info("call cancelled: its client has gone quiet", peer=context.peer(), idle_seconds=limit)
