"""How a job moves on: from action to action, to its end. Everything here runs inside a unit of work that has locked the job."""

from datetime import datetime
from uuid import UUID

from osis_document_server.domain.jobs import MAX_ATTEMPTS, Failure, State
from osis_document_server.models.bulk import insert_all
from osis_document_server.models.database import ServiceDatabase, locked
from osis_document_server.models.tables import DocumentRow, JobRow, TaskInputRow, TaskOutputRow, TaskRow


def lock_job(database: ServiceDatabase, job_id: UUID) -> JobRow:
    """Locks a job's row, so that of two tasks that end at once the second sees the first."""
    return locked(database, JobRow.select().where(JobRow.id == job_id), table=JobRow).get()


def touch(job: JobRow, *, now: datetime, state: State | None = None, failure: Failure | None = None) -> None:
    """Records that something of the job changed, and its new state if it has one."""
    job.version += 1
    job.updated_at = now
    if state is not None:
        job.state = state
    if failure is not None:
        job.failure = vars(failure)
    if state is not None and state.is_terminal:
        job.ended_at = now
    job.save()


def advance(job: JobRow, *, now: datetime) -> None:
    """Begins the next action once the one before is done, or ends the job after the last."""
    for index in range(len(job.actions)):
        tasks = list(TaskRow.select().where(TaskRow.job == job.id, TaskRow.action_index == index).order_by(TaskRow.position))
        if not tasks[0].ready:
            _begin(job, tasks, before=index - 1, now=now)
            break
        if any(task.state != State.DONE for task in tasks):
            break
    else:
        touch(job, now=now, state=State.DONE)
        return
    touch(job, now=now, state=State.RUNNING)


def fail(job: JobRow, failure: Failure, *, now: datetime, task: TaskRow | None = None) -> None:
    """Ends a job as failed: ``task`` is the one at fault, the others are called off."""
    if task is not None:
        task.state = State.FAILED
        task.failure = vars(failure)
        task.updated_at = now
        task.save()
    _call_off(job.id, now=now)
    touch(job, now=now, state=State.FAILED, failure=failure)


def cancel(job: JobRow, *, now: datetime) -> None:
    """Ends a job because somebody called it off; one that has ended stays as it is."""
    if State(job.state).is_terminal:
        return
    _call_off(job.id, now=now)
    touch(job, now=now, state=State.CANCELLED)


def put_back(job: JobRow, task: TaskRow, *, now: datetime) -> bool:
    """Lets a task be leased again, or gives its job up after the last attempt; returns whether there will be another."""
    if task.attempt >= MAX_ATTEMPTS:
        inputs = [link.document_id for link in TaskInputRow.select().where(TaskInputRow.task == task.id)]
        failure = Failure(
            reason="ATTEMPTS_EXHAUSTED",
            message=f"{task.attempt} workers were lost while they processed the document. It may be what brings them down.",
            retryable=False,
            document_id=str(inputs[0]) if len(inputs) == 1 else "",
        )
        fail(job, failure, now=now, task=task)
        return False
    release(task, now=now)
    return True


def release(task: TaskRow, *, now: datetime) -> None:
    """Makes a task wait again. Its lease's id stays in the row, so that a repeated report is recognised."""
    task.state = State.PENDING
    task.sent_at = None
    task.updated_at = now
    task.save()


def _call_off(job_id: UUID, *, now: datetime) -> None:
    TaskRow.update(state=State.CANCELLED, updated_at=now).where(
        TaskRow.job == job_id, TaskRow.state.in_([State.PENDING, State.RUNNING])
    ).execute()


def _begin(job: JobRow, tasks: list[TaskRow], *, before: int, now: datetime) -> None:
    """Gives the outputs of the action before to the tasks of the next: all to one task, or one to each."""
    outputs = list(
        TaskOutputRow.select(TaskOutputRow, DocumentRow.id, DocumentRow.blob)
        .join(DocumentRow)
        .switch(TaskOutputRow)
        .join(TaskRow, on=(TaskOutputRow.task == TaskRow.id))
        .where(TaskRow.job == job.id, TaskRow.action_index == before)
        .order_by(TaskRow.position, TaskOutputRow.position)
    )
    names = _display_names(job.id)
    shared = len(tasks) == 1
    insert_all(
        TaskInputRow,
        (
            {
                "task": tasks[0 if shared else position].id,
                "position": position if shared else 0,
                "document": output.document_id,
                "blob_key": output.document.blob_key,
                "display_name": names[position],
            }
            for position, output in enumerate(outputs)
        ),
    )
    TaskRow.update(ready=True, updated_at=now).where(TaskRow.job == job.id, TaskRow.action_index == before + 1).execute()


def _display_names(job_id: UUID) -> dict[int, str]:
    """Returns what to call the job's inputs, by position: the names that people gave them."""
    first = (
        TaskInputRow.select(TaskInputRow.display_name)
        .join(TaskRow)
        .where(TaskRow.job == job_id, TaskRow.action_index == 0)
        .order_by(TaskRow.position, TaskInputRow.position)
    )
    return dict(enumerate(row.display_name for row in first))
