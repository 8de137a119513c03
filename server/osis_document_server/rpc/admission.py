"""How many calls are let in. Past a limit a call is refused at once: queued behind others it would only time out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from osis_document_server.errors import ServerOverloaded
from osis_document_server.rpc.policy import Kind


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """How many calls of each kind are served at once.

    The defaults are for 1,000 slow uploads beside a normal load. Waiters are streams too and count as both. Calls without a key
    get half of the places at most: strangers are not to keep the service's own clients out.
    """

    streams: int = 1088
    waiters: int = 256
    calls: int = 160
    #: Threads that are left for refusals.
    spare: int = 16
    #: Threads for health checks and reflection, which take none of the others.
    tool_threads: int = 16
    reflections: int = 4
    #: They keep no thread.
    health_watches: int = 1024

    @property
    def threads(self) -> int:
        """Threads that serve calls: one for each that is let in, and the spare ones."""
        return self.streams + self.calls + self.spare


@dataclass
class _Gauge:
    limit: int
    #: Whose places they are, for the error.
    whose: str = ""
    used: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, kind: Kind) -> None:
        with self.lock:
            if self.used >= self.limit:
                raise ServerOverloaded(
                    f"{self.limit} {kind.value}{self.whose} are under way, which is all this server admits. Try again shortly.",
                    retry_after_seconds=1,
                    limit=self.limit,
                    kind=kind.value,
                )
            self.used += 1

    def leave(self) -> None:
        with self.lock:
            self.used -= 1


class Admission:
    """Counts the calls that are under way."""

    def __init__(self, capacity: Capacity) -> None:
        streams, waiters, calls = _Gauge(capacity.streams), _Gauge(capacity.waiters), _Gauge(capacity.calls)
        self._gauges = {
            Kind.STREAM: (streams,),
            Kind.WAITER: (waiters, streams),
            Kind.CALL: (calls,),
            Kind.REFLECTION: (_Gauge(capacity.reflections),),
            Kind.HEALTH_WATCH: (_Gauge(capacity.health_watches),),
        }
        self._strangers = {
            kind: _Gauge(max(1, limit // 2), " without an API key")
            for kind, limit in (
                (Kind.STREAM, capacity.streams),
                (Kind.WAITER, capacity.waiters),
                (Kind.CALL, capacity.calls),
            )
        }

    @contextmanager
    def admit(self, kind: Kind, *, stranger: bool = False) -> Iterator[None]:
        """Lets a call in for the time of a ``with`` block.

        Args:
            kind: what it keeps busy.
            stranger: whether it comes without a key, where a token may be enough.

        Raises:
            ServerOverloaded: as many as allowed are in.
        """
        entered: list[_Gauge] = []
        try:
            for gauge in (*((self._strangers[kind],) if stranger else ()), *self._gauges[kind]):
                gauge.enter(kind)
                entered.append(gauge)
            yield
        finally:
            for gauge in entered:
                gauge.leave()
