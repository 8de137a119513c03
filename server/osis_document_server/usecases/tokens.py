"""Making tokens for documents."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from osis_document_server.domain.tokens import Purpose, SignedToken
from osis_document_server.models import rows
from osis_document_server.models.database import reading
from osis_document_server.usecases import access
from osis_document_server.usecases.service import Service


@dataclass(frozen=True, kw_only=True)
class TokenWish:
    """What a token is wanted for."""

    document_id: UUID
    purpose: Purpose
    #: None: the service's usual time.
    ttl: timedelta | None = None
    modified: bool = False


class Tokens:
    """Makes tokens."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def create(self, wish: TokenWish) -> SignedToken:
        """Makes one token. Writes nothing.

        Raises:
            ArgumentInvalid: the ttl is out of bounds.
            DocumentNotFound, DocumentDeleted, DocumentInfected, DocumentCorrupt, ModifiedCopyNotFound: there is nothing to open.
        """
        ttl = self._service.limits.token_ttl(wish.ttl)
        with reading(self._service.database):
            document = rows.find_document(self._service.database, wish.document_id)
        if document is None:
            raise access.not_found(wish.document_id)
        document.require_open()
        # Saving an edit makes the modified copy: to write it, it need not exist yet.
        access.require_sound(document, modified=wish.modified and wish.purpose is Purpose.READ)
        return self._service.signer.sign(
            document.id,
            purpose=wish.purpose,
            revision=document.revision,
            ttl=ttl,
            now=self._service.now(),
            modified=wish.modified,
        )
