"""The sign of life of a worker: a file that says when it last looked at all its queues."""

import contextlib
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import dramatiq
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker

from osis_document_workers.scratch import HEARTBEAT

#: Consumers come round every tenth of a second; the file need not change as often.
_WRITE_SECONDS = 1.0


class Heartbeat:
    """A file whose time of change is the last moment before which every queue had been looked at.

    Each queue has a thread that looks at it, and tells it here. The file follows the one that was heard of the longest ago,
    so that none that hangs hides behind the others.

    Args:
        folder: where the file is to be, an existing folder of this process's own.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / HEARTBEAT
        self._path.write_text(f"{os.getpid()}\n", encoding="utf-8")
        self._seen: dict[str, float] = {}
        self._written = time.monotonic()
        self._lock = threading.Lock()

    def beat(self, queue: str) -> None:
        """Says that a queue is looked at just now. Raises nothing."""
        with self._lock:
            now = self._seen[queue] = time.monotonic()
            if now - self._written < _WRITE_SECONDS:
                return
            self._written = now
            oldest = time.time() - (now - min(self._seen.values()))
        with contextlib.suppress(OSError):  # whoever took the file away will hear that there is no worker
            os.utime(self._path, (oldest, oldest))


class WatchedBroker(RedisBroker):
    """A broker whose consumers tell a heartbeat of each round.

    Args:
        url: where Redis is.
        heartbeat: what is told.
        middleware: Dramatiq's.
    """

    def __init__(self, *, url: str, heartbeat: Heartbeat, middleware: Iterable[dramatiq.Middleware] = ()) -> None:
        super().__init__(url=url, middleware=list(middleware))  # type: ignore[no-untyped-call]
        self._heartbeat = heartbeat

    def get_declared_delay_queues(self) -> set[str]:
        """None: no message is ever delayed, and half of all looks at Redis would be for those that are."""
        return set()

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Begins to take messages; Dramatiq does so again after each failure, which is a sign of life as well."""
        self._heartbeat.beat(queue_name)
        return _Watched(super().consume(queue_name, prefetch, timeout), self._heartbeat, queue_name)


class _Watched(Consumer):
    """A consumer that tells a heartbeat before each look at its queue, and leaves the rest to the real one."""

    def __init__(self, consumer: Consumer, heartbeat: Heartbeat, queue: str) -> None:
        self._consumer = consumer
        self._heartbeat = heartbeat
        self._queue = queue

    def __next__(self) -> MessageProxy | None:
        self._heartbeat.beat(self._queue)
        return next(self._consumer)

    def ack(self, message: MessageProxy) -> None:
        self._consumer.ack(message)

    def nack(self, message: MessageProxy) -> None:
        self._consumer.nack(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        self._consumer.requeue(messages)

    def close(self) -> None:
        self._consumer.close()
