"""Describing documents."""

from uuid import UUID

from osis_document_server.domain.documents import Document
from osis_document_server.models import rows
from osis_document_server.models.database import reading
from osis_document_server.usecases import access
from osis_document_server.usecases.service import Service


class Documents:
    """Describes documents."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def by_id(self, document_id: UUID) -> Document:
        """Returns the document with this id, deleted and infected ones too.

        Raises:
            DocumentNotFound: there is none.
        """
        with reading(self._service.database):
            document = rows.find_document(self._service.database, document_id)
        if document is None:
            raise access.not_found(document_id)
        return document

    def by_token(self, token: str) -> tuple[Document, bool]:
        """Returns the document that a token reads, and whether the token is for its modified copy.

        Raises:
            TokenInvalid, TokenExpired, DocumentNotFound, DocumentDeleted, DocumentInfected, DocumentCorrupt,
            ModifiedCopyNotFound: the token opens nothing.
        """
        claims = access.verify(self._service, token)
        return access.readable_document(self._service, claims), claims.modified
