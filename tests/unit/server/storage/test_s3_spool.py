"""Segments in S3."""

import random
from pathlib import Path
from uuid import UUID

import pytest

from osis_document_server.errors import StorageFull, StorageUnavailable
from osis_document_server.storage.local_spool import LocalSpool
from osis_document_server.storage.s3 import S3Storage
from osis_document_server.storage.s3_bucket import Bucket
from osis_document_server.storage.s3_spool import S3Spool
from osis_document_server.storage.spool import joined_name, segment_name
from tests.support import s3_server as s3

UPLOAD = UUID("01234567-89ab-cdef-0123-456789abcdef")
FIRST, SECOND = segment_name(UPLOAD, 1), segment_name(UPLOAD, 2)
KEY = "f" * 32
MIB = 1024 * 1024
CONTENT = random.Random(5).randbytes(20 * MIB + 3)


@pytest.fixture
def spool(bucket: Bucket, tmp_path: Path) -> S3Spool:
    return S3Spool(bucket, LocalSpool(tmp_path / "scratch", floor_bytes=0))


def test_without_a_checkpoint_nothing_is_asked_of_the_bucket(s3_process: s3.S3Process, spool: S3Spool) -> None:
    with s3_process.requests() as requests, spool.create(FIRST) as file:
        file.write(CONTENT)
        file.remove()
    assert requests == []


def test_each_checkpoint_is_one_object_of_what_came_since_the_last(
    s3_process: s3.S3Process, spool: S3Spool, tests_bucket: s3.Bucket
) -> None:
    with s3_process.requests() as requests, spool.create(FIRST) as file:
        for start in range(0, 3 * MIB, MIB):
            file.write(CONTENT[start : start + MIB])
            file.flush()
            file.flush()
    assert [method for method, _ in requests] == ["PUT"] * 3
    assert tests_bucket.objects() == {f"documents/spool/{FIRST}/{start:015d}": MIB for start in range(0, 3 * MIB, MIB)}


def test_the_local_disk_is_free_again_when_the_writer_ends(spool: S3Spool, tmp_path: Path) -> None:
    with spool.create(FIRST) as file:
        file.write(CONTENT)
        file.flush()
        assert list((tmp_path / "scratch").iterdir()) == [file.path]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_segments_and_what_is_joined_of_them_leave_nothing_in_the_bucket_once_removed(
    spool: S3Spool, tests_bucket: s3.Bucket, tmp_path: Path
) -> None:
    for name in (FIRST, SECOND):
        with spool.create(name) as file:
            file.write(CONTENT[:100])
            file.flush()
            file.write(CONTENT[100:200])
            file.flush()
    joined = spool.create(joined_name(UPLOAD, 2))  # its process dies
    joined.write(CONTENT[:400])

    spool.remove_all(UPLOAD)

    assert tests_bucket.objects() == {}
    assert list((tmp_path / "scratch").iterdir()) == []
    joined.__exit__(None, None, None)


def test_what_was_saved_before_becomes_a_part_of_the_blob(spool: S3Spool, bucket: Bucket, tests_bucket: s3.Bucket) -> None:
    with spool.create(FIRST) as file:
        file.write(CONTENT[: 16 * MIB])
        file.flush()
        file.write(CONTENT[16 * MIB :])

        S3Storage(bucket).put(KEY, file.path, parts=file.parts)
        file.remove()

    assert tests_bucket.objects().keys() == {f"documents/blobs/{KEY}"}
    assert tests_bucket.content(f"documents/blobs/{KEY}") == CONTENT


def test_a_part_of_an_earlier_upload_with_the_same_id_is_neither_changed_nor_taken_for_ones_own(
    spool: S3Spool, tests_bucket: s3.Bucket
) -> None:
    name = f"documents/spool/{FIRST}/{0:015d}"
    tests_bucket.overwrite(name, b"of an earlier upload")
    with spool.create(FIRST) as file:
        file.write(b"of this upload")
        with pytest.raises(StorageUnavailable):
            file.flush()
    assert tests_bucket.content(name) == b"of an earlier upload"


def test_the_bucket_is_listed_once_in_the_time_in_which_segments_become_old(s3_process: s3.S3Process, spool: S3Spool) -> None:
    with s3_process.requests() as requests:
        for _ in range(10):
            assert list(spool.old(older_than_seconds=3600)) == []
    assert len(requests) == 1


def test_the_local_disk_keeps_its_floor(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(StorageFull):
        S3Spool(bucket, LocalSpool(tmp_path, floor_bytes=2**62)).create(FIRST)
