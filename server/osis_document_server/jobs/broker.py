"""Sends tasks to workers as Dramatiq messages.

A message carries the task's id and nothing else. It may be lost, doubled or late: the worker asks the service what there is
to do.
"""

import re
from uuid import UUID

import dramatiq
from dramatiq.brokers.stub import StubBroker

from osis_document_server.domain.jobs import TaskType

#: The queue of what somebody is waiting for in front of a screen: short, and never behind a long conversion.
INTERACTIVE = "interactive"

#: Queue, and name of the actor that listens to it, by what is to be done. Part of the agreement with the workers.
ACTORS = {
    TaskType.CONVERT: ("convert", "convert"),
    TaskType.MERGE: ("merge", "merge"),
    TaskType.ROTATE: (INTERACTIVE, "rotate"),
    TaskType.EDIT: (INTERACTIVE, "edit"),
}


class UnsupportedBrokerError(ValueError):
    """The URL names a broker that the service cannot use."""


def open_broker(url: str) -> dramatiq.Broker:
    """Returns the broker at ``url``: ``memory://`` (this process alone), or ``redis://host:port/db`` (also ``rediss://``, ``unix://``).

    Raises:
        UnsupportedBrokerError: for any other URL.
    """
    if url == "memory://":
        # The middleware of the embedded worker is added by the worker; the server sends only.
        broker: dramatiq.Broker = StubBroker(middleware=[])
    elif url.startswith(("redis://", "rediss://", "unix://")):
        from dramatiq.brokers.redis import RedisBroker  # a fifth of all that a start imports, and not needed without Redis

        broker = RedisBroker(  # type: ignore[no-untyped-call]
            url=url, middleware=[], socket_connect_timeout=2, socket_timeout=10
        )
    else:
        shown = re.sub("//.*@", "//…@", url)  # without a password
        raise UnsupportedBrokerError(f"{shown!r} names no broker; write memory:// or redis://host:6379/0")
    for queue, _ in ACTORS.values():
        broker.declare_queue(queue)
    return broker


class TaskQueue:
    """The workers' queue, as the use cases see it."""

    def __init__(self, broker: dramatiq.Broker) -> None:
        self._broker = broker

    def send(self, task_id: UUID, task_type: TaskType) -> None:
        """Tells the workers that a task is waiting.

        Raises:
            Exception: whatever the broker raises when it cannot be reached; the task stays in the database and is sent again.
        """
        queue, actor = ACTORS[task_type]
        self._broker.enqueue(
            dramatiq.Message(queue_name=queue, actor_name=actor, args=(str(task_id),), kwargs={}, options={"max_retries": 0})
        )
