"""Rows to domain values."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from peewee import JOIN, Database, JSONField, ModelSelect, UUIDField

from osis_document_server.domain.documents import Blob, Document, ExpirationPolicy, ModifiedCopy, Status
from osis_document_server.domain.jobs import Failure, Job, Record, State, TaskType, step_from_json
from osis_document_server.models.bulk import in_chunks
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
    found: dict[UUID, Document] = {}
    for chunk in in_chunks(sorted(set(document_ids))):
        parameters = [DocumentRow.id.db_value(document_id) for document_id in chunk]  # type: ignore[no-untyped-call]
        marks = ", ".join([database.param] * len(parameters))
        where = f'WHERE ("t1"."id" IN ({marks})) ORDER BY "t1"."id"'
        if lock and database.for_update:
            # Locked first and read then. In one query, PostgreSQL would look at rows that it had to wait for as they are by then,
            # but at their blobs as they were before: a document whose content was changed meanwhile would not be found.
            database.execute_sql(f"{_SELECT_NOTHING} {where} FOR UPDATE", parameters)  # type: ignore[no-untyped-call]
        sql = f"{_base_sql(database)} {where}"
        found |= {document.id: document for document in fetch_documents(database, sql, parameters)}
    return found


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
    """Returns the jobs with these ids, as far as there are any: in five queries, however many tasks they have.

    Within a connection.
    """
    found: dict[UUID, Job] = {}
    for chunk in in_chunks(set(job_ids)):
        found |= _find_jobs(chunk)
    return found


def _find_jobs(ids: list[UUID]) -> dict[UUID, Job]:
    # The jobs first: whatever changes meanwhile raises their versions, so the tasks may be newer than the version says, never
    # older, and whoever waits for the next version is told of everything.
    job_rows = list(JobRow.select().where(JobRow.id.in_(ids)))
    tasks: dict[UUID, list[Any]] = defaultdict(list)
    query: Any = TaskRow.select(TaskRow.job, TaskRow.id, TaskRow.action_index, TaskRow.type, TaskRow.state, TaskRow.failure)
    for task in query.where(TaskRow.job.in_(ids)).order_by(TaskRow.action_index, TaskRow.position).namedtuples():
        tasks[task.job].append(task)
    inputs = _linked_to_tasks(TaskInputRow, ids)
    outputs = _linked_to_tasks(TaskOutputRow, ids)
    job_inputs = _by_owner(JobInputRow.select(JobInputRow.job, JobInputRow.document).where(JobInputRow.job.in_(ids)), JobInputRow)
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
        for row in job_rows
    }


def _linked_to_tasks(table: Any, job_ids: list[UUID]) -> dict[UUID, list[UUID]]:
    """Returns the documents that rows of ``table`` link to each task of these jobs, in order."""
    return _by_owner(table.select(table.task, table.document).join(TaskRow).where(TaskRow.job.in_(job_ids)), table)


def _by_owner(query: Any, table: Any) -> dict[UUID, list[UUID]]:
    """Returns the second column of a query by its first, in the order of the rows' positions."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for owner_id, document_id in query.order_by(table.position).tuples():
        found[owner_id].append(document_id)
    return found
