"""Making a document of an upload whose bytes have all arrived."""

import hashlib
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from osis_document_server.domain.access import Caller
from osis_document_server.domain.blocks import BLOCK_SIZE, BlockChecksums
from osis_document_server.domain.documents import Document, Status
from osis_document_server.domain.names import extension_of, resolve_path
from osis_document_server.domain.uploads import Import, Session
from osis_document_server.models import rows
from osis_document_server.models.database import reading, unit_of_work
from osis_document_server.models.tables import BlobRow, DocumentRow, UploadRow
from osis_document_server.storage.content_type import require_agreement
from osis_document_server.storage.spool import segment_name
from osis_document_server.usecases import access, upload_sessions
from osis_document_server.usecases.receiving import Arrived, Content, require_hash
from osis_document_server.usecases.service import Service


def finish(service: Service, caller: Caller, session: Session, arrived: Arrived) -> Document:
    """Joins what was written, checks it, stores it durably, and then writes the rows that name it.

    Raises:
        HashMismatch, MimeMismatch: the content is not what it should be.
        WriterSuperseded, UploadCancelled: somebody else has the upload; theirs is the document, if there is one.
        StorageFull, StorageUnavailable, DatabaseUnavailable: it cannot be stored now.
    """
    spec = session.spec
    with reading(service.database):
        upload_sessions.require_current(session)  # a stale writer's bytes are not even looked at
    path, content = service.spool.path(segment_name(spec.upload_id, session.epoch)), arrived.content
    if content is None:
        path, content = _join(service, session, size_bytes=arrived.size_bytes)
        require_hash(content, arrived.declared_sha256)
    extension = extension_of(spec.name)
    mime_type = service.content_types.detect(path, extension=extension)
    if service.limits.validate_types:
        require_agreement(spec.name, extension=extension, detected=mime_type)
    key = uuid4().hex
    service.storage.put(key, path)
    try:
        document = _record(service, caller, session, key=key, content=content, mime_type=mime_type)
    except BaseException:
        service.storage.delete(key)
        raise
    service.spool.remove_all(spec.upload_id)
    return document


def _join(service: Service, session: Session, *, size_bytes: int) -> tuple[Path, Content]:
    """Reads all segments back into one file, hashing them: nobody has seen all of the bytes yet."""
    with reading(service.database):
        row = UploadRow.get_or_none(UploadRow.id == session.spec.upload_id, UploadRow.epoch == session.epoch)
    segments = row.segments if row is not None else []
    digest, checksums = hashlib.sha256(), BlockChecksums()
    ends = [start for _, start in segments[1:]] + [size_bytes]
    with service.spool.create(f"{segment_name(session.spec.upload_id, session.epoch)}.joined") as joined:
        for (epoch, start), end in zip(segments, ends, strict=True):
            with service.spool.path(segment_name(session.spec.upload_id, epoch)).open("rb") as segment:
                remaining = end - start
                # Never to the end of the file: its writer may still be adding bytes that do not count any more.
                while data := segment.read(min(BLOCK_SIZE, remaining)):
                    remaining -= len(data)
                    digest.update(data)
                    checksums.update(data)
                    joined.write(data)
        return joined.path, Content(size_bytes=joined.size_bytes, sha256=digest.hexdigest(), block_checksums=checksums.packed())


def _record(service: Service, caller: Caller, session: Session, *, key: str, content: Content, mime_type: str) -> Document:
    """Writes the rows of blob and document, and ends the upload, at once."""
    spec, imported = session.spec, session.spec.imported
    now = service.now()
    with unit_of_work(service.database):
        upload_sessions.end(session)
        BlobRow.create(
            key=key,
            size_bytes=content.size_bytes,
            sha256=content.sha256,
            block_checksums=content.block_checksums,
            created_at=now,
        )
        if imported is not None and imported.modified_copy_of is not None:
            return _record_modified_copy(service, imported, imported.modified_copy_of, key=key, mime_type=mime_type, now=now)
        uploaded_at = (imported and imported.uploaded_at) or now
        DocumentRow.create(
            id=spec.upload_id,
            name=spec.name,
            mime_type=mime_type,
            blob=key,
            status=imported.status if imported else Status.REQUESTED,
            path=resolve_path(imported.path, spec.name, field="upload_spec.imported.path") if imported else "",
            metadata=dict(spec.metadata),
            client=caller.name,
            expiration_policy=imported.expiration_policy if imported else "NONE",
            uploaded_at=uploaded_at,
            updated_at=(imported and imported.updated_at) or uploaded_at,
            expires_at=imported.expires_at if imported else None,
            lease_id=spec.lease_id,
        )
        document = rows.find_document(service.database, spec.upload_id)
    if document is None:
        raise AssertionError("a document that was just written cannot be missing")
    return document


def _record_modified_copy(
    service: Service, imported: Import, document_id: UUID, *, key: str, mime_type: str, now: datetime
) -> Document:
    """Puts the bytes beside an existing document, as an import does. Within a unit of work."""
    created_at = imported.uploaded_at or now
    updated = (
        DocumentRow.update(
            modified_blob=key,
            modified_mime_type=mime_type,
            modified_created_at=created_at,
            modified_updated_at=imported.updated_at or created_at,
        )
        .where(DocumentRow.id == document_id)
        .execute()
    )
    document = rows.find_document(service.database, document_id)
    if not updated or document is None:
        raise access.not_found(document_id)
    return document
