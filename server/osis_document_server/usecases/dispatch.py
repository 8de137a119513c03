"""Telling the workers that there is something to do.

The task's row is the truth; a message only points to it. So messages are sent after the commit, marked as sent, and sent again
when nobody has come for the task: a message may get lost without harm.
"""

from uuid import UUID

import structlog

from osis_document_server.domain.jobs import State, TaskType
from osis_document_server.jobs.broker import TaskQueue
from osis_document_server.models.database import reading, unit_of_work, unlocked
from osis_document_server.models.tables import TaskRow
from osis_document_server.usecases.service import Service

_log = structlog.get_logger(__name__)

_BATCH = 500


class Dispatcher:
    """Sends messages for tasks that wait."""

    def __init__(self, service: Service, queue: TaskQueue) -> None:
        self._service = service
        self._queue = queue

    def send_waiting(self) -> None:
        """Sends a message for every task that waits and has had none, or none for long.

        A broker that cannot be reached is logged, not raised: the tasks stay, and the next round sends for them.
        """
        while self._send_batch() == _BATCH:
            pass

    def _send_batch(self) -> int:
        now = self._service.now()
        with reading(self._service.database):
            waiting = list(
                TaskRow.select(TaskRow.id, TaskRow.type)
                .where(
                    TaskRow.state == State.PENDING,
                    TaskRow.ready,
                    TaskRow.sent_at.is_null() | (TaskRow.sent_at < now - self._service.limits.resend_after),
                )
                .limit(_BATCH)
            )
        sent: list[UUID] = []
        for task in waiting:
            try:
                self._queue.send(task.id, TaskType(task.type))
            except Exception:  # noqa: BLE001 - brokers raise what they like
                _log.exception("the broker does not take messages; they are sent again later", waiting=len(waiting) - len(sent))
                break
            sent.append(task.id)
        if not sent:
            return 0
        with unit_of_work(self._service.database):
            # Whoever changes a task has locked its job first, which this does not do: so it waits for nobody. What is being
            # changed just now stays unmarked; at worst one message more is sent for it.
            query = TaskRow.select(TaskRow.id).where(TaskRow.id.in_(sent), TaskRow.state == State.PENDING)
            marked = [task.id for task in unlocked(self._service.database, query)]
            TaskRow.update(sent_at=now).where(TaskRow.id.in_(marked)).execute()
        return len(marked)
