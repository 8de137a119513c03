"""Making held documents final, once what refers to them is committed."""

from collections.abc import Sequence
from uuid import UUID

from osis_document_server.domain.documents import Document
from osis_document_server.errors import ServiceError
from osis_document_server.models import rows
from osis_document_server.models.database import unit_of_work
from osis_document_server.models.tables import DocumentRow
from osis_document_server.usecases import access
from osis_document_server.usecases.limits import require_batch
from osis_document_server.usecases.service import Service


class FinalizeDocuments:
    """Ends holds."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def finalize(self, document_ids: Sequence[UUID]) -> list[Document | ServiceError]:
        """Returns one result per id, in order: the document, which is not held any more, or why it is not to be had.

        Raises:
            BatchTooLarge: more than 1,000 ids, or none.
        """
        require_batch(len(document_ids), field="document_ids")
        with unit_of_work(self._service.database):
            found = rows.find_documents(self._service.database, document_ids, lock=True)
            held = [document.id for document in found.values() if document.is_open and document.hold_expires_at is not None]
            if held:
                DocumentRow.update(hold_expires_at=None, updated_at=self._service.now()).where(DocumentRow.id.in_(held)).execute()
                found |= rows.find_documents(self._service.database, held)
        return [self._result(document_id, found.get(document_id)) for document_id in document_ids]

    def _result(self, document_id: UUID, document: Document | None) -> Document | ServiceError:
        try:
            return access.require_open(document, document_id)
        except ServiceError as exc:
            return exc
