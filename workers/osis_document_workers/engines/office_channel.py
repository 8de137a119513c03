"""Our end of the socket pair to a warm LibreOffice; what goes over it is told in `office_server`."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import EngineCancelledError

#: How often a wait looks at its `cancelled` event; an answer is seen at once.
CANCEL_POLL_SECONDS = 0.1
#: Less processor time than this between two signs of life is none: the sign itself takes some.
_PROGRESS_CPU_SECONDS = 0.01
#: A line from the process, which a document may have taken over, is not longer.
_LINE_BYTES = 64 * 1024


class WarmFailureError(Exception):
    """The instance did not convert the document, which need not be the document's fault: the cold way may. For the log."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long an instance may be silent, in seconds.

    Attributes:
        start: until it is ready. Measured: 1.6 s, on two busy cores 2.7 s.
        answer: from a request to the first sign of life.
        stall: during a conversion, without a sign of life or without use of the processor.
    """

    start: float = 60.0
    answer: float = 5.0
    stall: float = 15.0


class Channel:
    """Sends requests and waits for answers.

    Args:
        connected: the socket; closed by whoever made it.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._received = b""

    def send(self, request: Mapping[str, Any]) -> None:
        """Sends a request.

        Raises:
            WarmFailureError: the process has gone.
        """
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as exc:
            raise WarmFailureError(f"the process has gone: {exc}") from exc

    def receive(
        self, *, deadline: float, answer_seconds: float, stall_seconds: float, cancelled: threading.Event | None
    ) -> dict[str, Any]:
        """Waits for a message that is more than a sign of life.

        Args:
            deadline: monotonic seconds.
            answer_seconds: how long the first sign of life may take.
            stall_seconds: how long one that shows progress may take after that.
            cancelled: ends the wait when set.

        Raises:
            TimeoutError: `deadline` has passed.
            EOFError: the process has ended.
            WarmFailureError: it hangs, or says what it cannot mean.
            EngineCancelledError: `cancelled` was set.
        """
        patient_until = time.monotonic() + answer_seconds
        cpu_seconds = float("-inf")
        while True:
            line = self._line(until=min(deadline, patient_until), cancelled=cancelled)
            if line is None:
                if time.monotonic() >= deadline:
                    raise TimeoutError
                raise WarmFailureError("the process hangs")
            message = _parsed(line)
            if "cpu_seconds" not in message:
                return message
            if message["cpu_seconds"] >= cpu_seconds + _PROGRESS_CPU_SECONDS:
                cpu_seconds = message["cpu_seconds"]
                patient_until = time.monotonic() + stall_seconds

    def _line(self, *, until: float, cancelled: threading.Event | None) -> bytes | None:
        """The next line; None once `until` has passed."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while b"\n" not in self._received:
            if cancelled is not None and cancelled.is_set():
                raise EngineCancelledError("cancelled while running")
            remaining = until - time.monotonic()
            if remaining <= 0:
                return None
            if len(self._received) > _LINE_BYTES:
                raise WarmFailureError("the process sends a line without an end")
            wait_seconds = remaining if cancelled is None else min(remaining, CANCEL_POLL_SECONDS)
            if poll.poll(wait_seconds * 1000 + 1):
                self._received += self._some()
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _some(self) -> bytes:
        try:
            received = self._socket.recv(_LINE_BYTES)
        except ConnectionError as exc:
            raise EOFError from exc
        if not received:
            raise EOFError
        return received


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError as exc:
        raise WarmFailureError("the process does not send JSON") from exc
    if not isinstance(message, dict) or not isinstance(message.get("cpu_seconds", 0.0), int | float):
        raise WarmFailureError("the process sends what nobody asked for")
    return message
