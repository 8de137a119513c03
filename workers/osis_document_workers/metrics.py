"""Numbers for Prometheus: what a worker did, and how long it took."""

import time

import dramatiq
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector, start_http_server

from osis_document_workers.actors import ACTORS
from osis_document_workers.telemetry import Outcome

#: From a rotation's few hundredths of a second to the longest that an engine may take, and a large document's transfer.
_TASK_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300)
_QUEUE_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800)


class TaskMetrics:
    """A ``telemetry.Collector``. Labels are types, outcomes and reasons, of which there are few; never names, ids or tokens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "osis_document_worker_tasks",
            "Tasks that ended: done, failed (with the reason), given_back or lost.",
            ["type", "outcome", "reason"],
            registry=registry,
        )
        self._seconds = Histogram(
            "osis_document_worker_task_seconds",
            "Seconds from a task's lease to its report, the documents' transfer included.",
            ["type"],
            buckets=_TASK_SECONDS,
            registry=registry,
        )
        self._in_progress = Gauge(
            "osis_document_worker_tasks_in_progress", "Tasks that are being worked on.", ["type"], registry=registry
        )
        for name in ACTORS:  # what has not happened yet is 0, and not unknown
            self._ended.labels(name, Outcome.DONE, "")
            self._seconds.labels(name)
            self._in_progress.labels(name)

    def begun(self, task_type: str) -> None:
        """Counts a task as being worked on."""
        self._in_progress.labels(task_type).inc()

    def ended(self, task_type: str, *, outcome: Outcome, reason: str, seconds: float) -> None:
        """Counts a task as ended."""
        self._in_progress.labels(task_type).dec()
        self._ended.labels(task_type, outcome, reason).inc()
        self._seconds.labels(task_type).observe(seconds)


class QueueTime(dramatiq.Middleware):
    """Measures how long messages wait, by the clocks of the service's host, which sends them, and of this one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "osis_document_worker_queue_seconds",
            "Seconds from when a message was sent to when a slot took it.",
            ["queue"],
            buckets=_QUEUE_SECONDS,
            registry=registry,
        )

    def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:  # noqa: ARG002 -- Dramatiq's
        """Takes down how long a message has waited."""
        self._seconds.labels(message.queue_name).observe(max(0.0, time.time() - message.message_timestamp / 1000))


def make_registry() -> CollectorRegistry:
    """Returns a registry with what can be told of this process: memory, processor time, open files."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


def serve(registry: CollectorRegistry, host: str, port: int) -> int:
    """Answers ``GET /metrics`` from a thread, until the process ends. Returns the port, which was chosen if 0 was asked for.

    Raises:
        OSError: the address cannot be listened on.
    """
    server, _ = start_http_server(port, addr=host, registry=registry)
    return int(server.server_port)
