"""The Dramatiq actors, one per kind of task, each with a queue of its own name."""

from collections.abc import Callable

import dramatiq

from osis_document_workers.actors import convert, merge
from osis_document_workers.processing import Processor, Run

#: What each actor does. The names are those of the queues that the service sends to.
RUNS: dict[str, Run] = {"convert": convert.run, "merge": merge.run}


def declare(broker: dramatiq.Broker, processor: Processor) -> None:
    """Declares the actors on ``broker``; messages carry a task's id and nothing else."""
    for name, run in RUNS.items():
        dramatiq.actor(actor_name=name, queue_name=name, broker=broker)(_actor(processor, run))


def _actor(processor: Processor, run: Run) -> Callable[[str], None]:
    def act(task_id: str) -> None:
        processor.process(task_id, run)

    return act
