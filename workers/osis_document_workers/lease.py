"""Keeps a task's lease alive while the task is worked on."""

import threading
from types import TracebackType
from typing import Self

import structlog

from osis.document.v1 import worker_service_pb2
from osis_document_client import Client, LeaseLost, OsisDocumentError

_log = structlog.get_logger(__name__)


class Lease:
    """A lease that is extended every third of its duration, from ``__enter__`` to ``__exit__``."""

    def __init__(self, client: Client, task: worker_service_pb2.Task) -> None:
        self._client = client
        self._task = task
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{task.task_id}", daemon=True)
        #: Set when the work must stop: the lease was lost, or somebody wants it to.
        self.cancelled = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _keep(self) -> None:
        request = worker_service_pb2.ExtendLeaseRequest(lease_id=self._task.lease_id)
        every_seconds = self._task.lease_duration.ToTimedelta().total_seconds() / 3
        while not self._ended.wait(every_seconds):
            try:
                self._client.workers.ExtendLease(request, timeout=every_seconds)
            except LeaseLost:
                self.cancelled.set()
                return
            except OsisDocumentError as exc:
                task = {"task_id": self._task.task_id, "job_id": self._task.post_processing_id}
                _log.warning("the lease was not extended, trying again", **task, why=str(exc))
