"""Making a document of an upload whose bytes have all arrived."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from uuid import UUID

import structlog

from osis_document_server.domain.access import Caller
from osis_document_server.domain.blocks import BLOCK_SIZE, BlockChecksums
from osis_document_server.domain.documents import Document, Status
from osis_document_server.domain.names import extension_of, resolve_path
from osis_document_server.domain.uploads import Import, Session
from osis_document_server.errors import DatabaseUnavailable, ServiceError, UploadNotFound
from osis_document_server.models import rows
from osis_document_server.models.database import reading, unit_of_work
from osis_document_server.models.tables import BlobRow, DocumentRow, UploadRow
from osis_document_server.storage.base import BlobMissing
from osis_document_server.storage.content_type import require_agreement
from osis_document_server.storage.spool import SegmentMissing, SpoolFile, joined_name, segment_name
from osis_document_server.usecases import access, removal, upload_sessions
from osis_document_server.usecases.receiving import Arrived, Content, require_hash
from osis_document_server.usecases.service import Service

_log = structlog.get_logger(__name__)


def finish(service: Service, caller: Caller, session: Session, arrived: Arrived) -> Document:
    """Joins what was written, checks it, stores it durably, and then writes the rows that name it.

    Raises:
        HashMismatch, MimeMismatch: the content is not what it should be.
        WriterSuperseded, UploadCancelled: somebody else has the upload; theirs is the document, if there is one.
        UploadNotFound: bytes that had arrived earlier are lost.
        StorageFull, StorageUnavailable, DatabaseUnavailable: it cannot be stored now.
    """
    spec = session.spec
    with reading(service.database):
        upload_sessions.require_current(session)  # a stale writer's bytes are not even looked at
    with ExitStack() as stack:
        file, content = arrived.file, arrived.content
        if content is None:
            name = joined_name(spec.upload_id, session.number)
            file = stack.enter_context(service.spool.create(name, expected_bytes=arrived.size_bytes))
            content = _join(service, session, arrived, file)
            require_hash(content, arrived.declared_sha256)
        extension = extension_of(spec.name)
        mime_type = service.content_types.detect(file.path, extension=extension)
        if service.limits.validate_types:
            require_agreement(spec.name, extension=extension, detected=mime_type)
        *earlier_keys, key = session.blob_keys
        service.storage.put(key, file.path, parts=file.parts)
    try:
        for earlier in earlier_keys:  # of writers that died just before they were done; this blob has all of their bytes
            service.storage.delete(earlier)
        document = _record(service, caller, session, key=key, content=content, mime_type=mime_type)
    except DatabaseUnavailable:
        raise  # nobody knows whether it was committed; if it was not, the sweeper finds the blob by the upload's row
    except Exception:
        # As long as the upload has a row, whoever has it now may need the bytes that became this blob, and will remove it.
        if not upload_sessions.is_registered(service, session):
            service.storage.delete(key)
        raise
    _clean_up(service, session, arrived)
    return document


def _join(service: Service, session: Session, arrived: Arrived, joined: SpoolFile) -> Content:
    """Reads all segments back into one file, hashing them: nobody has seen all of the bytes yet."""
    digest, checksums = hashlib.sha256(), BlockChecksums()
    try:
        for data in _segments(service, session, arrived):
            digest.update(data)
            checksums.update(data)
            joined.write(data)
    except SegmentMissing as exc:
        raise _lost(service, session) from exc
    return Content(size_bytes=joined.size_bytes, sha256=digest.hexdigest(), block_checksums=checksums.packed())


def _segments(service: Service, session: Session, arrived: Arrived) -> Iterator[bytes]:
    """Yields all bytes of an upload: those of earlier writers from the spool, this one's from its file."""
    upload_id = session.spec.upload_id
    with reading(service.database):
        row = UploadRow.get_or_none(upload_sessions.is_mine(session))
        if row is None:
            raise upload_sessions.over(session)
    *earlier, _ = row.segments
    ends = [start for _, start in row.segments[1:]]
    for (epoch, start), end in zip(earlier, ends, strict=True):
        position = start
        try:
            for data in service.spool.read(
                segment_name(upload_id, upload_sessions.writer_number(row, epoch)), size_bytes=end - start
            ):
                yield data
                position += len(data)
        except SegmentMissing:
            yield from _stored(service, session.blob_keys[epoch - 1 : -1], position, end)
    with arrived.file.path.open("rb", buffering=0) as own:
        while data := own.read(BLOCK_SIZE):
            yield data


def _stored(service: Service, keys: Sequence[str], position: int, end: int) -> Iterator[bytes]:
    """Yields bytes of a segment that is a blob by now: its writer died, or lost the upload, when it was just about to be done.

    Raises:
        SegmentMissing: there is no such blob.
        StorageUnavailable: the storage reports an error.
    """
    for key in reversed(keys):
        try:
            with service.storage.open(key, start=position, end=end) as blob:
                while position < end and (data := blob.read(position, min(BLOCK_SIZE, end - position))):
                    yield data
                    position += len(data)
        except BlobMissing:
            continue
    if position < end:
        raise SegmentMissing(f"{end - position} bytes are neither a segment nor a blob")


def _lost(service: Service, session: Session) -> UploadNotFound:
    """Ends an upload of which bytes are gone that were safe, and returns the refusal: going on would meet the gap each time.

    Raises:
        WriterSuperseded, UploadCancelled: they are gone because somebody else has finished it or taken it back.
    """
    upload_id = session.spec.upload_id
    with unit_of_work(service.database):
        upload_sessions.end(session)
    _log.error("bytes of an unfinished upload are gone", upload_id=str(upload_id))
    upload_sessions.remove_bytes(service, upload_id, session.blob_keys)
    return UploadNotFound(
        f"Bytes of upload {upload_id} that had arrived are lost. Send it again from its beginning; the same id will do.",
        upload_id=upload_id,
    )


def _clean_up(service: Service, session: Session, arrived: Arrived) -> None:
    """Removes what is not needed any more; what cannot be removed now, the sweeper finds."""
    try:
        if session.epoch == 1:
            arrived.file.remove()  # nobody else has ever written to this upload, so nothing has to be looked for
            return
        service.spool.remove_all(session.spec.upload_id)
    except ServiceError as exc:
        _log.warning("segments stay for now", upload_id=str(session.spec.upload_id), error=exc.message)


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
            verified_at=now,
        )
        if imported is not None and imported.modified_copy_of is not None:
            return _record_modified_copy(service, imported, imported.modified_copy_of, key=key, mime_type=mime_type, now=now)
        is_deleted = imported is not None and imported.status is Status.DELETED
        uploaded_at = (imported and imported.uploaded_at) or now
        DocumentRow.create(
            id=spec.upload_id,
            name=spec.name,
            folded_name=spec.name.casefold(),
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
            # Deleted there, it can be brought back here for as long as what is deleted here.
            deleted_from=Status.UPLOADED if is_deleted else None,
            deleted_at=now if is_deleted else None,
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
    found = rows.find_documents(service.database, [document_id], lock=True)
    before = access.require_found(found.get(document_id), document_id)
    DocumentRow.update(
        modified_blob=key,
        modified_mime_type=mime_type,
        modified_created_at=created_at,
        modified_updated_at=imported.updated_at or created_at,
    ).where(DocumentRow.id == document_id).execute()
    if before.modified is not None:
        removal.release(service.database, [before.modified.blob.key], now=now)
    return rows.find_documents(service.database, [document_id])[document_id]
