"""Which storage is the database's: both hold the same random id, so that no other one is ever taken for it.

Without that, a disk that is not mounted would look like a storage that has lost everything.
"""

from uuid import uuid4

import structlog

from osis_document_server.errors import StorageUnavailable
from osis_document_server.models.database import ServiceDatabase, reading, unit_of_work
from osis_document_server.models.tables import BlobRow, StorageIdentityRow
from osis_document_server.storage.base import BlobMissing, Storage
from osis_document_server.usecases.service import Service

_log = structlog.get_logger(__name__)

_ONLY = 1


class ForeignStorage(Exception):
    """The storage is not the one of the database. The message says why, as the end of a sentence."""


def establish(database: ServiceDatabase, storage: Storage) -> None:
    """Makes sure that a storage is the database's. That of a database that knows none yet becomes it, as it is.

    Servers that start together agree: the storage has its id before the database has.

    Raises:
        ForeignStorage: it is another database's, or none at all.
        OSError, StorageUnavailable, StorageFull, DatabaseUnavailable: nobody can tell, or nothing can be written there.
    """
    known, found = _known(database), storage.identity()
    if known is None:
        found = storage.identify(found or uuid4().hex)
        known = _remember(database, found)
    if found is None:
        raise ForeignStorage("there is no storage-id")
    if found != known:
        raise ForeignStorage(f"its storage-id is {found}, that of the database's storage {known}")


def adopt(database: ServiceDatabase, storage: Storage, *, without_looking: bool = False) -> str:
    """Makes a storage that was moved or restored the database's, and returns its id.

    Args:
        database: keeps the id that the storage has; a storage without one gets the database's.
        storage: the storage.
        without_looking: not to make sure first that the oldest of the database's blobs is there.

    Raises:
        ForeignStorage: it is not.
        OSError, StorageUnavailable, StorageFull, DatabaseUnavailable: as with ``establish``.
    """
    if not without_looking:
        _require_oldest_blob(database, storage)
    identity = storage.identify(storage.identity() or _known(database) or uuid4().hex)
    with unit_of_work(database):
        StorageIdentityRow.delete().execute()
        StorageIdentityRow.insert(id=_ONLY, identity=identity).execute()
    _log.warning("storage adopted", storage_id=identity)
    return identity


def require_present(service: Service) -> None:
    """Makes sure that it is a blob that is missing and not the whole storage.

    Raises:
        StorageUnavailable: the storage is not there: its disk is not mounted any more, or it was removed or replaced.
    """
    known, found = _known(service.database), service.storage.identity()
    if known is None or found == known:
        return
    _log.error("the storage is gone, or another one is in its place", storage_id=known, found=found)
    raise StorageUnavailable(
        "The service's storage is not there. Try again once it is mounted; the log has more.", retry_after_seconds=5
    )


def _known(database: ServiceDatabase) -> str | None:
    with reading(database):
        row = StorageIdentityRow.get_or_none(StorageIdentityRow.id == _ONLY)
    return None if row is None else str(row.identity)


def _remember(database: ServiceDatabase, identity: str) -> str:
    """Has the database keep an id unless it knows one; returns the one that it knows then."""
    with unit_of_work(database):
        StorageIdentityRow.insert(id=_ONLY, identity=identity).on_conflict_ignore().execute()
        return str(StorageIdentityRow.get_by_id(_ONLY).identity)


def _require_oldest_blob(database: ServiceDatabase, storage: Storage) -> None:
    with reading(database):
        usable = BlobRow.select(BlobRow.key).where(~BlobRow.corrupt, BlobRow.released_at.is_null())
        oldest = usable.order_by(BlobRow.created_at).first()
    if oldest is None:
        return
    try:
        with storage.open(oldest.key):
            pass
    except BlobMissing as exc:
        raise ForeignStorage(f"the oldest of the database's blobs, {oldest.key}, is not there") from exc
