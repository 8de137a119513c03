"""Blobs on a local disk."""

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from osis_document_server.errors import StorageUnavailable
from osis_document_server.storage.base import IDENTITY_NAME
from osis_document_server.storage.local import LocalStorage

KEY = "0123456789abcdef0123456789abcdef"


def test_nobody_can_write_to_a_blob(new_source: Callable[[bytes], Path], tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "blobs")
    storage.prepare()
    storage.put(KEY, new_source(b"content"))

    assert stat.S_IMODE((tmp_path / "blobs" / "01" / KEY).stat().st_mode) == 0o400


def test_files_that_are_no_blobs_are_not_listed(new_source: Callable[[bytes], Path], tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "blobs")
    storage.prepare()
    storage.put(KEY, new_source(b"content"))
    (tmp_path / "blobs" / "01" / "README").write_text("put here by somebody")

    assert [blob.key for blob in storage.stored()] == [KEY]


def test_nobody_else_can_look_into_its_folders(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "blobs")
    storage.prepare()
    storage.identify("ab" * 16)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "blobs", *(tmp_path / "blobs").iterdir()]}

    assert modes.pop(IDENTITY_NAME) == 0o600
    assert set(modes.values()) == {0o700}


def test_looking_whose_it_is_makes_nothing(tmp_path: Path) -> None:
    assert LocalStorage(tmp_path / "disk" / "blobs").identity() is None
    assert list(tmp_path.iterdir()) == []


def test_a_storage_that_is_gone_is_neither_empty_nor_written_to(new_source: Callable[[bytes], Path], tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "blobs")
    storage.prepare()
    shutil.rmtree(tmp_path / "blobs")

    with pytest.raises(StorageUnavailable):
        storage.put(KEY, new_source(b"content"))
    with pytest.raises(StorageUnavailable):
        list(storage.stored())
    with pytest.raises(StorageUnavailable):
        storage.delete(KEY)


def test_a_file_system_without_hard_links_has_an_identity_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    storage = LocalStorage(tmp_path / "blobs")

    assert storage.identify("ab" * 16) == "ab" * 16
    assert storage.identify("cd" * 16) == "ab" * 16
    assert [path.name for path in (tmp_path / "blobs").iterdir()] == [IDENTITY_NAME]


def test_a_file_that_holds_no_identity_is_no_storage_without_one(tmp_path: Path) -> None:
    (tmp_path / IDENTITY_NAME).write_text("somebody's notes")

    with pytest.raises(StorageUnavailable):
        LocalStorage(tmp_path).identity()
