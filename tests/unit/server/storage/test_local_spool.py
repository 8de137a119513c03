"""Segments on a local disk."""

import os
import shutil
import stat
from pathlib import Path
from uuid import UUID

import pytest

from osis_document_server.errors import StorageFull, StorageUnavailable
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


def test_what_does_not_fit_is_told_with_its_size_and_the_room_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = LocalSpool(tmp_path, floor_bytes=1_000_000)
    disk = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result([1, 1, 10_000_000, 1_200_000, 1_200_000, *disk[5:]]))

    spool.require_room(200_000)
    for ask in (lambda: spool.require_room(10 * 1024**3), lambda: spool.create(FIRST, expected_bytes=10 * 1024**3)):
        with pytest.raises(
            StorageFull, match=r"^10737418240 bytes are to come, and do not fit.* room for 200000 above"
        ) as caught:
            ask()
        assert caught.value.metadata == {"free_bytes": "1200000", "floor_bytes": "1000000"}


def test_its_folder_is_made_again_for_the_server_alone_when_somebody_has_removed_it(tmp_path: Path) -> None:
    spool = LocalSpool(tmp_path / "blobs" / "spool", floor_bytes=0)
    (tmp_path / "blobs" / "spool").rmdir()
    assert list(spool.old(older_than_seconds=0)) == []

    with spool.create(FIRST) as file:
        file.write(b"whole")
        file.flush()

    assert b"".join(spool.read(FIRST, size_bytes=5)) == b"whole"
    assert stat.S_IMODE((tmp_path / "blobs" / "spool").stat().st_mode) == 0o700


def test_where_the_folder_above_is_gone_too_the_storage_is_not_there(tmp_path: Path) -> None:
    spool = LocalSpool(tmp_path / "blobs" / "spool", floor_bytes=0)
    shutil.rmtree(tmp_path / "blobs")

    with pytest.raises(StorageUnavailable):
        spool.create(FIRST)
    with pytest.raises(StorageUnavailable):
        spool.require_room(1)
    assert list(tmp_path.iterdir()) == []
