"""What holds for every storage: blobs on a local disk, and in S3."""

import hashlib
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from osis_document_server.storage.base import BlobExists, BlobMissing, Storage
from tests.support.s3_server import PAGE

KEY = "0123456789abcdef0123456789abcdef"
MIB = 1024 * 1024
CONTENT = random.Random(1).randbytes(3 * MIB + 7)

NewSource = Callable[[bytes], Path]


def keys(storage: Storage) -> set[str]:
    return {blob.key for blob in storage.stored()}


def read_all(storage: Storage, key: str) -> bytes:
    """Reads as a download does: forward, block by block."""
    with storage.open(key) as reader:
        blocks: list[bytes] = []
        while data := reader.read(sum(map(len, blocks)), MIB):
            blocks.append(data)
        return b"".join(blocks)


@pytest.fixture
def stored(storage: Storage, new_source: NewSource) -> Storage:
    storage.put(KEY, new_source(CONTENT))
    return storage


def test_a_stored_blob_reads_back_byte_for_byte(stored: Storage) -> None:
    assert read_all(stored, KEY) == CONTENT


def test_the_file_becomes_the_blob_and_is_gone(storage: Storage, new_source: NewSource) -> None:
    source = new_source(CONTENT)
    assert keys(storage) == set()
    storage.put(KEY, source)
    assert keys(storage) == {KEY}
    assert not source.exists()


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (0, MIB), (MIB, 2 * MIB), (MIB - 5, MIB + 5), (len(CONTENT) - 1, len(CONTENT)), (17, len(CONTENT))]
)
def test_a_range_brings_its_bytes(stored: Storage, start: int, end: int) -> None:
    with stored.open(KEY, start=start, end=end) as reader:
        assert reader.read(start, end - start) == CONTENT[start:end]


def test_reads_may_leave_bytes_out_going_forward(stored: Storage) -> None:
    with stored.open(KEY) as reader:
        assert reader.read(10, 5) == CONTENT[10:15]
        assert reader.read(15, 5) == CONTENT[15:20]
        assert reader.read(2 * MIB, MIB) == CONTENT[2 * MIB : 3 * MIB]
        assert reader.read(3 * MIB, MIB) == CONTENT[3 * MIB :]


def test_at_the_end_of_a_blob_there_is_nothing_more(stored: Storage) -> None:
    with stored.open(KEY) as reader:
        assert reader.read(len(CONTENT) - 3, 10) == CONTENT[-3:]
        assert reader.read(len(CONTENT), 10) == b""
    with stored.open(KEY, start=len(CONTENT) + 100) as reader:
        assert reader.read(len(CONTENT) + 100, 10) == b""


def test_a_blob_that_is_not_there_is_missing(storage: Storage) -> None:
    with pytest.raises(BlobMissing), storage.open(KEY, start=10, end=20) as reader:
        reader.read(10, 10)


def test_a_deleted_blob_is_missing_and_deleting_it_again_is_no_error(stored: Storage) -> None:
    stored.delete(KEY)
    stored.delete(KEY)
    assert keys(stored) == set()
    with pytest.raises(BlobMissing):
        stored.open(KEY)


def test_deleting_takes_one_blob_and_leaves_the_others(storage: Storage, new_source: NewSource) -> None:
    others = {uuid4().hex: os.urandom(100) for _ in range(5)}
    for key, content in others.items():
        storage.put(key, new_source(content))
    storage.put(KEY, new_source(CONTENT))

    storage.delete(KEY)

    assert keys(storage) == others.keys()
    assert {key: read_all(storage, key) for key in others} == others


def test_a_listing_tells_size_and_time(storage: Storage, new_source: NewSource) -> None:
    source = new_source(CONTENT)
    os.utime(source, (0, 0))  # the last byte of an upload may have come long before it was finished
    storage.put(KEY, source)

    [blob] = storage.stored()

    assert (blob.key, blob.size_bytes) == (KEY, len(CONTENT))
    assert abs(datetime.now(UTC) - blob.stored_at) < timedelta(seconds=30)


def test_more_blobs_than_one_page_of_a_listing_are_listed_once_each(storage: Storage, new_source: NewSource) -> None:
    written = {hashlib.md5(str(number).encode()).hexdigest() for number in range(3 * PAGE - 10)}
    sources = [(key, new_source(key.encode())) for key in written]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: storage.put(*pair), sources))

    found = [blob.key for blob in storage.stored()]

    assert len(found) == len(written)
    assert set(found) == written


def test_a_key_is_never_rewritten(stored: Storage, new_source: NewSource) -> None:
    with pytest.raises(BlobExists):
        stored.put(KEY, new_source(b"other"))
    assert read_all(stored, KEY) == CONTENT


def test_a_source_that_has_vanished_makes_no_blob(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        storage.put(KEY, tmp_path / "gone")
    assert keys(storage) == set()


def test_one_blob_serves_many_readers_at_once(stored: Storage) -> None:
    def read(start: int) -> bool:
        with stored.open(KEY, start=start) as reader:
            return reader.read(start, MIB) == CONTENT[start : start + MIB]

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(read, [number * 97_003 % len(CONTENT) for number in range(64)]))


def test_many_blobs_are_stored_side_by_side(storage: Storage, new_source: NewSource) -> None:
    contents = {uuid4().hex: os.urandom(50_000) for _ in range(32)}
    sources = [(key, new_source(content)) for key, content in contents.items()]

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda pair: storage.put(*pair), sources))

    assert {key: read_all(storage, key) for key in contents} == contents


@pytest.mark.parametrize("size_bytes", [1, 64 * MIB, 64 * MIB + 1, 80 * MIB])
def test_small_and_large_files_are_stored_alike(storage: Storage, new_source: NewSource, size_bytes: int) -> None:
    content = (random.Random(size_bytes).randbytes(MIB + 1) * 80)[:size_bytes]
    storage.put(KEY, new_source(content))

    with storage.open(KEY) as reader:
        digest, offset = hashlib.sha256(), 0
        while data := reader.read(offset, MIB):
            digest.update(data)
            offset += len(data)

    assert (offset, digest.hexdigest()) == (size_bytes, hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("key", ["", "..", "../../etc/passwd", KEY.upper(), KEY + "0", "0" * 31])
def test_only_generated_keys_name_a_place(storage: Storage, new_source: NewSource, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        storage.open(key)
    with pytest.raises(ValueError, match="no key"):
        storage.delete(key)
    with pytest.raises(ValueError, match="no key"):
        storage.put(key, new_source(b"x"))


def test_a_new_storage_has_no_identity_until_it_is_given_one_for_good(storage: Storage, new_source: NewSource) -> None:
    assert storage.identity() is None

    assert storage.identify("ab" * 16) == "ab" * 16
    assert storage.identify("cd" * 16) == "ab" * 16
    assert storage.identity() == "ab" * 16

    storage.put(KEY, new_source(CONTENT))
    assert keys(storage) == {KEY}, "it is no blob"


def test_servers_that_give_a_storage_its_identity_at_once_are_told_the_same(storage: Storage) -> None:
    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(lambda number: storage.identify(f"{number:032x}"), range(8)))

    assert told == {storage.identity()}
