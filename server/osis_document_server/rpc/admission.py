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

    The defaults are for 1,000 slow uploads beside a normal load. Waiters are streams too and count as both.
    """

    streams: int = 1088
    waiters: int = 256
    calls: int = 160
    #: Of the spare threads.
    reflections: int = 16
    #: They keep no thread.
    health_watches: int = 1024
    #: Threads that are left for health checks, for refusals and for reflection.
    spare: int = 32

    @property
    def threads(self) -> int:
        """Threads that serve it: one for each call that is let in, and the spare ones."""
        return self.streams + self.calls + self.spare


@dataclass
class _Gauge:
    limit: int
    used: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, kind: Kind) -> None:
        with self.lock:
            if self.used >= self.limit:
                raise ServerOverloaded(
                    f"{self.limit} {kind.value} are under way, which is all this server admits. Try again shortly.",
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

    @contextmanager
    def admit(self, kind: Kind) -> Iterator[None]:
        """Lets a call in for the time of a ``with`` block.

        Raises:
            ServerOverloaded: as many as allowed are in.
        """
        entered: list[_Gauge] = []
        try:
            for gauge in self._gauges[kind]:
                gauge.enter(kind)
                entered.append(gauge)
            yield
        finally:
            for gauge in entered:
                gauge.leave()
