"""Confirming uploads: from then on the service keeps them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from osis_document_server.domain.documents import Document, ExpirationPolicy, Status
from osis_document_server.domain.names import resolve_path
from osis_document_server.domain.tokens import Claims, Purpose
from osis_document_server.errors import ArgumentInvalid, ServiceError, TokenWrongPurpose
from osis_document_server.models import rows
from osis_document_server.models.database import unit_of_work
from osis_document_server.models.tables import DocumentRow
from osis_document_server.usecases import access
from osis_document_server.usecases.limits import require_batch, require_metadata_size
from osis_document_server.usecases.service import Service

#: How long a hold lasts if the caller does not say.
DEFAULT_HOLD = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """One upload to confirm."""

    token: str
    path: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    expiration_policy: ExpirationPolicy = ExpirationPolicy.NONE


class ConfirmUploads:
    """Confirms uploads, all of them or none."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def confirm(self, items: Sequence[Confirmation], *, request_id: str = "", hold: timedelta | None = None) -> list[Document]:
        """Confirms ``items`` and returns their documents, in order.

        Args:
            items: 1 to 1,000 uploads.
            request_id: the same for a repeated call, which then gets the first answer.
            hold: if given, the documents are removed after this time unless they are finalised.

        Raises:
            ServiceError: the first item's refusal, with its ``index`` and ``document_id`` in the metadata; nothing is changed.
        """
        require_batch(len(items), field="uploads")
        now = self._service.now()
        claims = []
        for index, item in enumerate(items):
            with _naming(index=index):
                if not item.token:
                    raise ArgumentInvalid(
                        "The token is missing. An upload answers none once its document is confirmed.", field="uploads.token"
                    )
                claims.append(access.verify(self._service, item.token))
        with unit_of_work(self._service.database):
            found = rows.find_documents(self._service.database, (claim.document_id for claim in claims), lock=True)
            for index, (item, claim) in enumerate(zip(items, claims, strict=True)):
                with _naming(index=index, document_id=claim.document_id):
                    self._confirm_one(item, claim, found, request_id=request_id, hold=hold, now=now)
            documents = rows.find_documents(self._service.database, found)
        return [documents[claim.document_id] for claim in claims]

    def _confirm_one(
        self,
        item: Confirmation,
        claims: Claims,
        found: Mapping[UUID, Document],
        *,
        request_id: str,
        hold: timedelta | None,
        now: datetime,
    ) -> None:
        document = access.require_open(found.get(claims.document_id), claims.document_id)
        if claims.purpose is Purpose.READ:
            claims.require(Purpose.UPLOAD, Purpose.WRITE)
        if document.status is Status.UPLOADED:
            if claims.purpose is Purpose.WRITE or (request_id and document.confirm_request_id == request_id):
                return
            raise access.spent(document.id)
        if claims.purpose is Purpose.WRITE:
            raise TokenWrongPurpose(
                f"Document {document.id} is not confirmed yet; that needs the token that its upload answered.",
                purpose=claims.purpose,
                needed=Purpose.UPLOAD,
            )
        metadata = {**document.metadata, **item.metadata}
        require_metadata_size(len(json.dumps(metadata).encode()), field="metadata")
        expires_at = None
        if item.expiration_policy is ExpirationPolicy.EXPORT:
            expires_at = now + self._service.limits.export_max_age
        confirmed = (
            DocumentRow.update(
                status=Status.UPLOADED,
                path=resolve_path(item.path, document.name),
                metadata=metadata,
                expiration_policy=item.expiration_policy,
                expires_at=expires_at,
                hold_expires_at=None if hold is None else now + hold,
                confirm_request_id=request_id or None,
                updated_at=now,
            )
            .where(
                DocumentRow.id == document.id,
                DocumentRow.status == Status.REQUESTED,
                DocumentRow.revision == claims.revision,
            )
            .execute()
        )
        if not confirmed:
            raise access.spent(document.id)


@contextmanager
def _naming(**metadata: object) -> Iterator[None]:
    """Adds to a refusal which item it was."""
    try:
        yield
    except ServiceError as exc:
        exc.metadata |= {key: str(value) for key, value in metadata.items()}
        raise
