"""What holds for every spool: segments on a local disk, and in S3."""

import random
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from osis_document_server.storage.spool import SegmentMissing, Spool, joined_name, segment_name
from tests.support.waiting import wait_until

#: Opens the spool as the host of this name sees it.
Hosts = Callable[[str], Spool]

UPLOAD = UUID("01234567-89ab-cdef-0123-456789abcdef")
FIRST, SECOND, THIRD = (segment_name(UPLOAD, epoch) for epoch in (1, 2, 3))
MIB = 1024 * 1024
CONTENT = random.Random(2).randbytes(5 * MIB + 11)


def write(spool: Spool, name: str, *pieces: bytes, flush: bool = True) -> None:
    """Writes a segment, flushing after each piece."""
    with spool.create(name) as file:
        for piece in pieces:
            file.write(piece)
            if flush:
                file.flush()


def read(spool: Spool, name: str, size_bytes: int) -> bytes:
    return b"".join(spool.read(name, size_bytes=size_bytes))


def is_missing(spool: Spool, name: str) -> bool:
    try:
        read(spool, name, 1)
    except SegmentMissing:
        return True
    return False


def test_what_was_written_is_in_a_local_file_while_it_is_written(spool: Spool) -> None:
    with spool.create(FIRST) as file:
        file.write(CONTENT[:MIB])
        file.flush()
        file.write(CONTENT[MIB:])
        assert file.size_bytes == len(CONTENT)
        assert file.path.read_bytes() == CONTENT


@pytest.mark.parametrize("cuts", [[], [1], [MIB], [1, MIB - 1, MIB, 3 * MIB + 5]], ids=["one", "byte", "block", "many"])
def test_what_was_flushed_is_there_for_another_process(hosts: Hosts, cuts: list[int]) -> None:
    pieces = [CONTENT[start:end] for start, end in zip([0, *cuts], [*cuts, len(CONTENT)], strict=True)]
    write(hosts("one"), FIRST, *pieces)

    assert read(hosts("another"), FIRST, len(CONTENT)) == CONTENT


def test_what_was_flushed_is_there_though_the_writer_never_ended(hosts: Hosts) -> None:
    file = hosts("one").create(FIRST)
    file.write(CONTENT[:MIB])
    file.flush()
    file.write(CONTENT[MIB:])

    assert read(hosts("another"), FIRST, MIB) == CONTENT[:MIB]
    file.__exit__(None, None, None)


def test_only_so_much_is_read_as_is_asked_for(hosts: Hosts) -> None:
    write(hosts("one"), FIRST, CONTENT[: 2 * MIB], CONTENT[2 * MIB :])

    assert read(hosts("another"), FIRST, 2 * MIB) == CONTENT[: 2 * MIB]
    assert read(hosts("another"), FIRST, 3 * MIB + 1) == CONTENT[: 3 * MIB + 1]


def test_flushing_without_anything_new_changes_nothing(hosts: Hosts) -> None:
    write(hosts("one"), FIRST, b"", CONTENT, b"", b"")

    assert read(hosts("another"), FIRST, len(CONTENT)) == CONTENT


def test_each_writer_has_a_segment_of_its_own(hosts: Hosts) -> None:
    stale = hosts("one").create(FIRST)
    stale.write(b"first")
    stale.flush()
    write(hosts("another"), SECOND, b"second")
    stale.write(b" and its late bytes")
    stale.flush()
    stale.__exit__(None, None, None)

    assert read(hosts("third"), FIRST, 5) + read(hosts("third"), SECOND, 6) == b"firstsecond"


def test_a_segment_that_is_shorter_than_it_should_be_is_missing(hosts: Hosts) -> None:
    write(hosts("one"), FIRST, CONTENT[:MIB])

    with pytest.raises(SegmentMissing):
        read(hosts("another"), FIRST, MIB + 1)


def test_a_segment_that_is_not_there_is_missing(spool: Spool) -> None:
    with pytest.raises(SegmentMissing):
        read(spool, FIRST, 1)


def test_a_removed_segment_is_gone_and_removing_it_again_is_no_error(hosts: Hosts) -> None:
    write(hosts("one"), FIRST, CONTENT[:MIB], CONTENT[MIB:])
    write(hosts("one"), SECOND, b"stays")

    for _ in range(2):
        hosts("another").remove(FIRST)

    assert is_missing(hosts("one"), FIRST)
    assert read(hosts("one"), SECOND, 5) == b"stays"


def test_all_segments_of_an_upload_go_together_and_no_other(hosts: Hosts) -> None:
    other = segment_name(uuid4(), 1)
    for name in (FIRST, SECOND, THIRD, other):
        write(hosts("one"), name, b"x", b"y")
    write(hosts("one"), joined_name(UPLOAD, 3), b"xyxyxy", flush=False)

    for _ in range(2):
        hosts("one").remove_all(UPLOAD)

    assert [is_missing(hosts("another"), name) for name in (FIRST, SECOND, THIRD, other)] == [True, True, True, False]


def test_a_writer_removes_all_that_it_wrote(hosts: Hosts) -> None:
    with hosts("one").create(FIRST) as file:
        for piece in (b"one", b"two"):
            file.write(piece)
            file.flush()
        file.write(b"not flushed")
        file.remove()

    assert is_missing(hosts("another"), FIRST)


def test_a_writer_may_remove_what_has_become_a_blob(spool: Spool) -> None:
    with spool.create(FIRST) as file:
        file.write(CONTENT)
        file.path.unlink()
        file.remove()


def test_only_what_nobody_has_written_to_for_so_long_is_old(hosts: Hosts) -> None:
    write(hosts("one"), FIRST, b"x")
    spool = hosts("one")

    assert list(spool.old(older_than_seconds=3600)) == []
    wait_until(lambda: set(hosts("one").old(older_than_seconds=1)) == {UPLOAD}, "it is old", seconds=10)
    young = uuid4()
    write(spool, segment_name(young, 1), b"x")
    assert young not in set(hosts("one").old(older_than_seconds=1))


def test_what_is_old_and_removed_is_not_listed_any_more(hosts: Hosts) -> None:
    write(hosts("one"), FIRST, b"x")
    wait_until(lambda: set(hosts("one").old(older_than_seconds=0.1)) == {UPLOAD}, "it is old", seconds=10)

    hosts("one").remove_all(UPLOAD)

    assert list(hosts("one").old(older_than_seconds=0)) == []


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "x.1", FIRST + "/.."])
def test_only_segments_have_a_name(spool: Spool, name: str) -> None:
    with pytest.raises(ValueError, match="no segment"):
        spool.create(name)
