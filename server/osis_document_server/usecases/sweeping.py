"""Cleaning up and keeping jobs going: what time alone brings about."""

from datetime import datetime
from uuid import UUID

import structlog

from osis_document_server.domain.documents import Status
from osis_document_server.domain.jobs import Failure, State
from osis_document_server.models.database import unit_of_work
from osis_document_server.models.tables import BlobRow, DocumentRow, JobRow, TaskRow
from osis_document_server.usecases import progress
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
        """Does everything that is due."""
        now = self._service.now()
        self._remove_unconfirmed(now)
        self._service.storage.remove_leftovers(older_than_seconds=self._service.limits.temp_upload_max_age.total_seconds())
        self._free_lost_leases(now)
        self._fail_old_jobs(now)
        self._dispatcher.send_waiting()

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
        with unit_of_work(self._service.database):
            document_ids = [row.id for row in due.limit(_BATCH)]
        for document_id in document_ids:
            self._remove(document_id, "not confirmed in time")

    def _remove(self, document_id: UUID, why: str) -> None:
        """Removes an unconfirmed document, then its bytes if nothing else refers to them."""
        with unit_of_work(self._service.database):
            row = DocumentRow.get_or_none(DocumentRow.id == document_id, DocumentRow.status == Status.REQUESTED)
            if row is None or not (
                DocumentRow.delete().where(DocumentRow.id == document_id, DocumentRow.status == Status.REQUESTED).execute()
            ):
                return  # confirmed just now: that one wins
            key = row.blob_id
            shared = DocumentRow.select().where((DocumentRow.blob == key) | (DocumentRow.modified_blob == key)).exists()
            if not shared:
                BlobRow.delete().where(BlobRow.key == key).execute()
        if not shared:
            self._service.storage.delete(key)
        _log.info("document removed", document_id=str(document_id), why=why)

    def _free_lost_leases(self, now: datetime) -> None:
        with unit_of_work(self._service.database):
            freed = (
                TaskRow.update(state=State.PENDING, sent_at=None, updated_at=now)
                .where(TaskRow.state == State.RUNNING, TaskRow.lease_expires_at < now)
                .execute()
            )
        if freed:
            _log.warning("tasks freed whose workers were lost", tasks=freed)

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
