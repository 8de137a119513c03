"""Changing what a document is called, and the users' own keys."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from osis_document_server.domain.documents import Document
from osis_document_server.domain.names import check_name, extension_of
from osis_document_server.domain.tokens import Purpose
from osis_document_server.models import rows
from osis_document_server.models.database import unit_of_work
from osis_document_server.models.tables import DocumentRow
from osis_document_server.storage.content_type import require_agreement
from osis_document_server.usecases import access
from osis_document_server.usecases.limits import require_metadata_size
from osis_document_server.usecases.service import Service


@dataclass(frozen=True, kw_only=True)
class MetadataChange:
    """What is to change."""

    #: None: the name stays.
    name: str | None = None
    #: Keys to set.
    keys: Mapping[str, Any] = field(default_factory=dict)
    #: Keys to remove.
    removed_keys: Sequence[str] = ()


class UpdateMetadata:
    """Changes names and own keys."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def update(self, token: str, change: MetadataChange) -> Document:
        """Changes the document that a token writes to, and returns it. The token stays good.

        Raises:
            TokenInvalid, TokenExpired, TokenWrongPurpose: the token does not allow it.
            DocumentNotFound, DocumentDeleted, DocumentInfected: the document is not to be had.
            NameInvalid, ExtensionNotAllowed, MimeMismatch, MetadataInvalid: it cannot be called so, or have such keys.
        """
        claims = access.verify(self._service, token)
        claims.require(Purpose.WRITE, Purpose.UPLOAD)
        with unit_of_work(self._service.database):
            found = rows.find_documents(self._service.database, [claims.document_id], lock=True)
            document = access.require_open(found.get(claims.document_id), claims.document_id)
            name = document.name if change.name is None else self._checked_name(change.name, document)
            metadata = {**document.metadata, **change.keys}
            for key in change.removed_keys:
                metadata.pop(key, None)
            require_metadata_size(len(json.dumps(metadata).encode()), field="metadata")
            DocumentRow.update(name=name, folded_name=name.casefold(), metadata=metadata, updated_at=self._service.now()).where(
                DocumentRow.id == document.id
            ).execute()
            found = rows.find_documents(self._service.database, [document.id])
        return found[document.id]

    def _checked_name(self, name: str, document: Document) -> str:
        name = check_name(name)
        extension = extension_of(name)
        if extension != extension_of(document.name):  # what was accepted once stays good
            self._service.limits.require_extension(extension, field="name")
            if self._service.limits.validate_types:
                require_agreement(name, extension=extension, detected=document.mime_type)
        return name
