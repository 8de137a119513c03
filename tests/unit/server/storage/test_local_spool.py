"""Segments on a local disk."""

import os
from pathlib import Path
from uuid import UUID

import pytest

from osis_document_server.errors import StorageFull
from osis_document_server.storage.local_spool import LocalSpool
from osis_document_server.storage.spool import segment_name

UPLOAD = UUID("01234567-89ab-cdef-0123-456789abcdef")
FIRST = segment_name(UPLOAD, 1)


def free_bytes(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def test_a_segment_stays_when_its_writer_is_gone(tmp_path: Path) -> None:
    spool = LocalSpool(tmp_path, floor_bytes=0)
    with spool.create(FIRST) as file:
        file.write(b"half of it")

    assert spool.path(FIRST).read_bytes() == b"half of it"


def test_a_segment_is_begun_once(tmp_path: Path) -> None:
    spool = LocalSpool(tmp_path, floor_bytes=0)
    with spool.create(FIRST), pytest.raises(Exception, match="exists"):
        spool.create(FIRST)


def test_below_the_floor_nothing_is_begun(tmp_path: Path) -> None:
    spool = LocalSpool(tmp_path, floor_bytes=2**62)
    with pytest.raises(StorageFull) as caught:
        spool.create(FIRST)
    assert caught.value.metadata["floor_bytes"] == str(2**62)
    assert caught.value.retry_after_seconds
    assert list(tmp_path.iterdir()) == []


def test_what_is_said_to_come_has_to_fit_above_the_floor(tmp_path: Path) -> None:
    spool = LocalSpool(tmp_path, floor_bytes=free_bytes(tmp_path) // 2)
    with pytest.raises(StorageFull):
        spool.create(FIRST, expected_bytes=free_bytes(tmp_path))
    with spool.create(FIRST, expected_bytes=1):
        pass


def test_every_write_leaves_the_floor_untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = LocalSpool(tmp_path, floor_bytes=1_000_000)
    disk = os.statvfs(tmp_path)
    with spool.create(FIRST) as file:
        file.write(b"x" * 1000)
        nearly_full = os.statvfs_result([1, 1, 10_000_000, 1_000_500, 1_000_500, *disk[5:]])
        monkeypatch.setattr(os, "statvfs", lambda _: nearly_full)

        file.write(b"x" * 500)
        with pytest.raises(StorageFull):
            file.write(b"x" * 501)
    assert file.size_bytes == 1500
