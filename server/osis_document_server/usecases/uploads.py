"""Uploads, as callers see them: started, written, asked after, cancelled."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from peewee import IntegrityError

from osis_document_server.domain.access import Caller, Role
from osis_document_server.domain.documents import Document, Status
from osis_document_server.domain.names import check_name, extension_of, resolve_path
from osis_document_server.domain.tokens import Purpose, SignedToken
from osis_document_server.domain.uploads import Chunk, Finished, Session, Unfinished, UploadSpec
from osis_document_server.errors import (
    AlreadyConfirmed,
    ArgumentInvalid,
    EmptyFile,
    FileTooLarge,
    HashMismatch,
    MimeMismatch,
    RoleNotAllowed,
    ServiceError,
    SizeMismatch,
    StorageFull,
    UploadCancelled,
    UploadNotFound,
    WriterSuperseded,
)
from osis_document_server.models import rows
from osis_document_server.models.database import locked, reading, unit_of_work
from osis_document_server.models.tables import UploadRow
from osis_document_server.storage.disk import unavailable
from osis_document_server.storage.spool import segment_name
from osis_document_server.usecases import finishing, leases, removal, upload_sessions
from osis_document_server.usecases.limits import require_metadata_size
from osis_document_server.usecases.receiving import Arrived, Receiver, empty, require_same_content, too_large
from osis_document_server.usecases.service import Service

if TYPE_CHECKING:
    from osis_document_server.usecases.upload_limit import UploadLimit

#: The content itself is at fault, or there is no room for it: sending the rest would not help, so nothing is kept.
_FINAL = (EmptyFile, FileTooLarge, SizeMismatch, HashMismatch, MimeMismatch, StorageFull)


class Uploads:
    """Takes uploads in.

    Args:
        service: what all use cases work with.
        limit: how many uploads each client may begin; None: any number.
    """

    def __init__(self, service: Service, limit: "UploadLimit | None" = None) -> None:
        self._service = service
        self._limit = limit

    def start(self, caller: Caller, spec: UploadSpec) -> Finished | Unfinished:
        """Registers an upload without bytes; repeating it answers how far it has come.

        Raises:
            NameInvalid, PathInvalid, ExtensionNotAllowed, FileTooLarge, EmptyFile, MetadataInvalid, ArgumentInvalid,
            RoleNotAllowed: the spec cannot be accepted.
            UploadIdTaken, UploadSpecConflict: the id is another's, or was used with another spec.
            UploadLimitReached: the client has begun as many as it may.
            StorageFull, StorageUnavailable: what is to come would not fit, or could not be taken in.
        """
        spec = self._checked(caller, spec)
        self._count(caller, spec)
        with unit_of_work(self._service.database):
            found = self._find(caller, spec.upload_id, spec)
            if isinstance(found, Document):
                return self._answer(found)
            self._service.spool.require_room(_bytes_to_come(spec, found.persisted_size))
            return self._unfinished(found)

    def write(self, caller: Caller, target: UploadSpec | UUID, chunks: Iterable[Chunk]) -> Finished | Unfinished:
        """Streams bytes in from where the upload is and, once they say so, makes a document of it.

        The bytes are durable before the row that names them is written. When the content is at fault nothing is kept; when the
        stream breaks off, what came stays, to be resumed. Repeating an upload that is finished answers the document again.

        Args:
            caller: who uploads.
            target: a spec, which registers the upload where that has not happened; or the id of one that is registered.
            chunks: what arrives.

        Raises:
            those of ``start``; UploadNotFound: no upload has that id.
            OffsetGap, EmptyFile, FileTooLarge, SizeMismatch, HashMismatch, MimeMismatch: the bytes cannot be accepted.
            WriterSuperseded, UploadCancelled: somebody else has the upload now.
            StorageFull, StorageUnavailable, DatabaseUnavailable: the service cannot take it now.
        """
        upload_id, spec = (target, None) if isinstance(target, UUID) else (target.upload_id, self._checked(caller, target))
        if spec is not None:
            self._count(caller, spec)
        with unit_of_work(self._service.database):
            found = self._find(caller, upload_id, spec)
            if not isinstance(found, Document):
                if found.lease_id is not None:
                    leases.require_lease(found.lease_id, now=self._service.now())
                session = upload_sessions.take_over(found, now=self._service.now())
        if isinstance(found, Document):
            require_same_content(found, chunks)
            return self._answer(found)
        name = segment_name(upload_id, session.number)
        arrived: Arrived | None = None
        try:
            with self._service.spool.create(name, expected_bytes=_bytes_to_come(session.spec, session.start)) as file:
                receiver = Receiver(self._service, session, file, max_bytes=self._max_bytes(caller))
                arrived = receiver.receive(chunks)
                if arrived is None:
                    return self._interrupted(session, receiver.record())
                document = finishing.finish(self._service, caller, session, arrived)
        except (WriterSuperseded, UploadCancelled, FileNotFoundError) as exc:
            # Whoever took it over may have finished it meanwhile (and removed this segment with its own); theirs is the answer.
            if isinstance(exc, FileNotFoundError) and self._is_current(session):
                self._discard_without_bytes(session)
                raise unavailable(f"a segment has vanished that nobody else has removed: {exc}") from exc
            self._service.spool.remove(name)
            return self._answer_of_another(caller, spec, session, arrived)
        except _FINAL:
            self._discard(session)
            raise
        except ServiceError:
            self._discard_without_bytes(session)
            raise
        except IntegrityError:
            # Another stream has made the document meanwhile; theirs stands.
            self._discard(session)
            return self._answer_of_another(caller, spec, session, arrived)
        return self._answer(document)

    def status(self, caller: Caller, upload_id: UUID) -> Finished | Unfinished:
        """Tells how far an upload has come.

        Raises:
            UploadNotFound: there is none.
            UploadIdTaken: it is another client's.
        """
        with unit_of_work(self._service.database):
            found = self._find(caller, upload_id, None)
            return self._answer(found) if isinstance(found, Document) else self._unfinished(found)

    def cancel(self, caller: Caller, upload_id: UUID) -> None:
        """Removes an upload that is not confirmed, and its bytes. One that is gone already is no error.

        Raises:
            UploadIdTaken: it is another client's.
            AlreadyConfirmed: it is a document by now.
        """
        with unit_of_work(self._service.database):
            row = self._locked(upload_id)  # first: whoever is finishing it ends its row, and then there is the document
            document = self._finished(caller, upload_id, None)
            _require_unconfirmed(document)
            if row is not None:
                upload_sessions.require_same(row, caller, None)
                row.delete_instance()
        if document is not None and not removal.remove_unconfirmed(self._service, upload_id, why="cancelled"):
            with reading(self._service.database):  # confirmed just now, or gone
                _require_unconfirmed(rows.find_document(self._service.database, upload_id))
        upload_sessions.remove_bytes(self._service, upload_id, upload_sessions.blob_keys(row) if row is not None else ())

    def _checked(self, caller: Caller, spec: UploadSpec) -> UploadSpec:
        name = check_name(spec.name, field="upload_spec.name")
        if spec.size_bytes is not None:
            if spec.size_bytes == 0:
                raise empty(name)
            if spec.size_bytes < 0:
                raise ArgumentInvalid(
                    f"upload_spec.size_bytes is {spec.size_bytes}; a file has at least 1 byte.", field="upload_spec.size_bytes"
                )
            limit = self._max_bytes(caller)
            if limit is not None and spec.size_bytes > limit:
                raise too_large(spec.size_bytes, limit)
        self._require_role(caller, spec)
        if spec.imported is not None:
            resolve_path(spec.imported.path, name, field="upload_spec.imported.path")
        elif caller.role is not Role.WORKER:
            self._service.limits.require_extension(extension_of(name), field="upload_spec.name")
        require_metadata_size(len(json.dumps(dict(spec.metadata)).encode()), field="upload_spec.metadata")
        return UploadSpec(**{**vars(spec), "name": name})

    def _count(self, caller: Caller, spec: UploadSpec) -> None:
        """Counts an upload that begins. One that goes on or is repeated is none, and a worker's belongs to a client's job."""
        if self._limit is None or caller.role is Role.WORKER or spec.imported is not None:
            return
        with reading(self._service.database):
            begins = (
                not UploadRow.select().where(UploadRow.id == spec.upload_id).exists()
                and rows.find_document(self._service.database, spec.upload_id) is None
            )
        if begins:
            self._limit.count(caller.name)

    def _require_role(self, caller: Caller, spec: UploadSpec) -> None:
        if caller.role is Role.WORKER:
            if spec.lease_id is None:
                raise RoleNotAllowed(
                    "A worker's key uploads the outputs of its tasks only: name the lease in upload_spec.lease_id.",
                    role=caller.role,
                    needed=Role.CLIENT,
                )
            with reading(self._service.database):
                leases.require_lease(spec.lease_id, now=self._service.now())
        elif spec.lease_id is not None:
            raise RoleNotAllowed("upload_spec.lease_id is for workers' keys.", role=caller.role, needed=Role.WORKER)
        if spec.imported is not None and caller.role is not Role.ADMIN:
            raise RoleNotAllowed("upload_spec.imported is for admins' keys.", role=caller.role, needed=Role.ADMIN)

    def _max_bytes(self, caller: Caller) -> int | None:
        # What a worker makes of accepted documents may be larger than they are: a merge of ten is. What an import brings was
        # accepted elsewhere.
        return self._service.limits.max_upload_size if caller.role is Role.CLIENT else None

    def _finished(self, caller: Caller, upload_id: UUID, spec: UploadSpec | None) -> Document | None:
        """Returns the document that the upload has become, if it has."""
        document = rows.find_document(self._service.database, upload_id)
        if document is None:
            return None
        if document.client != caller.name or (document.lease_id is not None) != (caller.role is Role.WORKER):
            raise upload_sessions.taken(upload_id)
        if spec is not None:
            if spec.name != document.name and document.status is Status.REQUESTED:
                raise upload_sessions.conflict(upload_id, "name")
            if spec.size_bytes is not None and spec.size_bytes != document.blob.size_bytes and document.revision == 0:
                raise upload_sessions.conflict(upload_id, "size_bytes")
        return document

    def _find(self, caller: Caller, upload_id: UUID, spec: UploadSpec | None) -> Document | UploadRow:
        """Returns the document that the upload has become, else its row, locked. A spec makes a row where there is neither.

        Within a unit of work.
        """
        while True:
            made = spec and upload_sessions.register(caller, spec, now=self._service.now())
            # The row first: whoever is finishing the upload ends it, and then there is the document.
            row = made or self._locked(upload_id)
            if document := self._finished(caller, upload_id, spec):
                if row is not None:
                    row.delete_instance()  # the upload had ended before this row was made
                return document
            if row is not None:
                upload_sessions.require_same(row, caller, spec)
                return row
            if spec is None:
                raise UploadNotFound(
                    f"There is no upload {upload_id}. Start it with an upload_spec; uploads that stay unfinished or unconfirmed "
                    "for too long are removed.",
                    upload_id=upload_id,
                )

    def _locked(self, upload_id: UUID) -> UploadRow | None:
        query = UploadRow.select().where(UploadRow.id == upload_id)
        row: UploadRow | None = locked(self._service.database, query, table=UploadRow).first()
        return row

    def _unfinished(self, row: UploadRow) -> Unfinished:
        return Unfinished(
            persisted_size=row.persisted_size,
            expires_at=row.updated_at + self._service.limits.temp_upload_max_age,
            size_bytes=row.size_bytes,
        )

    def _interrupted(self, session: Session, persisted_size: int) -> Unfinished:
        return Unfinished(
            persisted_size=persisted_size,
            expires_at=self._service.now() + self._service.limits.temp_upload_max_age,
            size_bytes=session.spec.size_bytes,
        )

    def _answer_of_another(self, caller: Caller, spec: UploadSpec | None, session: Session, arrived: Arrived | None) -> Finished:
        """Returns what another stream has made of the upload meanwhile, if this one brought the same file.

        Raises:
            WriterSuperseded, UploadCancelled: it made nothing of it, or nobody knows whether it is the same file.
            UploadSpecConflict: it is another file.
        """
        upload_id = session.spec.upload_id
        with unit_of_work(self._service.database):
            self._locked(upload_id)  # first, as in `_find`
            document = self._finished(caller, upload_id, spec)
            if document is None:
                raise upload_sessions.over(session) from None
        sha256 = "" if arrived is None else arrived.content.sha256 if arrived.content else arrived.declared_sha256
        if not sha256:
            raise upload_sessions.superseded(upload_id) from None
        if document.revision == 0 and sha256 != document.blob.sha256:
            raise upload_sessions.conflict(upload_id, "content") from None
        return self._answer(document)

    def _discard(self, session: Session) -> None:
        """Removes an upload whose content is at fault."""
        try:
            with unit_of_work(self._service.database):
                upload_sessions.end(session)
        except (WriterSuperseded, UploadCancelled):
            return
        upload_sessions.remove_bytes(self._service, session.spec.upload_id, session.blob_keys)

    def _discard_without_bytes(self, session: Session) -> None:
        """Removes an upload that was refused at its first message: there is nothing to resume."""
        if session.epoch == 1 and not self._has_bytes(session.spec.upload_id):
            self._discard(session)

    def _is_current(self, session: Session) -> bool:
        try:
            with reading(self._service.database):
                upload_sessions.require_current(session)
        except (WriterSuperseded, UploadCancelled):
            return False
        return True

    def _has_bytes(self, upload_id: UUID) -> bool:
        with reading(self._service.database):
            return UploadRow.select().where(UploadRow.id == upload_id, UploadRow.persisted_size > 0).exists()

    def _answer(self, document: Document) -> Finished:
        return Finished(document=document, token=self._token(document))

    def _token(self, document: Document) -> SignedToken | None:
        if document.status is not Status.REQUESTED or document.lease_id is not None:
            return None  # confirmed already, or by its task
        return self._service.signer.sign(
            document.id,
            purpose=Purpose.UPLOAD,
            revision=document.revision,
            ttl=self._service.limits.token_max_age,
            now=self._service.now(),
        )


def _bytes_to_come(spec: UploadSpec, received: int) -> int:
    """Returns how much is still to be sent of what was declared; 0: nobody has said."""
    return max(0, (spec.size_bytes or 0) - received)


def _require_unconfirmed(document: Document | None) -> None:
    if document is not None and document.status is not Status.REQUESTED:
        raise AlreadyConfirmed(
            f"Upload {document.id} is a confirmed document by now. Delete it with DeleteDocuments.", upload_id=document.id
        )
