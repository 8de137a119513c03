"""Segments of uploads that are not finished."""

import os
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from osis_document_server.errors import StorageFull
from osis_document_server.storage.spool import Spool, segment_name

UPLOAD = UUID("01234567-89ab-cdef-0123-456789abcdef")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, floor_bytes=0)


def _write(spool: Spool, name: str, content: bytes) -> None:
    with spool.create(name) as file:
        file.write(content)
        file.flush()


def test_a_segment_stays_when_its_writer_is_gone(spool: Spool) -> None:
    name = segment_name(UPLOAD, 1)
    _write(spool, name, b"half of it")
    assert spool.path(name).read_bytes() == b"half of it"


def test_each_writer_has_a_segment_of_its_own(spool: Spool) -> None:
    _write(spool, segment_name(UPLOAD, 1), b"first")
    _write(spool, segment_name(UPLOAD, 2), b"second")
    _write(spool, segment_name(uuid4(), 1), b"another upload")
    assert sorted(spool.names_of(UPLOAD)) == [segment_name(UPLOAD, 1), segment_name(UPLOAD, 2)]
    with pytest.raises(Exception, match="exists"):
        spool.create(segment_name(UPLOAD, 2))


def test_all_segments_of_an_upload_go_together(spool: Spool) -> None:
    other = segment_name(uuid4(), 1)
    for name in (segment_name(UPLOAD, 1), f"{segment_name(UPLOAD, 2)}.joined", other):
        _write(spool, name, b"x")
    spool.remove_all(UPLOAD)
    assert spool.names_of(UPLOAD) == []
    assert spool.path(other).exists()


def test_only_what_nobody_writes_to_any_more_is_old(spool: Spool) -> None:
    old, young = uuid4(), uuid4()
    for upload_id in (old, young):
        _write(spool, segment_name(upload_id, 1), b"x")
    os.utime(spool.path(segment_name(old, 1)), (0, 0))
    assert list(spool.old(older_than_seconds=3600)) == [old]


def test_below_the_floor_nothing_is_begun(tmp_path: Path) -> None:
    spool = Spool(tmp_path, floor_bytes=2**62)
    with pytest.raises(StorageFull) as caught:
        spool.create(segment_name(UPLOAD, 1))
    assert caught.value.metadata["floor_bytes"] == str(2**62)
    assert caught.value.retry_after_seconds
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "x.1", segment_name(UPLOAD, 1) + "/.."])
def test_only_segments_have_a_place(spool: Spool, name: str) -> None:
    with pytest.raises(ValueError, match="no segment"):
        spool.path(name)
