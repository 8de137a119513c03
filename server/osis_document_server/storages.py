"""The storage that the settings name: opened, and looked at whose it is before anything is made there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osis_document_server.errors import DatabaseUnavailable, ServiceError
from osis_document_server.models.database import ServiceDatabase, without_password
from osis_document_server.settings import PREFIX, Settings, SettingsError
from osis_document_server.storage.base import Storage
from osis_document_server.storage.local import LocalStorage
from osis_document_server.storage.local_spool import LocalSpool
from osis_document_server.storage.spool import Spool
from osis_document_server.usecases import storage_identity
from osis_document_server.usecases.storage_identity import ForeignStorage


def open_own_storage(settings: Settings, database: ServiceDatabase) -> Storage:
    """Opens the storage that belongs to the database.

    Raises:
        SettingsError: ``STORAGE_URL`` cannot be used, or names a storage that is not the database's.
    """
    storage = _open_any_storage(settings)
    with _storage_refused(settings):
        storage_identity.establish(database, storage)
        if isinstance(storage, LocalStorage):
            storage.prepare()
    return storage


def adopt_storage(settings: Settings, database: ServiceDatabase, *, without_looking: bool) -> str:
    """Makes the storage that is set the database's, and returns the id of both.

    Raises:
        SettingsError: it cannot be used, or has not even the oldest of the database's blobs.
    """
    storage = _open_any_storage(settings)
    with _storage_refused(settings):
        return storage_identity.adopt(database, storage, without_looking=without_looking)


def open_spool(settings: Settings, storage: Storage) -> Spool:
    """Opens what takes uploads in that are to become blobs of this storage.

    Raises:
        SettingsError: its folder cannot be made.
    """
    location = settings.storage
    if isinstance(location, Path):
        # Beside the blobs, so that a finished upload is renamed, not copied.
        with _storage_refused(settings):
            return LocalSpool(location / "spool", floor_bytes=settings.disk_floor)
    from osis_document_server.storage import s3, s3_spool

    try:
        scratch = LocalSpool(settings.data_dir / "spool", floor_bytes=settings.disk_floor)
    except OSError as exc:
        raise unwritable_data_folder(settings.data_dir, exc) from exc
    assert isinstance(storage, s3.S3Storage), "the location is a bucket"
    return s3_spool.S3Spool(storage.bucket, scratch)


def unwritable_data_folder(folder: Path, error: OSError) -> SettingsError:
    """Returns what is wrong with ``DATA_DIR``."""
    return SettingsError(f"{PREFIX}DATA_DIR={folder}: {error.strerror}. Name a folder that can be written.")


def _open_any_storage(settings: Settings) -> Storage:
    """Opens the storage that is set, whosever it is; nothing is made there.

    Raises:
        SettingsError: ``STORAGE_URL`` cannot be used.
    """
    location = settings.storage
    if isinstance(location, Path):
        return LocalStorage(location)
    try:
        from osis_document_server.storage import s3, s3_bucket
    except ImportError as exc:
        raise SettingsError(
            f"{PREFIX}STORAGE_URL={settings.storage_url}: storing in S3 needs boto3, which is not installed: "
            f"pip install 'osis-document[s3]' ({exc})"
        ) from exc
    try:
        return s3.S3Storage(s3_bucket.open_bucket(location))
    except ValueError as exc:
        raise SettingsError(f"{PREFIX}STORAGE_URL={settings.storage_url}: {exc}") from exc


@contextmanager
def _storage_refused(settings: Settings) -> Iterator[None]:
    """Tells what is wrong with the storage as what is wrong with its setting."""
    setting = f"{PREFIX}STORAGE_URL={settings.storage_url or f'file://{settings.storage}'}"
    try:
        yield
    except ForeignStorage as exc:
        raise SettingsError(
            f"{setting}: this storage does not belong to {PREFIX}DATABASE_URL={without_password(settings.database)}: {exc}. "
            "Is it not mounted, or another folder or bucket than before? Mount it, or name the right one. If it was moved or "
            "restored: osis-document-server adopt-storage (docs/how-to/find-and-repair-damage.md)."
        ) from exc
    except DatabaseUnavailable as exc:
        raise SettingsError(f"{PREFIX}DATABASE_URL={without_password(settings.database)}: {exc.message}") from exc
    except ServiceError as exc:
        raise SettingsError(f"{setting}: {exc.message}") from exc
    except OSError as exc:
        raise SettingsError(f"{setting}: {exc.strerror}. Name a folder that can be written.") from exc
