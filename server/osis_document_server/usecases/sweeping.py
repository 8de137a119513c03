"""Cleaning up and keeping jobs going: what time alone brings about.

Any number of servers may have a sweeper; a lease in the database lets one of them work at a time. Each removal looks again, in
its unit of work, whether it is still due, so even two that worked at once would do no harm.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from peewee import Expression

from osis_document_server.domain.documents import Status
from osis_document_server.domain.jobs import Failure, State, TaskType
from osis_document_server.errors import ServiceError
from osis_document_server.models.database import reading, unit_of_work
from osis_document_server.models.tables import BlobRow, DocumentRow, JobRow, TaskRow, UploadRow
from osis_document_server.usecases import progress, removal, upload_sessions
from osis_document_server.usecases.dispatch import Dispatcher
from osis_document_server.usecases.service import Service
from osis_document_server.usecases.service_leases import ServiceLease

_log = structlog.get_logger(__name__)

#: Most removals of one kind in a round.
_BATCH = 500
#: How long a sweeper that has died keeps the others from working. Two at once do no harm: each removal is of what is still due.
_LEASE_LASTS = timedelta(seconds=15)
_TERMINAL = [state for state in State if state.is_terminal]


@dataclass(frozen=True, kw_only=True)
class Due:
    """Something that is to be removed."""

    #: ``document``, ``upload``, ``segments``, ``blob`` or ``job``.
    kind: str
    id: UUID | str
    why: str
    #: Removes it if it is still due; returns whether it did.
    remove: Callable[[], bool]


class Sweeper:
    """Does what is due, one round at a time.

    Args:
        service: what it works with.
        dispatcher: sends for tasks that wait; None: somebody else does.
    """

    def __init__(self, service: Service, dispatcher: Dispatcher | None = None) -> None:
        self._service = service
        self._dispatcher = dispatcher
        self._lease = ServiceLease(service, "sweep", lasts=_LEASE_LASTS)

    def sweep(self) -> int:
        """Does everything that is due, unless another server is at it, and returns how much was removed.

        A step that fails is logged, and does not keep the others from being done.
        """
        if not self._lease.take():
            return 0
        removed = self.remove_due()
        for step in (self._free_lost_leases, self._fail_old_jobs, self._send_waiting):
            with _logged(step.__name__):
                step()
        return removed

    def due(self) -> Iterator[Due]:
        """Yields what is to be removed now, at most 500 of each kind. Nothing is changed."""
        for find in self._finders():
            yield from find(self._service.now())

    def remove_due(self) -> int:
        """Removes what is due, at most 500 of each kind, and returns how much that was."""
        removed = 0
        for find in self._finders():
            with _logged(find.__name__):
                for due in find(self._service.now()):
                    removed += due.remove()
        return removed

    def stop(self) -> None:
        """Lets another server sweep at once."""
        with _logged("stop"):
            self._lease.give_up()

    def restart(self) -> None:
        """Puts all running tasks back and sends for all waiting ones.

        For a start with a worker inside, whose tasks and queue ended with the last process.
        """
        now = self._service.now()
        with unit_of_work(self._service.database):
            TaskRow.update(state=State.PENDING, updated_at=now).where(TaskRow.state == State.RUNNING).execute()
            TaskRow.update(sent_at=None).where(TaskRow.state == State.PENDING).execute()
        self._send_waiting()

    # ---- what is to be removed ------------------------------------------------------------------------------------------

    def _finders(self) -> tuple[Callable[[datetime], Iterator[Due]], ...]:
        return (
            self._documents,
            self._unfinished_uploads,
            self._leftover_segments,
            self._released_blobs,
            self._ended_changes,
        )

    def _documents(self, now: datetime) -> Iterator[Due]:
        limits = self._service.limits
        idle = now - limits.temp_upload_max_age
        conditions = {
            "not confirmed in time": (DocumentRow.status == Status.REQUESTED)
            & (DocumentRow.uploaded_at < idle)
            & (DocumentRow.updated_at < idle)
            & (DocumentRow.lease_id.is_null() | DocumentRow.lease_id.not_in(_live_leases(now))),
            "held, and not made final in time": (DocumentRow.status == Status.UPLOADED) & (DocumentRow.hold_expires_at < now),
            "expired": (DocumentRow.status == Status.UPLOADED) & (DocumentRow.expires_at < now),
            "deleted, and its retention time is over": (DocumentRow.status == Status.DELETED)
            & (DocumentRow.deleted_at < now - limits.deleted_max_age),
        }
        for why, condition in conditions.items():
            for document_id in self._ids(DocumentRow, condition):
                remove = partial(removal.remove, self._service, document_id, condition, why=why)
                yield Due(kind="document", id=document_id, why=why, remove=remove)

    def _unfinished_uploads(self, now: datetime) -> Iterator[Due]:
        condition = (UploadRow.updated_at < now - self._service.limits.temp_upload_max_age) & (
            UploadRow.lease_id.is_null() | UploadRow.lease_id.not_in(_live_leases(now))
        )
        for upload_id in self._ids(UploadRow, condition):
            remove = partial(self._remove_upload, upload_id, condition)
            yield Due(kind="upload", id=upload_id, why="not finished in time", remove=remove)

    def _remove_upload(self, upload_id: UUID, condition: Expression) -> bool:
        with unit_of_work(self._service.database):
            row = UploadRow.get_or_none(UploadRow.id == upload_id)
            removed = UploadRow.delete().where(UploadRow.id == upload_id, condition).execute()
        if row is None or not removed:
            return False
        upload_sessions.remove_bytes(self._service, upload_id, upload_sessions.blob_keys(row))
        _log.info("upload removed", upload_id=str(upload_id), client=row.client, why="not finished in time")
        return True

    def _leftover_segments(self, now: datetime) -> Iterator[Due]:  # noqa: ARG002 - files have a clock of their own
        """Segments of uploads that no row knows any more: a crash left them behind."""
        age = self._service.limits.temp_upload_max_age.total_seconds()
        for upload_id in set(self._service.spool.old(older_than_seconds=age)):
            with reading(self._service.database):
                known = UploadRow.select().where(UploadRow.id == upload_id).exists()
            if not known:
                remove = partial(self._remove_segments, upload_id)
                yield Due(kind="segments", id=upload_id, why="left behind by an upload that is over", remove=remove)

    def _remove_segments(self, upload_id: UUID) -> bool:
        self._service.spool.remove_all(upload_id)
        _log.info("segments removed", upload_id=str(upload_id))
        return True

    def _released_blobs(self, now: datetime) -> Iterator[Due]:
        condition = BlobRow.released_at < now - self._service.limits.blob_grace
        for key in self._ids(BlobRow, condition):
            remove = partial(removal.remove_blob, self._service, key)
            yield Due(kind="blob", id=key, why="nothing refers to it any more", remove=remove)

    def _ended_changes(self, now: datetime) -> Iterator[Due]:
        """Jobs of rotations and edits: nobody will fetch their outcome any more. Other jobs go with their documents."""
        condition = (
            TaskRow.type.in_([TaskType.ROTATE, TaskType.EDIT])
            & TaskRow.state.in_(_TERMINAL)
            & (TaskRow.updated_at < now - self._service.limits.job_max_age)
        )
        with reading(self._service.database):
            job_ids = [task.job_id for task in TaskRow.select(TaskRow.job).where(condition).limit(_BATCH)]
        for job_id in job_ids:
            yield Due(kind="job", id=job_id, why="ended long ago", remove=partial(self._remove_job, job_id))

    def _remove_job(self, job_id: UUID) -> bool:
        with unit_of_work(self._service.database):
            return bool(JobRow.delete().where(JobRow.id == job_id, JobRow.state.in_(_TERMINAL)).execute())

    def _ids(self, table: Any, condition: Expression) -> list[Any]:
        key = table._meta.primary_key
        with reading(self._service.database):
            return [getattr(row, key.name) for row in table.select(key).where(condition).limit(_BATCH)]

    # ---- what is to be moved on -----------------------------------------------------------------------------------------

    def _send_waiting(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.send_waiting()

    def _free_lost_leases(self) -> None:
        now = self._service.now()
        lost = (TaskRow.state == State.RUNNING) & (TaskRow.lease_expires_at < now)
        with reading(self._service.database):
            found = [(row.id, row.job_id) for row in TaskRow.select(TaskRow.id, TaskRow.job).where(lost).limit(_BATCH)]
        for task_id, job_id in found:
            with unit_of_work(self._service.database):
                job = progress.lock_job(self._service.database, job_id)
                task = TaskRow.get_or_none((TaskRow.id == task_id) & lost)
                if task is None:
                    continue  # extended or reported meanwhile
                _log.warning("worker lost", task_id=str(task_id), worker=task.worker, attempt=task.attempt)
                progress.put_back(job, task, now=now)

    def _fail_old_jobs(self) -> None:
        now = self._service.now()
        limit = self._service.limits.job_max_age
        unfinished = JobRow.state.in_([State.PENDING, State.RUNNING])
        for job_id in self._ids(JobRow, unfinished & (JobRow.created_at < now - limit)):
            with unit_of_work(self._service.database):
                job = progress.lock_job(self._service.database, job_id)
                if State(job.state).is_terminal:
                    continue
                failure = Failure(
                    reason="PROCESSING_TIMED_OUT",
                    message=f"The job was not done within {limit.total_seconds():g} s. Start it again once workers are there.",
                    retryable=True,
                )
                progress.fail(job, failure, now=now)
                _log.warning("job failed", job_id=str(job_id), why="not done in time")


def _live_leases(now: datetime) -> Any:
    return TaskRow.select(TaskRow.lease_id).where(TaskRow.state == State.RUNNING, TaskRow.lease_expires_at >= now)


@contextmanager
def _logged(step: str) -> Iterator[None]:
    """Keeps one step's failure from the others."""
    try:
        yield
    except ServiceError as exc:
        _log.warning("a step of the sweeper failed", step=step.strip("_"), why=exc.message)
    except Exception:  # noqa: BLE001 - the next round tries again
        _log.exception("a step of the sweeper failed", step=step.strip("_"))
