"""How often, and after which pauses, something that failed for a passing reason is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import grpc

from ._errors import Cancelled, ClientClosed, DeadlineExceeded, ServiceError, Unavailable
from ._lifetime import Lifetime

#: Without a reason of the service, these come from the transport: a reset stream, a proxy, a connection that went away.
_TRANSPORT_CODES = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}


def is_transient(error: ServiceError) -> bool:
    """True when nothing is wrong with the call itself, so that going on where it stopped may succeed."""
    if isinstance(error, ClientClosed):
        return False
    return isinstance(error, Unavailable | Cancelled | DeadlineExceeded) or (not error.reason and error.code in _TRANSPORT_CODES)


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Doubling pauses with jitter; after `attempts` tries in a row that got nowhere, it is given up."""

    attempts: int = 6
    """How many tries may get nowhere one after the other, the first included."""

    initial_seconds: float = 0.25
    """About how long the first pause is. Half of it is left to chance, so that many clients do not return at once."""

    maximum_seconds: float = 5.0
    """No pause is longer, unless the service asks for it."""

    sleep: Callable[[float], object] | None = None
    """Pauses for that many seconds. By default a pause ends as soon as the client is closed."""

    jitter: Callable[[], float] = random.random
    """Answers a number from 0 up to 1."""

    def pause(self, seconds: float) -> None:
        """Pauses for that many seconds."""
        (self.sleep or time.sleep)(seconds)

    def require_open(self) -> None:
        """Raises `ClientClosed` if it is that of a client which is closed."""


@dataclass(frozen=True, kw_only=True)
class ClientBackoff(Backoff):
    """That of a client: when it is closed there is no further try."""

    lifetime: Lifetime
    """The client's."""

    def pause(self, seconds: float) -> None:
        """Pauses for that many seconds, or until the client is closed; then it raises `ClientClosed`."""
        (self.sleep or self.lifetime.pause)(seconds)
        self.require_open()

    def require_open(self) -> None:
        """Raises `ClientClosed` once the client is closed."""
        self.lifetime.require_open()


class Deadline:
    """A point in time by which something as a whole must be done."""

    def __init__(self, timeout_seconds: float | None) -> None:
        self._end = None if timeout_seconds is None else time.monotonic() + timeout_seconds

    def remaining_seconds(self) -> float | None:
        """How long is left, at least 0; None without a limit."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())


class Tries:
    """Counts the tries of one operation that got nowhere, and pauses between them."""

    def __init__(self, backoff: Backoff, *, deadline: Deadline) -> None:
        self._backoff = backoff
        self._deadline = deadline
        self._fruitless = 0

    def got_on(self) -> None:
        """Notes that the last try moved something: the count starts again."""
        self._fruitless = 0

    def pause(self, error: ServiceError | None) -> bool:
        """Pauses before the next try.

        Args:
            error: what ended the last one, if it was an error. A time to wait that the service asked for is respected.

        Returns:
            False, without a pause, when there is to be no next try.

        Raises:
            ClientClosed: the client was closed, before or meanwhile.
        """
        self._backoff.require_open()
        self._fruitless += 1
        if self._fruitless >= self._backoff.attempts:
            return False
        seconds = min(self._backoff.maximum_seconds, self._backoff.initial_seconds * 2 ** (self._fruitless - 1))
        seconds *= 0.5 + 0.5 * self._backoff.jitter()
        if error is not None and error.retry_after_seconds is not None:
            seconds = max(seconds, error.retry_after_seconds)
        remaining = self._deadline.remaining_seconds()
        if remaining is not None and remaining <= seconds:
            return False
        self._backoff.pause(seconds)
        return True
