"""A worker: actors, threads and a client, from start to stop."""

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import dramatiq

from osis_document_client import Client
from osis_document_workers import actors
from osis_document_workers.engines import OfficePool, SpareProcess, would_be_root
from osis_document_workers.processing import Processor
from osis_document_workers.scratch import ScratchFolder
from osis_document_workers.settings import PREFIX

#: The longest pause between two looks at a queue, in milliseconds, after which Dramatiq looks again: its broker for Redis cannot
#: wait for a message, but asks. So it is what an idle worker on Redis adds to a task's start at most. Half of it would double the
#: 3 % of a core that asking takes. In a server's own process consumers wait, and a message is taken at once.
_LOOK_MILLISECONDS = 100
#: Longest time a stopping worker waits for its threads, in milliseconds: the engines are killed at once.
_STOP_MILLISECONDS = 20_000


class RootEnginesError(Exception):
    """Engines would run as root, which nobody has allowed. The message says why, and what to do."""


@contextmanager
def _two_workers_expected(broker: dramatiq.Broker) -> Iterator[None]:
    """Keeps the broker from warning that a second worker listens on it: each has queues of its own."""

    def is_something_else(record: logging.LogRecord) -> bool:
        return "middleware of the same type twice" not in record.msg

    broker.logger.addFilter(is_something_else)
    try:
        yield
    finally:
        broker.logger.removeFilter(is_something_else)


class RunningWorker:
    """A worker that takes tasks from its queues, until it is stopped.

    Interactive tasks have threads of their own, so that nobody in front of a screen waits behind a long conversion.

    Args:
        broker: where the messages are; the actors are declared on it.
        client: connected to the service with a worker's key; closed with the worker.
        slots: tasks of the other queues that run side by side.
        interactive_slots: interactive tasks that run side by side, beside those.
        queues: some of ``actors.QUEUES``; by default all.
        scratch: an existing folder for documents while they are worked on; by default the system's.
        allow_root: whether engines may run as root if the host permits nothing else.

    Raises:
        RootEnginesError: they would, and may not.
    """

    def __init__(
        self,
        broker: dramatiq.Broker,
        client: Client,
        *,
        slots: int,
        interactive_slots: int = 1,
        queues: Iterable[str] = actors.QUEUES,
        scratch: Path | None = None,
        allow_root: bool = False,
    ) -> None:
        self._client = client
        self._scratch = ScratchFolder(scratch)
        if not allow_root:
            self._require_other_user()
        self._office = OfficePool(slots=slots, scratch=self._scratch.path)
        self._spare = SpareProcess(scratch=self._scratch.path)
        self._processor = Processor(client, scratch=self._scratch.path, office=self._office, spare=self._spare)
        actors.declare(broker, self._processor)
        interactive = set(queues) & {actors.INTERACTIVE_QUEUE}
        self._workers = [
            dramatiq.Worker(broker, queues=some, worker_threads=threads, worker_timeout=_LOOK_MILLISECONDS)
            for some, threads in ((set(queues) - interactive, slots), (interactive, interactive_slots))
            if some
        ]
        for worker in self._workers:
            # By default a busy worker holds as many messages again, which an idle one on another host could have taken.
            worker.queue_prefetch = worker.worker_threads
            with _two_workers_expected(broker):
                worker.start()

    def _require_other_user(self) -> None:
        folder = self._scratch.path
        if would_be_root(folder):
            self._scratch.remove()
            raise RootEnginesError(
                "engines, which read what users upload, would run as root: bubblewrap does not work here, and the user 'nobody' "
                f"cannot reach this program or {folder.parent}. Start it as another user, or install bubblewrap; "
                f"{PREFIX}ALLOW_ROOT_ENGINES=true has them run as root all the same, on a host that has nothing else to protect."
            )

    def stop(self) -> None:
        """Gives back what runs, then returns."""
        self._processor.stop()
        with ThreadPoolExecutor(len(self._workers)) as together:
            list(together.map(lambda worker: worker.stop(timeout=_STOP_MILLISECONDS), self._workers))
        self._office.stop()
        self._spare.stop()
        self._client.close()
        self._scratch.remove()
