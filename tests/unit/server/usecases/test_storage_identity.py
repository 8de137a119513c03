"""The storage that belongs to a database, on both kinds of databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from osis_document_server.models.database import ServiceDatabase, unit_of_work
from osis_document_server.models.tables import BlobRow
from osis_document_server.storage.local import LocalStorage
from osis_document_server.usecases.storage_identity import ForeignStorage, adopt, establish

OLD, NEW = "0a" * 16, "0b" * 16


@pytest.fixture
def new_storage(tmp_path: Path) -> Callable[[str], LocalStorage]:
    """Makes storages without an id."""

    def make(name: str) -> LocalStorage:
        storage = LocalStorage(tmp_path / name)
        storage.prepare()
        return storage

    return make


def know_blob(key: str, *, age: timedelta = timedelta(0), **fields: object) -> None:
    """Writes the row of a blob. Within a unit of work."""
    values = {"size_bytes": 1, "sha256": "ab" * 32, "block_checksums": b"1234", "created_at": datetime.now(UTC) - age}
    BlobRow.create(key=key, **(values | fields))


def put(storage: LocalStorage, key: str, folder: Path) -> None:
    """Stores one byte."""
    source = folder / "source"
    source.write_bytes(b"x")
    storage.put(key, source)


def test_servers_that_start_together_with_storages_of_their_own_agree_on_one_of_them(
    migrated: ServiceDatabase, new_storage: Callable[[str], LocalStorage]
) -> None:
    storages = [new_storage(str(number)) for number in range(4)]

    def is_own(storage: LocalStorage) -> bool:
        try:
            establish(migrated, storage)
        except ForeignStorage:
            return False
        return True

    with ThreadPoolExecutor(len(storages)) as pool:
        first = list(pool.map(is_own, storages))

    assert sorted(first) == [False, False, False, True]
    assert [is_own(storage) for storage in storages] == first, "it stays that one"


def test_a_storage_is_given_the_id_that_the_database_knows_when_it_is_adopted(
    migrated: ServiceDatabase, new_storage: Callable[[str], LocalStorage]
) -> None:
    before, restored = new_storage("before"), new_storage("restored")
    establish(migrated, before)
    with pytest.raises(ForeignStorage, match="there is no storage-id"):
        establish(migrated, restored)

    assert adopt(migrated, restored) == before.identity()

    establish(migrated, restored)
    establish(migrated, before)


def test_the_database_takes_the_id_that_an_adopted_storage_has(
    migrated: ServiceDatabase, new_storage: Callable[[str], LocalStorage]
) -> None:
    before, other = new_storage("before"), new_storage("other")
    establish(migrated, before)
    other.identify("ab" * 16)
    with pytest.raises(ForeignStorage, match="ab" * 16):
        establish(migrated, other)

    assert adopt(migrated, other) == "ab" * 16

    establish(migrated, other)
    with pytest.raises(ForeignStorage):
        establish(migrated, before)


def test_adopting_looks_for_the_oldest_blob_that_should_be_there(
    migrated: ServiceDatabase, new_storage: Callable[[str], LocalStorage], tmp_path: Path
) -> None:
    backup, empty = new_storage("backup"), new_storage("empty")
    put(backup, OLD, tmp_path)  # a backup does not have the newest
    with unit_of_work(migrated):
        know_blob(NEW)
        know_blob(OLD, age=timedelta(days=2))
        know_blob("0c" * 16, age=timedelta(days=3), corrupt=True)
        know_blob("0d" * 16, age=timedelta(days=3), released_at=datetime.now(UTC))

    with pytest.raises(ForeignStorage, match=OLD):
        adopt(migrated, empty)
    assert empty.identity() is None

    establish(migrated, backup)
    assert adopt(migrated, backup) == backup.identity()
    assert adopt(migrated, empty, without_looking=True) == empty.identity()
