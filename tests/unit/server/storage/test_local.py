"""Blobs on a local disk."""

import os
import stat
from pathlib import Path

import pytest

from osis_document_server.errors import StorageFull
from osis_document_server.storage.base import BlobMissing
from osis_document_server.storage.local import LocalStorage

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path, floor_bytes=0)


def _files(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("*/*"))


def test_a_committed_blob_reads_back_byte_for_byte(storage: LocalStorage) -> None:
    content = os.urandom(3 * 1024 * 1024 + 7)
    with storage.create(KEY) as writer:
        writer.write(content[:1000])
        writer.write(content[1000:])
        writer.commit()
    with storage.open(KEY) as reader:
        assert reader.read(0, len(content) + 1) == content
        assert reader.read(1_000_000, 10) == content[1_000_000:1_000_010]


def test_a_blob_is_not_there_before_its_commit_and_read_only_after(storage: LocalStorage, tmp_path: Path) -> None:
    with storage.create(KEY) as writer:
        writer.write(b"half")
        assert list(storage.keys()) == []
        with pytest.raises(BlobMissing):
            storage.open(KEY)
        writer.commit()
    assert list(storage.keys()) == [KEY]
    assert stat.S_IMODE((tmp_path / "01" / KEY).stat().st_mode) == 0o400


def test_a_blob_that_is_given_up_leaves_nothing(storage: LocalStorage, tmp_path: Path) -> None:
    with storage.create(KEY) as writer:
        writer.write(b"half")
        assert _files(tmp_path) == [f"{KEY}.part"]
    assert _files(tmp_path) == []


def test_what_was_written_so_far_can_be_looked_at(storage: LocalStorage) -> None:
    with storage.create(KEY) as writer:
        writer.write(b"%PDF-1.7")
        assert writer.path.read_bytes() == b"%PDF-1.7"


def test_deleting_twice_is_no_error(storage: LocalStorage, tmp_path: Path) -> None:
    with storage.create(KEY) as writer:
        writer.write(b"x")
        writer.commit()
    storage.delete(KEY)
    storage.delete(KEY)
    assert _files(tmp_path) == []


def test_below_the_floor_nothing_is_begun(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path, floor_bytes=2**62)
    with pytest.raises(StorageFull) as caught:
        storage.create(KEY)
    assert caught.value.metadata["floor_bytes"] == str(2**62)
    assert caught.value.retry_after_seconds
    assert _files(tmp_path) == []


@pytest.mark.parametrize("key", ["", "..", "../../etc/passwd", KEY.upper(), KEY + "0", "0" * 31])
def test_only_generated_keys_name_a_place(storage: LocalStorage, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        storage.open(key)


def test_leftovers_of_dead_writers_are_removed_once_they_are_old(storage: LocalStorage, tmp_path: Path) -> None:
    old, young = tmp_path / "01" / f"{KEY}.part", tmp_path / "02" / f"{KEY}.part"
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert storage.remove_leftovers(older_than_seconds=3600) == 1
    assert not old.exists()
    assert young.exists()
