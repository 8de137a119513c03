"""The Dramatiq actors, one per kind of task."""

from collections.abc import Callable
from dataclasses import dataclass

import dramatiq

from osis_document_workers.actors import convert, edit, merge, rotate
from osis_document_workers.processing import Processor, Run

#: The queue of tasks for which somebody waits in front of a screen. They get threads of their own.
INTERACTIVE_QUEUE = "interactive"


@dataclass(frozen=True)
class Actor:
    """What an actor does, and the queue that it takes messages from."""

    queue: str
    run: Run


#: By name. Names and queues are those that the service sends to.
ACTORS = {
    "convert": Actor("convert", convert.run),
    "merge": Actor("merge", merge.run),
    "rotate": Actor(INTERACTIVE_QUEUE, rotate.run),
    "edit": Actor(INTERACTIVE_QUEUE, edit.run),
}

QUEUES = tuple(dict.fromkeys(actor.queue for actor in ACTORS.values()))


def declare(broker: dramatiq.Broker, processor: Processor) -> None:
    """Declares the actors on ``broker``; messages carry a task's id and nothing else."""
    for name, actor in ACTORS.items():
        dramatiq.actor(actor_name=name, queue_name=actor.queue, broker=broker)(_act(processor, actor.run))


def _act(processor: Processor, run: Run) -> Callable[[str], None]:
    def act(task_id: str) -> None:
        processor.process(task_id, run)

    return act
