"""Making independent documents of the same content. No bytes are copied: both refer to the same blobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from peewee import IntegrityError

from osis_document_server.domain.access import Caller
from osis_document_server.domain.documents import Document, Status
from osis_document_server.domain.names import resolve_path
from osis_document_server.errors import DocumentNotConfirmed, ServiceError
from osis_document_server.models import rows
from osis_document_server.models.database import unit_of_work
from osis_document_server.models.tables import DocumentRow, UploadRow
from osis_document_server.usecases import access, upload_sessions
from osis_document_server.usecases.limits import require_batch
from osis_document_server.usecases.service import Service


@dataclass(frozen=True, kw_only=True)
class Duplication:
    """One document to duplicate."""

    document_id: UUID
    #: The duplicate's id; None: a random one.
    new_document_id: UUID | None = None
    #: The duplicate's logical path; empty: the same.
    path: str = ""


class DuplicateDocuments:
    """Duplicates documents."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def duplicate(self, caller: Caller, items: Sequence[Duplication], *, with_modified: bool) -> list[Document | ServiceError]:
        """Returns one result per item, in order: the duplicate, confirmed and kept for ever, or why there is none.

        A duplicate with a chosen id that exists already is answered as it is.

        Args:
            caller: who gets the duplicates.
            items: 1 to 1,000 documents.
            with_modified: the modified copies are shared along with the originals.

        Raises:
            BatchTooLarge: more than 1,000 items, or none.
        """
        require_batch(len(items), field="documents")
        chosen = [item.new_document_id or uuid4() for item in items]
        try:
            return self._duplicate_all(caller, items, chosen, with_modified=with_modified)
        except IntegrityError:  # somebody has taken one of the ids meanwhile; now it can be seen by whom
            return self._duplicate_all(caller, items, chosen, with_modified=with_modified)

    def _duplicate_all(
        self, caller: Caller, items: Sequence[Duplication], chosen: Sequence[UUID], *, with_modified: bool
    ) -> list[Document | ServiceError]:
        now = self._service.now()
        with unit_of_work(self._service.database):
            found = rows.find_documents(self._service.database, [*(item.document_id for item in items), *chosen], lock=True)
            results: list[ServiceError | None] = []
            for item, new_id in zip(items, chosen, strict=True):
                try:
                    self._duplicate_one(caller, item, new_id, found, with_modified=with_modified, now=now)
                except ServiceError as exc:
                    results.append(exc)
                else:
                    results.append(None)
                    found |= rows.find_documents(self._service.database, [new_id])
        return [error or found[new_id] for error, new_id in zip(results, chosen, strict=True)]

    def _duplicate_one(
        self,
        caller: Caller,
        item: Duplication,
        new_id: UUID,
        found: Mapping[UUID, Document],
        *,
        with_modified: bool,
        now: datetime,
    ) -> None:
        source = access.require_open(found.get(item.document_id), item.document_id)
        if source.status is not Status.UPLOADED:
            raise DocumentNotConfirmed(
                f"Document {source.id} is not confirmed yet. Confirm its upload first.", document_id=source.id
            )
        if new_id in found:
            _require_duplicate(found[new_id], source, caller)
            return
        if UploadRow.select().where(UploadRow.id == new_id).exists():
            raise upload_sessions.taken(new_id)
        modified = source.modified if with_modified else None
        access.require_sound(source, modified=False)
        if modified is not None:
            access.require_sound(source, modified=True)
        path = resolve_path(item.path, source.name) if item.path else source.path
        DocumentRow.create(
            id=new_id,
            name=source.name,
            folded_name=source.name.casefold(),
            mime_type=source.mime_type,
            blob=source.blob.key,
            status=Status.UPLOADED,
            path=path,
            metadata=dict(source.metadata),
            client=caller.name,
            uploaded_at=now,
            updated_at=now,
            modified_blob=modified.blob.key if modified else None,
            modified_mime_type=modified.mime_type if modified else "",
            modified_created_at=modified.created_at if modified else None,
            modified_updated_at=modified.updated_at if modified else None,
        )


def _require_duplicate(existing: Document, source: Document, caller: Caller) -> None:
    """Raises ``UploadIdTaken`` unless ``existing`` is what duplicating ``source`` once made.

    Once it has been edited it has bytes of its own, which tell nothing of where it came from.
    """
    is_ours = existing.id != source.id and existing.client == caller.name
    if not is_ours or (existing.revision == 0 and source.revision == 0 and existing.blob.key != source.blob.key):
        raise upload_sessions.taken(existing.id)
