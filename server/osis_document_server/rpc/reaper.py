"""Ends streams whose other side has gone quiet.

A handler that waits for a client's next message, or for a client to take one, waits for ever if the client never does, and keeps
its thread. So each wait is known here, and a thread cancels the calls that have waited too long. Clients resume them.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import grpc
import structlog

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Reaper:
    """Follows streams.

    Args:
        idle_seconds: how long a client may send nothing, or take nothing.
    """

    def __init__(self, *, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._waiting_since: dict[grpc.ServicerContext, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reaper", daemon=True)
        self._thread.start()

    def requests(self, messages: Iterable[_T], context: grpc.ServicerContext) -> Iterator[_T]:
        """Yields a client's messages, each wait for the next one limited."""
        iterator = iter(messages)
        while True:
            self._waiting_since[context] = time.monotonic()
            try:
                message = next(iterator)
            except StopIteration:
                return
            finally:
                self._waiting_since.pop(context, None)
            yield message

    def responses(self, messages: Iterable[_T], context: grpc.ServicerContext) -> Iterator[_T]:
        """Yields messages for a client, each wait for it to take one limited."""
        for message in messages:
            self._waiting_since[context] = time.monotonic()
            try:
                yield message
            finally:
                self._waiting_since.pop(context, None)

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(min(1.0, self._idle_seconds / 4)):
            limit = time.monotonic() - self._idle_seconds
            for context, since in list(self._waiting_since.items()):
                if since < limit:
                    self._waiting_since.pop(context, None)
                    _log.info("stream cancelled: its client has gone quiet", peer=context.peer(), idle_seconds=self._idle_seconds)
                    context.cancel()  # type: ignore[no-untyped-call]
