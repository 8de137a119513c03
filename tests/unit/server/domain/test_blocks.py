"""Checksums of blocks."""

from itertools import pairwise

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osis_document_server.domain.blocks import BLOCK_SIZE, BlockChecksums, unpack


def _checksums(pieces: list[bytes]) -> tuple[int, ...]:
    checksums = BlockChecksums()
    for piece in pieces:
        checksums.update(piece)
    return unpack(checksums.packed())


@pytest.mark.parametrize("size", [1, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 3 * BLOCK_SIZE, 3 * BLOCK_SIZE + 7])
def test_every_block_has_the_checksum_of_its_own_bytes(size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    content = content[:size]
    expected = tuple(google_crc32c.value(content[start : start + BLOCK_SIZE]) for start in range(0, size, BLOCK_SIZE))
    assert _checksums([content]) == expected


@given(cuts=st.lists(st.integers(min_value=0, max_value=2 * BLOCK_SIZE + 5), max_size=6))
def test_how_the_bytes_were_cut_into_messages_makes_no_difference(cuts: list[int]) -> None:
    content = bytes(range(256)) * (2 * BLOCK_SIZE // 256) + b"rest!"
    edges = [0, *sorted(cuts), len(content)]
    assert _checksums([content[a:b] for a, b in pairwise(edges)]) == _checksums([content])


def test_the_published_check_value_of_crc32c_holds() -> None:
    # RFC 3720, B.4: 32 bytes of zeroes.
    assert _checksums([bytes(32)]) == (0x8A9136AA,)
