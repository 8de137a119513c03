"""Removing documents for good: first the row; then, some time after nothing refers to them any more, the bytes."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from peewee import fn

from osis_document_server.domain.documents import Status
from osis_document_server.models.bulk import in_chunks
from osis_document_server.models.database import ServiceDatabase, locked, unit_of_work
from osis_document_server.models.tables import BlobRow, DocumentRow, JobInputRow, JobRow
from osis_document_server.usecases import lineage
from osis_document_server.usecases.service import Service

_log = structlog.get_logger(__name__)

#: That nothing refers to a blob. Asked for each column apart, since each has an index of its own.
_UNUSED = tuple(
    ~fn.EXISTS(DocumentRow.select(DocumentRow.id).where(column == BlobRow.key))
    for column in (DocumentRow.blob, DocumentRow.modified_blob)
)


class _KeptError(Exception):
    """A document is not to be removed after all."""


def remove_unconfirmed(service: Service, document_id: UUID, *, why: str) -> bool:
    """Removes a document unless it has been confirmed meanwhile; returns whether it was removed."""
    return remove(service, document_id, DocumentRow.status == Status.REQUESTED, why=why)


def remove(service: Service, document_id: UUID, condition: object, *, why: str) -> bool:
    """Removes a document as long as ``condition`` holds for its row; returns whether it was removed."""
    try:
        with unit_of_work(service.database):
            row = _remove_row(service, document_id, condition)
    except _KeptError:
        return False
    _log.info("document removed", document_id=str(document_id), client=row.client, status=row.status, why=why)
    return True


def _remove_row(service: Service, document_id: UUID, condition: object) -> DocumentRow:
    """Removes a document's row and what goes with it, and returns the row as it was. Within a unit of work.

    Raises:
        _KeptError: the condition does not hold any more; the unit of work is to be undone, so that jobs over it go on.
    """
    now = service.now()
    lineage.cancel_jobs_over(service.database, [document_id], now=now)
    row = DocumentRow.get_or_none(DocumentRow.id == document_id)
    jobs = [link.job_id for link in JobInputRow.select(JobInputRow.job).where(JobInputRow.document == document_id)]
    if row is None or not DocumentRow.delete().where(DocumentRow.id == document_id, condition).execute():
        raise _KeptError  # somebody was faster; that one wins
    release(service.database, [row.blob_key, row.modified_blob_key], now=now)
    for chunk in in_chunks(set(jobs)):  # they go with the last of their documents
        others = JobInputRow.select(JobInputRow.job).where(JobInputRow.job.in_(chunk))
        JobRow.delete().where(JobRow.id.in_(chunk), JobRow.id.not_in(others)).execute()
    return row


def release(database: ServiceDatabase, keys: Iterable[str | None], *, now: datetime) -> None:
    """Notes which of these blobs nothing refers to any more. Within a unit of work that has taken a reference away."""
    mine = BlobRow.key.in_([key for key in keys if key is not None])
    # Of two who take the last references away at once, the second waits here, and then sees what the first has done.
    list(locked(database, BlobRow.select(BlobRow.key).where(mine).order_by(BlobRow.key), table=BlobRow))
    BlobRow.update(released_at=now).where(mine, *_UNUSED).execute()


def remove_blob(service: Service, key: str) -> bool:
    """Removes a released blob, its row first; returns whether it was still there and unused.

    Raises:
        StorageUnavailable: the row is gone, the bytes are not; the scrubber will find them.
    """
    with unit_of_work(service.database):
        removed = BlobRow.delete().where(BlobRow.key == key, BlobRow.released_at.is_null(False), *_UNUSED).execute()
    if removed:
        service.storage.delete(key)
        _log.info("blob removed", blob=key)
    return bool(removed)
