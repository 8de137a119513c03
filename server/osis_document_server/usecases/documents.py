"""Describing documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from osis_document_server.domain.documents import Document
from osis_document_server.domain.tokens import Claims
from osis_document_server.errors import ServiceError
from osis_document_server.models import rows
from osis_document_server.models.database import reading
from osis_document_server.usecases import access
from osis_document_server.usecases.limits import require_batch
from osis_document_server.usecases.service import Service


@dataclass(frozen=True, kw_only=True)
class Description:
    """A document, as somebody asked for it."""

    document: Document
    #: True when it was asked for by a token for its modified copy.
    for_modified: bool = False


class Documents:
    """Describes documents."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self, ref: UUID | str) -> Description:
        """Returns a document: by its id, deleted and infected ones too; or by a token, what the token reads.

        Raises:
            DocumentNotFound: there is none; by token also
            TokenInvalid, TokenExpired, DocumentDeleted, DocumentInfected, DocumentCorrupt, ModifiedCopyNotFound.
        """
        [result] = self.describe_all([ref])
        if isinstance(result, ServiceError):
            raise result
        return result

    def describe_all(self, refs: Sequence[UUID | str]) -> list[Description | ServiceError]:
        """Returns one result per id or token, in order, with one query for all.

        Raises:
            BatchTooLarge: more than 1,000, or none.
        """
        require_batch(len(refs), field="documents")
        asked = [self._asked(ref) for ref in refs]
        document_ids = [ask.document_id if isinstance(ask, Claims) else ask for ask in asked if not isinstance(ask, ServiceError)]
        with reading(self._service.database):
            found = rows.find_documents(self._service.database, document_ids)
        return [_described(ask, found) for ask in asked]

    def _asked(self, ref: UUID | str) -> UUID | Claims | ServiceError:
        if isinstance(ref, UUID):
            return ref
        try:
            return access.verify(self._service, ref)
        except ServiceError as exc:
            return exc


def _described(ask: UUID | Claims | ServiceError, found: dict[UUID, Document]) -> Description | ServiceError:
    try:
        match ask:
            case ServiceError():
                return ask
            case Claims():
                document = access.require_readable(found.get(ask.document_id), ask)
                return Description(document=document, for_modified=ask.modified)
            case UUID():
                return Description(document=access.require_found(found.get(ask), ask))
    except ServiceError as exc:
        return exc
