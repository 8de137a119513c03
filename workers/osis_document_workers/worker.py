"""A worker: actors, threads and a client, from start to stop."""

from pathlib import Path

import dramatiq

from osis_document_client import Client
from osis_document_workers import actors
from osis_document_workers.processing import Processor

#: Longest time a stopping worker waits for its threads, in milliseconds: the engines are killed at once.
_STOP_MILLISECONDS = 20_000


class RunningWorker:
    """A worker that takes tasks from a queue, until it is stopped."""

    def __init__(
        self, broker: dramatiq.Broker, client: Client, *, slots: int, queues: set[str] | None = None, scratch: Path | None = None
    ) -> None:
        self._client = client
        self._processor = Processor(client, scratch=scratch)
        actors.declare(broker, self._processor)
        self._worker = dramatiq.Worker(broker, queues=queues, worker_threads=slots, worker_timeout=100)
        self._worker.start()

    def stop(self) -> None:
        """Gives back what runs, then returns."""
        self._processor.stop()
        self._worker.stop(timeout=_STOP_MILLISECONDS)
        self._client.close()
