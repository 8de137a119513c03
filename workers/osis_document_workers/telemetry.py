"""What a worker tells of its tasks: a line in the log for each that ends, and the same to whoever counts."""

import time
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

import structlog

from osis.document.v1 import worker_service_pb2
from osis_document_client import LeaseLost, OsisDocumentError

_log = structlog.get_logger(__name__)

#: So many of a task's documents stand in its line; a merge may have a thousand.
_DOCUMENTS_TOLD = 20


class Outcome(StrEnum):
    """How a worker's work on a task ended."""

    DONE = "done"
    #: The service was told why.
    FAILED = "failed"
    #: The worker stops; another may have the task at once.
    GIVEN_BACK = "given_back"
    #: Nothing was reported: the job was cancelled, the lease was taken away, or the service did not answer.
    LOST = "lost"


class Collector(Protocol):
    """Counts tasks. Types are the names of actors, reasons those of the contract's ``ErrorReason``."""

    def begun(self, task_type: str) -> None:
        """A task was leased."""

    def ended(self, task_type: str, *, outcome: Outcome, reason: str, seconds: float) -> None:
        """The work on it ended after so many seconds; ``reason`` is empty unless it failed."""


_collectors: list[Collector] = []


def collect_with(collector: Collector) -> None:
    """Has ``collector`` told of every task that this process begins from now on."""
    _collectors.append(collector)


class TaskAccount:
    """The account of one task, from ``__enter__``, right after it was leased, to ``__exit__``, when all of it was reported.

    Whoever works on it says how it ended by calling one of the methods. If nobody did, it was lost.
    """

    def __init__(self, task: worker_service_pb2.Task) -> None:
        self._type = task.WhichOneof("action") or "unknown"
        documents = dict.fromkeys(item.document.id for item in task.inputs)
        self._log = _log.bind(
            task_id=task.task_id,
            job_id=task.post_processing_id,
            type=self._type,
            attempt=task.attempt,
            documents=len(documents),
            document_ids=list(documents)[:_DOCUMENTS_TOLD],
        )
        self._outcome = Outcome.LOST
        self._reason = ""
        self._more: dict[str, str] = {}
        self._started = 0.0

    def done(self, output_id: str) -> None:
        """It is done; ``output_id`` is the document that was made."""
        self._outcome, self._more = Outcome.DONE, {"output_id": output_id}

    def failed(self, reason: str, message: str) -> None:
        """It failed, and the service knows why: ``reason`` is a name of the contract's ``ErrorReason``."""
        self._outcome, self._reason, self._more = Outcome.FAILED, reason, {"reason": reason, "message": message}

    def given_back(self) -> None:
        """It was given back, because the worker stops."""
        self._outcome = Outcome.GIVEN_BACK

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        for collector in _collectors:
            collector.begun(self._type)
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        seconds = time.monotonic() - self._started
        if exc is not None:
            self._outcome, self._reason, self._more = Outcome.LOST, "", {"why": _why(exc)}
        for collector in _collectors:
            collector.ended(self._type, outcome=self._outcome, reason=self._reason, seconds=seconds)
        tell = self._log.info if exc is None or isinstance(exc, LeaseLost) else self._log.warning
        tell("task", outcome=str(self._outcome), seconds=round(seconds, 3), **self._more)


def _why(exc: BaseException) -> str:
    """What made a report impossible. The texts of other errors than the service's are not known to hold no secret."""
    if isinstance(exc, LeaseLost):
        return "the lease was taken away; what was made is dropped"
    return str(exc) if isinstance(exc, OsisDocumentError) else type(exc).__name__
