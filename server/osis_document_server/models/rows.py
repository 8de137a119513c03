"""Rows to domain values."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from peewee import JOIN, Database, JSONField, ModelSelect, UUIDField

from osis_document_server.domain.documents import Blob, Document, ExpirationPolicy, ModifiedCopy, Status
from osis_document_server.domain.jobs import Failure, Job, Record, State, TaskType, step_from_json
from osis_document_server.models.fields import MomentField
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

#: Every column of a document and its blobs, in the order in which they are selected.
_COLUMNS: tuple[Any, ...] = (
    DocumentRow.id,
    DocumentRow.name,
    DocumentRow.mime_type,
    DocumentRow.status,
    DocumentRow.revision,
    DocumentRow.path,
    DocumentRow.metadata,
    DocumentRow.client,
    DocumentRow.expiration_policy,
    DocumentRow.uploaded_at,
    DocumentRow.updated_at,
    DocumentRow.expires_at,
    DocumentRow.hold_expires_at,
    DocumentRow.confirm_request_id,
    DocumentRow.lease_id,
    DocumentRow.deleted_from,
    DocumentRow.deleted_at,
    DocumentRow.modified_mime_type,
    DocumentRow.modified_created_at,
    DocumentRow.modified_updated_at,
)
#: What makes a Python value of each column's, where that is another.
_CONVERSIONS: tuple[tuple[str, Callable[[Any], Any] | None], ...] = tuple(
    (column.name, column.python_value if isinstance(column, UUIDField | JSONField | MomentField) else None) for column in _COLUMNS
)
_BLOB_COLUMNS = ("key", "size_bytes", "sha256", "block_checksums", "corrupt")
#: Of documents, to lock them.
_SELECT_NOTHING = 'SELECT 1 FROM "document" AS "t1"'


def select_documents() -> "ModelSelect[DocumentRow]":
    """Returns a query for documents together with their blobs, to be run by ``fetch_documents``."""
    return (
        DocumentRow.select(
            *_COLUMNS,
            *(getattr(BlobRow, name) for name in _BLOB_COLUMNS),
            *(getattr(_ModifiedBlob, name) for name in _BLOB_COLUMNS),
        )
        .join(BlobRow, on=(DocumentRow.blob == BlobRow.key))
        .switch(DocumentRow)
        .join(_ModifiedBlob, JOIN.LEFT_OUTER, on=(DocumentRow.modified_blob == _ModifiedBlob.key))
    )


def fetch_documents(database: Database, sql: str, parameters: Sequence[object]) -> list[Document]:
    """Runs a query made by ``select_documents`` and returns its documents, in order.

    Rows become domain values directly: model instances in between would take most of the time of a call.
    """
    return [_to_document(row) for row in database.execute_sql(sql, parameters)]  # type: ignore[no-untyped-call]


def find_documents(database: Database, document_ids: Iterable[UUID], *, lock: bool = False) -> dict[UUID, Document]:
    """Returns the documents with these ids, as far as there are any.

    Args:
        database: within a connection of it.
        document_ids: duplicates are allowed.
        lock: keeps the rows from being changed until the end of the unit of work, taken in the order of their ids, so that two
            callers never wait for each other. (SQLite needs none of it: a unit of work there is alone.)
    """
    parameters = [DocumentRow.id.db_value(document_id) for document_id in set(document_ids)]  # type: ignore[no-untyped-call]
    if not parameters:
        return {}
    marks = ", ".join([database.param] * len(parameters))
    where = f'WHERE ("t1"."id" IN ({marks})) ORDER BY "t1"."id"'
    if lock and database.for_update:
        # Locked first and read then. In one query, PostgreSQL would look at rows that it had to wait for as they are by then, but
        # at their blobs as they were before: a document whose content was changed meanwhile would not be found.
        database.execute_sql(f"{_SELECT_NOTHING} {where} FOR UPDATE", parameters)  # type: ignore[no-untyped-call]
    sql = f"{_base_sql(database)} {where}"
    return {document.id: document for document in fetch_documents(database, sql, parameters)}


def find_document(database: Database, document_id: UUID) -> Document | None:
    """Returns the document with this id, if there is one."""
    return find_documents(database, [document_id]).get(document_id)


@cache
def _base_sql(database: Database) -> str:
    # Making SQL of a query takes far longer than running it, and this one runs in every call.
    with database.bind_ctx([DocumentRow, BlobRow], bind_refs=False, bind_backrefs=False):
        return str(select_documents().sql()[0])


def _to_document(row: Sequence[Any]) -> Document:
    width = len(_COLUMNS)
    values = {name: convert(value) if convert else value for (name, convert), value in zip(_CONVERSIONS, row, strict=False)}
    original = _to_blob(row[width : width + len(_BLOB_COLUMNS)])
    edited = row[width + len(_BLOB_COLUMNS) :]
    modified = None
    mime_type, created_at, updated_at = (values.pop(f"modified_{name}") for name in ("mime_type", "created_at", "updated_at"))
    if edited[0] is not None:
        modified = ModifiedCopy(blob=_to_blob(edited), mime_type=mime_type, created_at=created_at, updated_at=updated_at)
    values["status"] = Status(values["status"])
    values["deleted_from"] = Status(values["deleted_from"]) if values["deleted_from"] else None
    values["expiration_policy"] = ExpirationPolicy(values["expiration_policy"])
    return Document(**values, blob=original, modified=modified)


def _to_blob(row: Sequence[Any]) -> Blob:
    values = dict(zip(_BLOB_COLUMNS, row, strict=True))
    return Blob(**{**values, "block_checksums": bytes(values["block_checksums"]), "corrupt": bool(values["corrupt"])})


def find_job(job_id: UUID) -> Job | None:
    """Returns the job with this id, if there is one, with its tasks, inputs and outputs. Within a connection."""
    return find_jobs([job_id]).get(job_id)


def find_jobs(job_ids: Iterable[UUID]) -> dict[UUID, Job]:
    """Returns the jobs with these ids, as far as there are any: five queries for all of them. Within a connection."""
    ids = set(job_ids)
    if not ids:
        return {}
    tasks: dict[UUID, list[TaskRow]] = defaultdict(list)
    for task in TaskRow.select().where(TaskRow.job.in_(ids)).order_by(TaskRow.action_index, TaskRow.position):
        tasks[task.job_id].append(task)
    task_ids = [task.id for of_job in tasks.values() for task in of_job]
    inputs = _linked(TaskInputRow, TaskInputRow.task, task_ids)
    outputs = _linked(TaskOutputRow, TaskOutputRow.task, task_ids)
    job_inputs = _linked(JobInputRow, JobInputRow.job, ids)
    return {
        row.id: Job(
            id=row.id,
            state=State(row.state),
            client=row.client,
            input_ids=tuple(job_inputs[row.id]),
            actions=tuple(step_from_json(stored) for stored in row.actions),
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
                for task in tasks[row.id]
            ),
            failure=Failure(**row.failure) if row.failure else None,
            created_at=row.created_at,
            updated_at=row.updated_at,
            ended_at=row.ended_at,
            version=row.version,
        )
        for row in JobRow.select().where(JobRow.id.in_(ids))
    }


def _linked(table: Any, owner: Any, owner_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Returns the documents that rows of ``table`` link to each owner, in order."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    if owner_ids:
        for owner_id, document_id in (
            table.select(owner, table.document).where(owner.in_(owner_ids)).order_by(owner, table.position).tuples()
        ):
            found[owner_id].append(document_id)
    return found
