"""Leasing tasks to workers and taking their reports. The state of a job changes only here, and in the sweeper."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from osis_document_server.domain.documents import Status
from osis_document_server.domain.jobs import (
    MAX_ATTEMPTS,
    Action,
    ContentChange,
    Failure,
    LeasedTask,
    State,
    TaskInput,
    step_from_json,
)
from osis_document_server.domain.tokens import Purpose
from osis_document_server.errors import ArgumentInvalid, ServiceError, UploadNotFound
from osis_document_server.models import rows
from osis_document_server.models.database import unit_of_work
from osis_document_server.models.tables import DocumentRow, JobRow, TaskInputRow, TaskRow
from osis_document_server.usecases import access, content_changes, leases, outputs, progress, task_inputs
from osis_document_server.usecases.dispatch import Dispatcher
from osis_document_server.usecases.service import Service
from osis_document_server.usecases.watching import Watching


class Tasks:
    """What workers do with tasks."""

    def __init__(self, service: Service, dispatcher: Dispatcher, watching: Watching) -> None:
        self._service = service
        self._dispatcher = dispatcher
        self._watching = watching

    def claim(self, task_id: UUID, *, lease_id: UUID, worker: str) -> LeasedTask | None:
        """Leases a task, counting the attempt before any work begins. None: there is nothing to do.

        Repeating the call with the same lease answers the same task.
        """
        now = self._service.now()
        with unit_of_work(self._service.database):
            task = self._locked(TaskRow.id == task_id)
            if task is None:
                return None
            job = progress.lock_job(self._service.database, task.job_id)
            if task.state == State.RUNNING and task.lease_id == lease_id:
                return self._leased(task, job, lease_id, now=now)
            abandoned = task.state == State.RUNNING and task.lease_expires_at < now
            if not task.ready or not (task.state == State.PENDING or abandoned):
                return None
            if abandoned and not progress.put_back(job, task, now=now):
                return None
            task.state = State.RUNNING
            task.attempt += 1
            task.lease_id = lease_id
            task.lease_expires_at = now + self._service.limits.lease_duration
            task.worker = worker[:255]
            task.updated_at = now
            task.save()
            progress.touch(job, now=now, state=State.RUNNING)
            try:
                return self._leased(task, job, lease_id, now=now)
            except ServiceError as exc:  # an input has gone since the job was started
                failure = Failure(
                    reason=exc.reason, message=exc.message, retryable=False, document_id=exc.metadata.get("document_id", "")
                )
                progress.fail(job, failure, now=now, task=task)
                return None

    def extend(self, lease_id: UUID) -> datetime:
        """Keeps a lease alive and returns its new end.

        Raises:
            LeaseLost: it is not in force any more.
        """
        now = self._service.now()
        with unit_of_work(self._service.database):
            expires_at = now + self._service.limits.lease_duration
            held = (
                TaskRow.update(lease_expires_at=expires_at)
                .where(TaskRow.lease_id == lease_id, TaskRow.state == State.RUNNING)
                .execute()
            )
        if not held:
            raise leases.lost()
        return expires_at

    def complete(self, lease_id: UUID, upload_ids: Sequence[UUID]) -> None:
        """Records a task as done: its output becomes a confirmed document, and what waited for it begins.

        Raises:
            LeaseLost: the lease is not in force.
            ArgumentInvalid: not exactly one output.
            UploadNotFound: the output was not uploaded under this lease.
        """
        now = self._service.now()
        with unit_of_work(self._service.database):
            task, job = self._held(lease_id, reported={State.DONE})
            if task.state == State.DONE:
                return
            if len(upload_ids) != 1:
                raise ArgumentInvalid(f"A {task.type} task makes one document, not {len(upload_ids)}.", field="output_upload_ids")
            output = DocumentRow.get_or_none(
                DocumentRow.id == upload_ids[0], DocumentRow.lease_id == lease_id, DocumentRow.status == Status.REQUESTED
            )
            if output is None:
                raise UploadNotFound(f"Upload {upload_ids[0]} was not finished under this lease.", upload_id=upload_ids[0])
            step = step_from_json(job.actions[task.action_index])
            if isinstance(step, ContentChange):
                content_changes.apply(self._service, task, job, step, output, now=now)
            else:
                self._confirm_output(task, job, step, output, now=now)
                outputs.finish(task, output.id, now=now)
                progress.advance(job, now=now)
        self._watching.wake(job.id)
        self._dispatcher.send_waiting()

    def fail(self, lease_id: UUID, failure: Failure) -> bool:
        """Records that an attempt failed; returns whether there will be another.

        Raises:
            LeaseLost: the lease is not in force.
        """
        now = self._service.now()
        with unit_of_work(self._service.database):
            task, job = self._held(lease_id, reported={State.FAILED, State.PENDING})
            if task.state != State.RUNNING:
                return task.state == State.PENDING
            will_retry = failure.retryable and task.attempt < MAX_ATTEMPTS
            if will_retry:
                progress.release(task, now=now)
            else:
                progress.fail(job, failure, now=now, task=task)
        if will_retry:
            self._dispatcher.send_waiting()
        return will_retry

    def give_back(self, lease_id: UUID) -> None:
        """Puts a task back untouched; the attempt does not count.

        Raises:
            LeaseLost: the lease is not in force.
        """
        with unit_of_work(self._service.database):
            task, _ = self._held(lease_id, reported={State.PENDING})
            if task.state == State.PENDING:
                return
            task.attempt -= 1
            progress.release(task, now=self._service.now())
        self._dispatcher.send_waiting()

    def _held(self, lease_id: UUID, *, reported: set[State]) -> tuple[TaskRow, JobRow]:
        """Returns the task held under a lease, its job locked; also one that its own report brought to one of ``reported``."""
        task = self._locked(TaskRow.lease_id == lease_id)
        if task is None or task.state not in {State.RUNNING, *reported}:
            raise leases.lost()
        return task, JobRow.get(JobRow.id == task.job_id)

    def _locked(self, condition: object) -> TaskRow | None:
        """Returns a task as it is once its job is locked: whoever changes a task locks its job first."""
        task = TaskRow.get_or_none(condition)
        if task is None:
            return None
        progress.lock_job(self._service.database, task.job_id)
        return TaskRow.get_or_none(condition)

    def _leased(self, task: TaskRow, job: JobRow, lease_id: UUID, *, now: datetime) -> LeasedTask:
        step = step_from_json(job.actions[task.action_index])
        links = task_inputs.links_of(task)
        documents = rows.find_documents(self._service.database, [link.document_id for link in links])
        if isinstance(step, ContentChange) and step.edited:
            access.require_open(documents.get(step.edited), step.edited)  # another edit may have consumed it
        inputs = []
        for link in links:
            document = access.require_open(documents.get(link.document_id), link.document_id)
            modified = task_inputs.reads_modified(link, document)
            if not modified and link.blob_key != document.blob.key:  # it has other content by now
                if isinstance(step, ContentChange):
                    raise access.spent(document.id)
                TaskInputRow.update(blob_key=document.blob.key).where(
                    TaskInputRow.task == task.id, TaskInputRow.position == link.position
                ).execute()
            access.require_sound(document, modified=modified)
            token = self._service.signer.sign(
                document.id,
                purpose=Purpose.READ,
                revision=document.revision,
                ttl=self._service.limits.job_max_age,
                now=now,
                modified=modified,
            )
            inputs.append(TaskInput(document=document, read_token=token.text, display_name=link.display_name))
        return LeasedTask(
            task_id=task.id,
            job_id=job.id,
            lease_id=lease_id,
            lease_expires_at=task.lease_expires_at,
            lease_seconds=self._service.limits.lease_duration.total_seconds(),
            attempt=task.attempt,
            action=step,
            inputs=inputs,
        )

    def _confirm_output(self, task: TaskRow, job: JobRow, action: Action, output: DocumentRow, *, now: datetime) -> None:
        source = (
            TaskInputRow.select(TaskInputRow, DocumentRow)
            .join(DocumentRow)
            .where(TaskInputRow.task == task.id)
            .order_by(TaskInputRow.position)
            .get()
        )
        count = TaskRow.select().where(TaskRow.job == job.id, TaskRow.action_index == task.action_index).count()
        output.name = outputs.name_of(
            action,
            source_name=source.display_name,
            position=task.position,
            count=count,
        )
        output.folded_name = output.name.casefold()
        output.path = outputs.path_of(output.name, source_path=source.document.path)
        output.status = Status.UPLOADED
        output.client = job.client
        output.lease_id = None
        output.updated_at = now
        output.save()
