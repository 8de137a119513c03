"""The rows of unfinished uploads: one writer at a time, the newest.

Whoever takes an upload over raises its epoch. Every later change is made ``WHERE epoch = mine``, so a writer that was superseded
can change nothing any more, however late its bytes come. Nor can a writer of an upload that was cancelled, and whose id another
one has since: that was registered at another moment.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from peewee import Expression

from osis_document_server.domain.access import Caller, Role
from osis_document_server.domain.documents import ExpirationPolicy, Status
from osis_document_server.domain.uploads import Import, Session, UploadSpec
from osis_document_server.errors import ServiceError, UploadCancelled, UploadIdTaken, UploadSpecConflict, WriterSuperseded
from osis_document_server.models.database import reading
from osis_document_server.models.tables import UploadRow
from osis_document_server.usecases.service import Service


def register(caller: Caller, spec: UploadSpec, *, now: datetime) -> UploadRow | None:
    """Writes and returns the row of a new upload, unless there is one. Within a unit of work."""
    written = (
        UploadRow.insert(
            id=spec.upload_id,
            client=caller.name,
            name=spec.name,
            size_bytes=spec.size_bytes,
            metadata=dict(spec.metadata),
            lease_id=spec.lease_id,
            imported=_import_to_json(spec.imported),
            epoch=0,
            segments=[],
            started_at=now,
            updated_at=now,
        )
        .on_conflict_ignore()
        .returning(UploadRow)
    )
    row: UploadRow | None = next(iter(written.execute()), None)
    return row


def take_over(row: UploadRow, *, now: datetime) -> Session:
    """Makes a new writer the only one. Within a unit of work that has locked the row."""
    row.epoch += 1
    # A segment that ends where it begins holds nothing.
    row.segments = [*(pair for pair in row.segments if pair[1] < row.persisted_size), [row.epoch, row.persisted_size]]
    row.updated_at = now
    row.save()
    return Session(
        spec=spec_of(row),
        started_at=row.started_at,
        epoch=row.epoch,
        number=writer_number(row, row.epoch),
        start=row.persisted_size,
        blob_keys=blob_keys(row),
    )


def checkpoint(session: Session, *, persisted_size: int, now: datetime) -> None:
    """Records how many bytes are safe. Within a unit of work.

    Raises:
        WriterSuperseded, UploadCancelled: the session is over.
    """
    if not UploadRow.update(persisted_size=persisted_size, updated_at=now).where(is_mine(session)).execute():
        raise over(session)


def require_current(session: Session) -> None:
    """Within a connection.

    Raises:
        WriterSuperseded, UploadCancelled: the session is over.
    """
    if not UploadRow.select().where(is_mine(session)).exists():
        raise over(session)


def end(session: Session) -> None:
    """Removes the row. Within a unit of work.

    Raises:
        WriterSuperseded, UploadCancelled: the session is over.
    """
    if not UploadRow.delete().where(is_mine(session)).execute():
        raise over(session)


def is_registered(service: Service, session: Session) -> bool:
    """Returns whether the upload that a session wrote to still waits for bytes, whoever brings them."""
    with reading(service.database):
        return UploadRow.select().where(_is_of(session)).exists()


def is_mine(session: Session) -> Expression:
    """Returns the condition that a session is not over, for the rows of uploads."""
    condition: Expression = _is_of(session) & (UploadRow.epoch == session.epoch)
    return condition


def _is_of(session: Session) -> Expression:
    condition: Expression = (UploadRow.id == session.spec.upload_id) & (UploadRow.started_at == session.started_at)
    return condition


def writer_number(row: UploadRow, epoch: int) -> int:
    """Returns what tells a writer from every other that ever wrote to an upload with this id: its segments are named after it."""
    registered_at: datetime = row.started_at
    microseconds = (registered_at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
    return (microseconds << 20) + epoch


def remove_bytes(service: Service, upload_id: UUID, blob_keys: Iterable[str]) -> None:
    """Removes what was written of an upload whose row is gone: segments, and blobs that a crash kept from becoming a document.

    Raises:
        StorageUnavailable: the storage reports an error.
    """
    service.spool.remove_all(upload_id)
    for key in blob_keys:
        service.storage.delete(key)


def blob_keys(row: UploadRow) -> tuple[str, ...]:
    """One key for each writer. They follow from the row, so that a blob is found again whose writer died before it had a row."""
    said = f"{row.id} {row.started_at.timestamp()}"
    return tuple(hashlib.sha256(f"{said} {epoch}".encode()).hexdigest()[:32] for epoch in range(1, row.epoch + 1))


def require_same(row: UploadRow, caller: Caller, spec: UploadSpec | None) -> None:
    """Raises ``UploadIdTaken`` or ``UploadSpecConflict`` unless ``row`` is what the caller means."""
    # Keys of several roles may have one name; what is uploaded under a lease is the workers', all else is not.
    if row.client != caller.name or (row.lease_id is not None) != (caller.role is Role.WORKER):
        raise taken(row.id)
    if spec is None:
        return
    then = spec_of(row)
    for field in ("name", "size_bytes", "lease_id", "imported"):
        if getattr(then, field) != getattr(spec, field):
            raise conflict(row.id, field)
    if dict(then.metadata) != dict(spec.metadata):
        raise conflict(row.id, "metadata")


def spec_of(row: UploadRow) -> UploadSpec:
    """Returns what was said of an upload when it was started."""
    return UploadSpec(
        upload_id=row.id,
        name=row.name,
        size_bytes=row.size_bytes,
        metadata=row.metadata,
        lease_id=row.lease_id,
        imported=_import_from_json(row.imported),
    )


def taken(upload_id: UUID) -> UploadIdTaken:
    """Returns the error for an id that belongs to somebody else."""
    return UploadIdTaken(f"The id {upload_id} is in use. Choose a random UUID for each file.", upload_id=upload_id)


def conflict(upload_id: UUID, field: str) -> UploadSpecConflict:
    """Returns the error for an id that was used with another spec."""
    what = {"size_bytes": "size", "lease_id": "lease", "imported": "import"}.get(field, field)
    return UploadSpecConflict(
        f"Upload {upload_id} was started with another {what}. A new file needs a new upload_id.",
        field=f"upload_spec.{field}",
        upload_id=upload_id,
    )


def over(session: Session) -> ServiceError:
    """Returns the error for a session that is over. Within a connection."""
    upload_id = session.spec.upload_id
    if UploadRow.get_or_none(UploadRow.id == upload_id) is None:
        return UploadCancelled(f"Upload {upload_id} was cancelled.", upload_id=upload_id)
    return superseded(upload_id)


def superseded(upload_id: UUID) -> WriterSuperseded:
    """Returns the error for a writer whose upload somebody else has, or has finished."""
    return WriterSuperseded(
        f"Another stream has taken upload {upload_id} over. Nothing that this one sent since then counts.", upload_id=upload_id
    )


def _import_to_json(imported: Import | None) -> dict[str, Any] | None:
    if imported is None:
        return None
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in vars(imported).items()
        if value is not None
    }


def _import_from_json(stored: dict[str, Any] | None) -> Import | None:
    if stored is None:
        return None
    values: dict[str, Any] = dict(stored)
    for name in ("uploaded_at", "updated_at", "expires_at"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    if "modified_copy_of" in values:
        values["modified_copy_of"] = UUID(values["modified_copy_of"])
    values["status"] = Status(values["status"])
    values["expiration_policy"] = ExpirationPolicy(values["expiration_policy"])
    return Import(**values)
