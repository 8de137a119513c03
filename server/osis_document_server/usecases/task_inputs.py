"""What a task reads: which documents, and all their bytes for the worker that holds it."""

import time
from collections.abc import Iterator
from uuid import UUID

from osis_document_server.domain.documents import Document
from osis_document_server.errors import ContentChanged
from osis_document_server.models import rows
from osis_document_server.models.database import reading
from osis_document_server.models.tables import TaskInputRow, TaskRow
from osis_document_server.usecases import access, leases
from osis_document_server.usecases.downloads import LOOK_SECONDS, Content, whole
from osis_document_server.usecases.service import Service


class TaskInputs:
    """Finds everything that a task reads."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def contents(self, lease_id: UUID) -> Iterator[Content]:
        """Yields the content of each document once, in the order of the inputs, as it was two seconds ago or later.

        Raises:
            LeaseLost: the lease is not in force (any more).
            DocumentNotFound, DocumentDeleted, DocumentInfected, DocumentCorrupt: one of them is not to be had (any more).
            ContentChanged: one of them has other content than when the task was claimed.
        """
        found, looked_at = self._look(lease_id), time.monotonic()
        for number in range(len(found)):
            if time.monotonic() - looked_at >= LOOK_SECONDS:
                found, looked_at = self._look(lease_id), time.monotonic()
            yield found[number]

    def _look(self, lease_id: UUID) -> list[Content]:
        with reading(self._service.database):
            task = leases.require_lease(lease_id, now=self._service.now())
            links = {link.document_id: link for link in links_of(task)}
            documents = rows.find_documents(self._service.database, links)
        return [_content(link, documents.get(document_id)) for document_id, link in links.items()]


def links_of(task: TaskRow) -> list[TaskInputRow]:
    """Returns the rows that say which documents a task reads, in order. Within a connection."""
    return list(TaskInputRow.select().where(TaskInputRow.task == task.id).order_by(TaskInputRow.position))


def reads_modified(link: TaskInputRow, document: Document) -> bool:
    """Says whether a task reads a document's modified copy, and not the original."""
    copy = document.modified
    return copy is not None and link.blob_key == copy.blob.key != document.blob.key


def _content(link: TaskInputRow, document: Document | None) -> Content:
    found = access.require_open(document, link.document_id)
    modified = reads_modified(link, found)
    access.require_sound(found, modified=modified)
    if not modified and link.blob_key != found.blob.key:
        raise ContentChanged(
            f"Document {found.id} has got other content since the task was claimed. Claim it once more.",
            document_id=found.id,
        )
    return whole(found, modified=modified)
