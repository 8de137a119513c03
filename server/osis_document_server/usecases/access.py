"""From a token to the document it opens."""

from uuid import UUID

from osis_document_server.domain.documents import Document, Status
from osis_document_server.domain.tokens import Claims, Purpose
from osis_document_server.errors import DocumentCorrupt, DocumentNotFound, ModifiedCopyNotFound, TokenSpent
from osis_document_server.models import rows
from osis_document_server.models.database import reading
from osis_document_server.usecases.service import Service


def verify(service: Service, token: str) -> Claims:
    """Returns what a token says.

    Raises:
        TokenInvalid, TokenExpired: it is none of ours, or too old.
    """
    return service.signer.verify(token, now=service.now())


def readable_document(service: Service, claims: Claims) -> Document:
    """Returns the document that a token reads, whatever the token's purpose and revision.

    Raises:
        DocumentNotFound, DocumentDeleted, DocumentInfected, DocumentCorrupt, ModifiedCopyNotFound: it is not to be had.
    """
    with reading(service.database):
        return require_readable(rows.find_document(service.database, claims.document_id), claims)


def require_found(document: Document | None, document_id: UUID) -> Document:
    """Returns a document that was looked for.

    Raises:
        DocumentNotFound: nothing was found.
    """
    if document is None:
        raise not_found(document_id)
    return document


def require_open(document: Document | None, document_id: UUID) -> Document:
    """Returns a document that was looked for and is neither deleted nor infected.

    Raises:
        DocumentNotFound, DocumentDeleted, DocumentInfected: it is not to be had.
    """
    found = require_found(document, document_id)
    found.require_open()
    return found


def require_readable(document: Document | None, claims: Claims) -> Document:
    """Returns the document that was found for a token, whatever the token's purpose and revision.

    Raises:
        DocumentNotFound, DocumentDeleted, DocumentInfected, DocumentCorrupt, ModifiedCopyNotFound: it is not to be had.
    """
    found = require_open(document, claims.document_id)
    require_sound(found, modified=claims.modified)
    return found


def require_unspent(document: Document, claims: Claims) -> None:
    """Raises ``TokenSpent`` when a token's one change of content is done, or its document has changed since it was made."""
    confirmed = claims.purpose is Purpose.UPLOAD and document.status is not Status.REQUESTED
    if confirmed or claims.revision != document.revision:
        raise spent(document.id)


def require_sound(document: Document, *, modified: bool) -> None:
    """Raises ``ModifiedCopyNotFound`` or ``DocumentCorrupt`` when the wanted content of a document is not to be had."""
    if modified and document.modified is None:
        raise ModifiedCopyNotFound(
            f"Document {document.id} has no modified copy. Read the original, or save an edit first.", document_id=document.id
        )
    blob = document.modified.blob if modified and document.modified else document.blob
    if blob.corrupt:
        raise corrupt(document.id)


def not_found(document_id: UUID) -> DocumentNotFound:
    """Returns the error for an id that no document has."""
    return DocumentNotFound(
        f"There is no document {document_id}: the id is wrong, or the document was removed for good.", document_id=document_id
    )


def spent(document_id: UUID) -> TokenSpent:
    """Returns the error for a token that has no change left."""
    return TokenSpent(
        f"The token of document {document_id} was used already, or the document has changed since. "
        "Ask for a write token with CreateToken to change it further.",
        document_id=document_id,
    )


def corrupt(document_id: UUID, *, block: int | None = None) -> DocumentCorrupt:
    """Returns the error for a document whose stored bytes are damaged."""
    return DocumentCorrupt(
        f"Stored bytes of document {document_id} are damaged, so none of it is handed out. Restore them from a backup.",
        document_id=document_id,
        block="" if block is None else block,
    )
