"""Cleaning up and keeping jobs going: what time alone brings about."""

from datetime import datetime

import structlog
from peewee import Expression, ModelSelect

from osis_document_server.domain.documents import Status
from osis_document_server.domain.jobs import Failure, State
from osis_document_server.models.database import reading, unit_of_work
from osis_document_server.models.tables import DocumentRow, JobRow, TaskRow, UploadRow
from osis_document_server.usecases import progress, removal
from osis_document_server.usecases.dispatch import Dispatcher
from osis_document_server.usecases.service import Service

_log = structlog.get_logger(__name__)
_BATCH = 500


class Sweeper:
    """Does what is due, one round at a time."""

    def __init__(self, service: Service, dispatcher: Dispatcher) -> None:
        self._service = service
        self._dispatcher = dispatcher

    def sweep(self) -> None:
        """Does everything that is due. A step that fails is logged, and does not keep the others from being done."""
        for step in (
            self._remove_unconfirmed,
            self._remove_expired,
            self._remove_unfinished,
            self._remove_leftovers,
            self._free_lost_leases,
            self._fail_old_jobs,
            self._send_waiting,
        ):
            try:
                step(self._service.now())
            except Exception:  # noqa: BLE001 - the next round tries again
                _log.exception("a step of the sweeper failed", step=step.__name__)

    def restart(self) -> None:
        """Puts all running tasks back and sends for all waiting ones.

        For a start with a worker inside, whose tasks and queue ended with the last process.
        """
        now = self._service.now()
        with unit_of_work(self._service.database):
            TaskRow.update(state=State.PENDING, updated_at=now).where(TaskRow.state == State.RUNNING).execute()
            TaskRow.update(sent_at=None).where(TaskRow.state == State.PENDING).execute()
        self._dispatcher.send_waiting()

    def _remove_unconfirmed(self, now: datetime) -> None:
        live = TaskRow.select(TaskRow.lease_id).where(TaskRow.state == State.RUNNING, TaskRow.lease_expires_at >= now)
        due = DocumentRow.select(DocumentRow.id).where(
            DocumentRow.status == Status.REQUESTED,
            DocumentRow.uploaded_at < now - self._service.limits.temp_upload_max_age,
            DocumentRow.lease_id.is_null() | DocumentRow.lease_id.not_in(live),
        )
        self._remove(due, DocumentRow.status == Status.REQUESTED, why="not confirmed in time")

    def _remove_expired(self, now: datetime) -> None:
        for expired, why in (
            ((DocumentRow.status == Status.UPLOADED) & (DocumentRow.hold_expires_at < now), "held, and not made final in time"),
            ((DocumentRow.status == Status.UPLOADED) & (DocumentRow.expires_at < now), "expired"),
        ):
            self._remove(DocumentRow.select(DocumentRow.id).where(expired), expired, why=why)

    def _remove(self, due: "ModelSelect[DocumentRow]", condition: Expression, *, why: str) -> None:
        with reading(self._service.database):
            document_ids = [row.id for row in due.limit(_BATCH)]
        for document_id in document_ids:
            removal.remove(self._service, document_id, condition, why=why)

    def _remove_unfinished(self, now: datetime) -> None:
        limit = now - self._service.limits.temp_upload_max_age
        live = TaskRow.select(TaskRow.lease_id).where(TaskRow.state == State.RUNNING, TaskRow.lease_expires_at >= now)
        due = (UploadRow.updated_at < limit) & (UploadRow.lease_id.is_null() | UploadRow.lease_id.not_in(live))
        with reading(self._service.database):
            upload_ids = [row.id for row in UploadRow.select(UploadRow.id).where(due).limit(_BATCH)]
        for upload_id in upload_ids:
            with unit_of_work(self._service.database):
                removed = UploadRow.delete().where(UploadRow.id == upload_id, due).execute()
            if removed:
                self._service.spool.remove_all(upload_id)
                _log.info("upload removed", upload_id=str(upload_id), why="not finished in time")

    def _remove_leftovers(self, now: datetime) -> None:  # noqa: ARG002 - files have a clock of their own
        """Removes segments that a crash left behind, of uploads that no row knows any more."""
        age = self._service.limits.temp_upload_max_age.total_seconds()
        for upload_id in set(self._service.spool.old(older_than_seconds=age)):
            with reading(self._service.database):
                known = UploadRow.select().where(UploadRow.id == upload_id).exists()
            if not known:
                self._service.spool.remove_all(upload_id)

    def _free_lost_leases(self, now: datetime) -> None:
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

    def _fail_old_jobs(self, now: datetime) -> None:
        limit = self._service.limits.job_max_age
        with unit_of_work(self._service.database):
            old = [
                row.id
                for row in JobRow.select(JobRow.id)
                .where(JobRow.state.in_([State.PENDING, State.RUNNING]), JobRow.created_at < now - limit)
                .limit(_BATCH)
            ]
        for job_id in old:
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

    def _send_waiting(self, now: datetime) -> None:  # noqa: ARG002 - the dispatcher has the time
        self._dispatcher.send_waiting()
