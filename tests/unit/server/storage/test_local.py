"""Blobs on a local disk."""

import os
import stat
from pathlib import Path

import pytest

from osis_document_server.storage.base import BlobMissing
from osis_document_server.storage.local import LocalStorage

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "blobs")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3 * 1024 * 1024 + 7))
    return source


def test_a_stored_blob_reads_back_byte_for_byte(storage: LocalStorage, source: Path) -> None:
    content = source.read_bytes()
    storage.put(KEY, source)
    with storage.open(KEY) as reader:
        assert reader.read(0, len(content) + 1) == content
        assert reader.read(1_000_000, 10) == content[1_000_000:1_000_010]


def test_the_file_becomes_the_blob_and_nobody_can_write_to_it(storage: LocalStorage, source: Path, tmp_path: Path) -> None:
    assert list(storage.keys()) == []
    storage.put(KEY, source)
    assert list(storage.keys()) == [KEY]
    assert not source.exists()
    assert stat.S_IMODE((tmp_path / "blobs" / "01" / KEY).stat().st_mode) == 0o400


def test_a_blob_that_is_not_there_is_missing(storage: LocalStorage) -> None:
    with pytest.raises(BlobMissing):
        storage.open(KEY)


def test_deleting_twice_is_no_error(storage: LocalStorage, source: Path) -> None:
    storage.put(KEY, source)
    storage.delete(KEY)
    storage.delete(KEY)
    assert list(storage.keys()) == []


@pytest.mark.parametrize("key", ["", "..", "../../etc/passwd", KEY.upper(), KEY + "0", "0" * 31])
def test_only_generated_keys_name_a_place(storage: LocalStorage, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        storage.open(key)
