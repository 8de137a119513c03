"""What was made of what: from documents to those that post-processing made from them, and to the jobs that still do."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from peewee import Database

from osis_document_server.domain.documents import Status
from osis_document_server.domain.jobs import State
from osis_document_server.models.tables import DocumentRow, JobInputRow, JobRow, TaskInputRow, TaskOutputRow, TaskRow
from osis_document_server.usecases import progress


def made_from(document_ids: Iterable[UUID]) -> set[UUID]:
    """Returns all documents that were made from these, directly or by way of others; these are not among them.

    A converted document is made from its source alone, a merged one from all of its inputs. Within a connection.
    """
    known = set(document_ids)
    found: set[UUID] = set()
    frontier = known
    while frontier:
        made = (
            TaskOutputRow.select(TaskOutputRow.document)
            .join(TaskInputRow, on=(TaskInputRow.task == TaskOutputRow.task))
            .where(TaskInputRow.document.in_(frontier))
            .distinct()
        )
        frontier = {row.document_id for row in made} - found - known
        found |= frontier
    return found


def made_from_any_deleted(document_ids: Iterable[UUID], *, apart_from: Iterable[UUID]) -> set[UUID]:
    """Returns those of these documents that were made from one that is deleted and not in ``apart_from``. Within a connection."""
    made = (
        TaskOutputRow.select(TaskOutputRow.document)
        .join(TaskInputRow, on=(TaskInputRow.task == TaskOutputRow.task))
        .join(DocumentRow, on=(TaskInputRow.document == DocumentRow.id))
        .where(
            TaskOutputRow.document.in_(set(document_ids)),
            DocumentRow.status == Status.DELETED,
            DocumentRow.id.not_in(set(apart_from)),
        )
        .distinct()
    )
    return {row.document_id for row in made}


def sharing_bytes_with(document_ids: Iterable[UUID]) -> set[UUID]:
    """Returns all documents, these too, whose content or modified copy has the bytes of one of these. Within a connection."""
    rows = DocumentRow.select(DocumentRow.blob, DocumentRow.modified_blob).where(DocumentRow.id.in_(set(document_ids)))
    keys = {key for row in rows for key in (row.blob_key, row.modified_blob_key) if key is not None}
    shares = DocumentRow.blob.in_(keys) | DocumentRow.modified_blob.in_(keys)
    return {row.id for row in DocumentRow.select(DocumentRow.id).where(shares)}


def unfinished_jobs_over(document_ids: Iterable[UUID]) -> set[UUID]:
    """Returns the jobs over these documents that have not ended. Within a connection."""
    ids = set(document_ids)
    unfinished = JobRow.state.in_([State.PENDING, State.RUNNING])
    started = JobInputRow.select(JobInputRow.job).join(JobRow).where(JobInputRow.document.in_(ids), unfinished)
    reading = TaskInputRow.select(TaskRow.job).join(TaskRow).join(JobRow).where(TaskInputRow.document.in_(ids), unfinished)
    return {row.job_id for row in started} | {row.task.job_id for row in reading}


def cancel_jobs_over(database: Database, document_ids: Iterable[UUID], *, now: datetime) -> None:
    """Cancels the jobs over these documents that have not ended. Within a unit of work, before documents are locked."""
    for job_id in sorted(unfinished_jobs_over(document_ids)):
        progress.cancel(progress.lock_job(database, job_id), now=now)
