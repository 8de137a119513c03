"""What was made of what: from documents to those that post-processing made from them, and to the jobs that still do."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from osis_document_server.domain.documents import Status
from osis_document_server.domain.jobs import State
from osis_document_server.models.bulk import in_chunks
from osis_document_server.models.database import ServiceDatabase
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
        made: set[UUID] = set()
        for chunk in in_chunks(frontier):
            of_these = (
                TaskOutputRow.select(TaskOutputRow.document)
                .join(TaskInputRow, on=(TaskInputRow.task == TaskOutputRow.task))
                .where(TaskInputRow.document.in_(chunk))
                .distinct()
            )
            made |= {row.document_id for row in of_these}
        frontier = made - found - known
        found |= frontier
    return found


def made_from_any_deleted(document_ids: Iterable[UUID], *, apart_from: Iterable[UUID]) -> set[UUID]:
    """Returns those of these documents that were made from one that is deleted and not in ``apart_from``. Within a connection."""
    apart = set(apart_from)
    found: set[UUID] = set()
    for chunk in in_chunks(set(document_ids)):
        sources: Any = (
            TaskOutputRow.select(TaskOutputRow.document, TaskInputRow.document)
            .join(TaskInputRow, on=(TaskInputRow.task == TaskOutputRow.task))
            .join(DocumentRow, on=(TaskInputRow.document == DocumentRow.id))
            .where(TaskOutputRow.document.in_(chunk), DocumentRow.status == Status.DELETED)
            .distinct()
            .tuples()
        )
        found |= {made_id for made_id, source_id in sources if source_id not in apart}
    return found


def sharing_bytes_with(document_ids: Iterable[UUID]) -> set[UUID]:
    """Returns all documents, these too, whose content or modified copy has the bytes of one of these. Within a connection."""
    keys: set[str] = set()
    for ids in in_chunks(set(document_ids)):
        rows = DocumentRow.select(DocumentRow.blob, DocumentRow.modified_blob).where(DocumentRow.id.in_(ids))
        keys |= {key for row in rows for key in (row.blob_key, row.modified_blob_key) if key is not None}
    found: set[UUID] = set()
    for chunk in in_chunks(keys):
        shares = DocumentRow.blob.in_(chunk) | DocumentRow.modified_blob.in_(chunk)
        found |= {row.id for row in DocumentRow.select(DocumentRow.id).where(shares)}
    return found


def unfinished_jobs_over(document_ids: Iterable[UUID]) -> set[UUID]:
    """Returns the jobs over these documents that have not ended. Within a connection."""
    unfinished = JobRow.state.in_([State.PENDING, State.RUNNING])
    found: set[UUID] = set()
    for ids in in_chunks(set(document_ids)):
        started = JobInputRow.select(JobInputRow.job).join(JobRow).where(JobInputRow.document.in_(ids), unfinished)
        reading = TaskInputRow.select(TaskRow.job).join(TaskRow).join(JobRow).where(TaskInputRow.document.in_(ids), unfinished)
        found |= {row.job_id for row in started} | {row.task.job_id for row in reading}
    return found


def cancel_jobs_over(database: ServiceDatabase, document_ids: Iterable[UUID], *, now: datetime) -> None:
    """Cancels the jobs over these documents that have not ended. Within a unit of work, before documents are locked."""
    for job_id in sorted(unfinished_jobs_over(document_ids)):
        progress.cancel(progress.lock_job(database, job_id), now=now)
