"""Rows to domain values."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from peewee import JOIN, ModelSelect

from osis_document_server.domain.documents import Blob, Document, ExpirationPolicy, ModifiedCopy, Status
from osis_document_server.domain.jobs import Action, Failure, Job, Record, State, TaskType
from osis_document_server.models.tables import (
    BlobRow,
    DocumentRow,
    JobInputRow,
    JobRow,
    TaskInputRow,
    TaskOutputRow,
    TaskRow,
)

_ModifiedBlob = BlobRow.alias("modified_blob_row")


def select_documents() -> "ModelSelect[DocumentRow]":
    """Returns a query for documents together with their blobs."""
    return (
        DocumentRow.select(DocumentRow, BlobRow, _ModifiedBlob)
        .join(BlobRow, on=(DocumentRow.blob == BlobRow.key))
        .switch(DocumentRow)
        .join(_ModifiedBlob, JOIN.LEFT_OUTER, on=(DocumentRow.modified_blob == _ModifiedBlob.key), attr="modified_blob")
    )


def to_blob(row: BlobRow) -> Blob:
    """Returns the blob of a row."""
    return Blob(
        key=row.key,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        block_checksums=bytes(row.block_checksums),
        corrupt=row.corrupt,
    )


def to_document(row: DocumentRow) -> Document:
    """Returns the document of a row that ``select_documents`` gave."""
    modified = None
    if row.modified_blob is not None:
        modified = ModifiedCopy(
            blob=to_blob(row.modified_blob),
            mime_type=row.modified_mime_type,
            created_at=row.modified_created_at,
            updated_at=row.modified_updated_at,
        )
    return Document(
        id=row.id,
        name=row.name,
        mime_type=row.mime_type,
        blob=to_blob(row.blob),
        status=Status(row.status),
        revision=row.revision,
        path=row.path,
        metadata=row.metadata,
        expiration_policy=ExpirationPolicy(row.expiration_policy),
        uploaded_at=row.uploaded_at,
        updated_at=row.updated_at,
        expires_at=row.expires_at,
        hold_expires_at=row.hold_expires_at,
        client=row.client,
        modified=modified,
    )


def find_document(document_id: UUID) -> Document | None:
    """Returns the document with this id, if there is one."""
    row = select_documents().where(DocumentRow.id == document_id).first()
    return None if row is None else to_document(row)


def find_documents(document_ids: Iterable[UUID]) -> dict[UUID, Document]:
    """Returns the documents with these ids, as far as there are any."""
    rows = select_documents().where(DocumentRow.id.in_(set(document_ids)))
    return {row.id: to_document(row) for row in rows}


def find_job(job_id: UUID) -> Job | None:
    """Returns the job with this id, if there is one, with its tasks, inputs and outputs: five small queries."""
    row = JobRow.get_or_none(JobRow.id == job_id)
    if row is None:
        return None
    tasks = list(TaskRow.select().where(TaskRow.job == job_id).order_by(TaskRow.action_index, TaskRow.position))
    task_ids = [task.id for task in tasks]
    inputs: dict[UUID, list[UUID]] = {task_id: [] for task_id in task_ids}
    outputs: dict[UUID, list[UUID]] = {task_id: [] for task_id in task_ids}
    links: tuple[tuple[Any, dict[UUID, list[UUID]]], ...] = ((TaskInputRow, inputs), (TaskOutputRow, outputs))
    for table, found in links:
        for link in table.select().where(table.task.in_(task_ids)).order_by(table.position):
            found[link.task_id].append(link.document_id)
    return Job(
        id=row.id,
        state=State(row.state),
        client=row.client,
        input_ids=tuple(
            link.document_id for link in JobInputRow.select().where(JobInputRow.job == job_id).order_by(JobInputRow.position)
        ),
        actions=tuple(Action.from_json(stored) for stored in row.actions),
        records=tuple(
            Record(
                id=task.id,
                type=TaskType(task.type),
                action_index=task.action_index,
                state=State(task.state),
                input_ids=tuple(inputs[task.id]),
                output_ids=tuple(outputs[task.id]),
                failure=Failure(**task.failure) if task.failure else None,
            )
            for task in tasks
        ),
        failure=Failure(**row.failure) if row.failure else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
        ended_at=row.ended_at,
        version=row.version,
    )
