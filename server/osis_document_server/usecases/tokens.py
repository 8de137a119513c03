"""Making tokens for documents, and telling what a token is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from osis_document_server.domain.documents import Document
from osis_document_server.domain.jobs import Job
from osis_document_server.domain.tokens import Claims, Purpose, SignedToken
from osis_document_server.errors import ServiceError
from osis_document_server.models import rows
from osis_document_server.models.database import reading
from osis_document_server.usecases import access, wanted_results
from osis_document_server.usecases.limits import require_batch
from osis_document_server.usecases.service import Service
from osis_document_server.usecases.wanted_results import Wanted


@dataclass(frozen=True, kw_only=True)
class TokenWish:
    """What a token is wanted for."""

    document_id: UUID
    purpose: Purpose
    #: None: the service's usual time.
    ttl: timedelta | None = None
    modified: bool = False
    wanted: Wanted = Wanted.NEWEST

    @property
    def wants_result(self) -> bool:
        """True when the token may be for what post-processing made of the document; a modified copy is the document's own."""
        return self.wanted is not Wanted.ORIGINAL and not self.modified


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a token is."""

    claims: Claims
    #: Why it would be refused now; None: it is good.
    refusal: ServiceError | None


class Tokens:
    """Makes tokens, and explains them."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def create(self, wish: TokenWish) -> SignedToken | Job:
        """Makes one token, or answers the job that has not made what is wanted. Writes nothing.

        Raises:
            ArgumentInvalid: the ttl is out of bounds.
            DocumentNotFound, DocumentDeleted, DocumentInfected, DocumentCorrupt, ModifiedCopyNotFound: there is nothing to open.
        """
        [outcome] = self.create_all([wish])
        if isinstance(outcome, ServiceError):
            raise outcome
        return outcome

    def create_all(self, wishes: Sequence[TokenWish | ServiceError]) -> list[SignedToken | Job | ServiceError]:
        """Makes one token per wish, in order, or tells why there is none. A few queries serve all.

        Raises:
            BatchTooLarge: more than 1,000 wishes, or none.
        """
        require_batch(len(wishes), field="requests")
        asked = [wish for wish in wishes if isinstance(wish, TokenWish)]
        with reading(self._service.database):
            results = wanted_results.find({(wish.document_id, wish.wanted) for wish in asked if wish.wants_result})
            opened = {result for result in results.values() if isinstance(result, UUID)}
            found = rows.find_documents(self._service.database, {wish.document_id for wish in asked} | opened)
        return [wish if isinstance(wish, ServiceError) else self._outcome(wish, results, found) for wish in wishes]

    def inspect(self, token: str) -> Inspection:
        """Tells what a token says, and whether it would be refused now.

        Raises:
            TokenInvalid: it is none of ours.
        """
        now = self._service.now()
        claims = self._service.signer.verify(token, now=now, allow_expired=True)
        with reading(self._service.database):
            document = rows.find_document(self._service.database, claims.document_id)
        try:
            self._service.signer.verify(token, now=now)
            found = access.require_open(document, claims.document_id)
            access.require_sound(found, modified=claims.modified and claims.purpose is Purpose.READ)
            if claims.purpose is not Purpose.READ:
                access.require_unspent(found, claims)
        except ServiceError as exc:
            return Inspection(claims=claims, refusal=exc)
        return Inspection(claims=claims, refusal=None)

    def _outcome(
        self, wish: TokenWish, results: Mapping[tuple[UUID, Wanted], UUID | Job], found: Mapping[UUID, Document]
    ) -> SignedToken | Job | ServiceError:
        try:
            ttl = self._service.limits.token_ttl(wish.ttl)
            # What was made of a document opens no sooner than the document itself.
            document = access.require_open(found.get(wish.document_id), wish.document_id)
            if wish.wants_result:
                result = results.get((wish.document_id, wish.wanted), document.id)
                if isinstance(result, Job):
                    return result
                document = access.require_open(found.get(result), result)
            # Saving an edit makes the modified copy: to write it, it need not exist yet.
            access.require_sound(document, modified=wish.modified and wish.purpose is Purpose.READ)
        except ServiceError as exc:
            return exc
        return self._service.signer.sign(
            document.id,
            purpose=wish.purpose,
            revision=document.revision,
            ttl=ttl,
            now=self._service.now(),
            modified=wish.modified,
        )
