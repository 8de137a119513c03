"""Deleting documents, taking deletions back, declaring documents infected; each with what was made from them.

Jobs are locked before documents, both in the order of their ids, as everybody does; so nobody waits for each other. What was made
of a document may grow while the locks are awaited: then it is looked up again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import TypeVar
from uuid import UUID

from osis_document_server.domain.documents import Document, Status
from osis_document_server.errors import DocumentNotFound, ServerOverloaded, ServiceError
from osis_document_server.models import rows
from osis_document_server.models.bulk import in_chunks
from osis_document_server.models.database import unit_of_work
from osis_document_server.models.tables import DocumentRow
from osis_document_server.usecases import access, lineage, progress
from osis_document_server.usecases.limits import require_batch
from osis_document_server.usecases.service import Service

_T = TypeVar("_T")

#: How often the documents concerned are looked up anew. Each time somebody must have made one of them meanwhile.
_TRIES = 20


class Lifecycle:
    """Deletes, undeletes, infects."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def delete(self, document_ids: Sequence[UUID]) -> list[Document | ServiceError]:
        """Deletes documents and what was made from them, and returns one result per id, in order.

        Jobs over them are cancelled. Documents that are deleted already stay so.

        Raises:
            BatchTooLarge: more than 1,000 ids, or none.
        """
        require_batch(len(document_ids), field="document_ids")
        named = set(document_ids)

        def delete(found: Mapping[UUID, Document]) -> list[Document | ServiceError]:
            now = self._service.now()
            for status, ids in product((Status.REQUESTED, Status.UPLOADED), in_chunks(found)):
                DocumentRow.update(status=Status.DELETED, deleted_from=status, deleted_at=now, updated_at=now).where(
                    DocumentRow.id.in_(ids), DocumentRow.status == status
                ).execute()
            return self._results(document_ids)

        return self._change(lambda: named | lineage.made_from(named), delete, cancels_jobs=True)

    def undelete(self, document_ids: Sequence[UUID]) -> list[Document | ServiceError]:
        """Takes the deletion of documents and of what was made from them back, and returns one result per id, in order.

        What was also made from a document that stays deleted stays deleted with that one.

        Raises:
            BatchTooLarge: more than 1,000 ids, or none.
        """
        require_batch(len(document_ids), field="document_ids")
        named = set(document_ids)

        def undelete(found: Mapping[UUID, Document]) -> list[Document | ServiceError]:
            back = set(found)
            while staying := lineage.made_from_any_deleted(back - named, apart_from=back):
                back -= staying
            now = self._service.now()
            for ids in in_chunks(back):
                DocumentRow.update(status=DocumentRow.deleted_from, deleted_from=None, deleted_at=None, updated_at=now).where(
                    DocumentRow.id.in_(ids), DocumentRow.status == Status.DELETED
                ).execute()
            return self._results(document_ids)

        return self._change(lambda: named | lineage.made_from(named), undelete, cancels_jobs=False)

    def declare_infected(self, target: UUID | str) -> list[Document]:
        """Declares a document, or all with a path, infected for good, and returns all that are: those named first.

        So are all documents that share their bytes, and all that was made from any of them.

        Raises:
            DocumentNotFound: there is none.
        """

        def infect(found: Mapping[UUID, Document]) -> list[Document]:
            named, now = self._named(target), self._service.now()
            for ids in in_chunks(found):
                DocumentRow.update(status=Status.INFECTED, deleted_from=None, deleted_at=None, updated_at=now).where(
                    DocumentRow.id.in_(ids), DocumentRow.status != Status.INFECTED
                ).execute()
            infected = rows.find_documents(self._service.database, found)
            return sorted(infected.values(), key=lambda document: (document.id not in named, document.uploaded_at, document.id))

        return self._change(lambda: _contaminated(self._named(target)), infect, cancels_jobs=True)

    def _named(self, target: UUID | str) -> set[UUID]:
        meant = DocumentRow.id == target if isinstance(target, UUID) else DocumentRow.path == target
        named = {row.id for row in DocumentRow.select(DocumentRow.id).where(meant)}
        if not named and isinstance(target, UUID):
            raise access.not_found(target)
        if not named:
            raise DocumentNotFound(f"No document has the path {target!r}.", field="path", path=target)
        return named

    def _change(
        self, concerned: Callable[[], set[UUID]], change: Callable[[Mapping[UUID, Document]], _T], *, cancels_jobs: bool
    ) -> _T:
        """Locks all documents concerned, and the jobs over them, and changes them in the same unit of work."""
        for _ in range(_TRIES):
            with unit_of_work(self._service.database):
                document_ids = concerned()
                job_ids = lineage.unfinished_jobs_over(document_ids) if cancels_jobs else set()
                jobs = [progress.lock_job(self._service.database, job_id) for job_id in sorted(job_ids)]
                found = rows.find_documents(self._service.database, document_ids, lock=True)
                if concerned() != document_ids or (cancels_jobs and not lineage.unfinished_jobs_over(document_ids) <= job_ids):
                    continue
                now: datetime = self._service.now()
                for job in jobs:
                    progress.cancel(job, now=now)
                return change(found)
        raise ServerOverloaded("New documents are being made of these all the time. Try again shortly.", retry_after_seconds=1)

    def _results(self, document_ids: Sequence[UUID]) -> list[Document | ServiceError]:
        found = rows.find_documents(self._service.database, document_ids)
        return [_result(document_id, found.get(document_id)) for document_id in document_ids]


def _contaminated(named: set[UUID]) -> set[UUID]:
    """Everything that these documents' bytes are in."""
    known: set[UUID] = set()
    found = named
    while found != known:
        known = found
        found = lineage.sharing_bytes_with(known)
        found |= lineage.made_from(found)
    return known


def _result(document_id: UUID, document: Document | None) -> Document | ServiceError:
    try:
        found = access.require_found(document, document_id)
        if found.status is Status.INFECTED:
            found.require_open()
    except ServiceError as exc:
        return exc
    return found
