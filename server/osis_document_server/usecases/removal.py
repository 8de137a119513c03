"""Removing documents for good: the row, then, if nothing else refers to it, the blob; after the commit, the bytes."""

from uuid import UUID

import structlog

from osis_document_server.domain.documents import Status
from osis_document_server.models.database import unit_of_work
from osis_document_server.models.tables import BlobRow, DocumentRow
from osis_document_server.usecases.service import Service

_log = structlog.get_logger(__name__)


def remove_unconfirmed(service: Service, document_id: UUID, *, why: str) -> bool:
    """Removes a document unless it has been confirmed meanwhile; returns whether it was removed."""
    return remove(service, document_id, DocumentRow.status == Status.REQUESTED, why=why)


def remove(service: Service, document_id: UUID, condition: object, *, why: str) -> bool:
    """Removes a document as long as ``condition`` holds for its row; returns whether it was removed."""
    with unit_of_work(service.database):
        row = DocumentRow.get_or_none(DocumentRow.id == document_id)
        if row is None or not DocumentRow.delete().where(DocumentRow.id == document_id, condition).execute():
            return False  # somebody was faster; that one wins
        freed = [key for key in {row.blob_key, row.modified_blob_key} if key is not None and not _is_shared(key)]
        BlobRow.delete().where(BlobRow.key.in_(freed)).execute()
    for key in freed:
        service.storage.delete(key)
    _log.info("document removed", document_id=str(document_id), why=why)
    return True


def _is_shared(key: str) -> bool:
    return DocumentRow.select().where((DocumentRow.blob == key) | (DocumentRow.modified_blob == key)).exists()
