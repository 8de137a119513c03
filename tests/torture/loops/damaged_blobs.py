"""Stored bytes that are changed behind the service's back: no damaged byte leaves, and the damage is remembered."""

import random
from dataclasses import dataclass
from pathlib import Path

from osis.document.v1.document_pb2 import Document
from tests.support import files
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.seeds import chance
from tests.support.server import ServerProcess
from tests.support.stubs import Stubs
from tests.support.uploads import MEBIBYTE, store, token_for
from tests.torture.progress import Progress

#: The length of the blocks that have a checksum each.
_BLOCK = MEBIBYTE
_READS = 5


@dataclass(frozen=True, kw_only=True)
class Damage:
    """What is done to a file, and which blocks of the content are not what they were then."""

    what: str
    blocks: frozenset[int]


def damage(file: Path, content: bytes, luck: random.Random) -> Damage:
    """Flips a bit of a stored file, cuts it, makes it longer, or removes it."""
    count = -(-len(content) // _BLOCK)
    file.chmod(0o600)
    kind = luck.choice(["flip", "cut", "lengthen", "remove"])
    if kind == "remove":
        file.unlink()
        return Damage(what="removed", blocks=frozenset(range(count)))
    with file.open("r+b") as opened:
        if kind == "flip":
            place, bit = luck.randrange(len(content)), 1 << luck.randrange(8)
            opened.seek(place)
            opened.write(bytes([content[place] ^ bit]))
            return Damage(what=f"bit {bit} of byte {place} flipped", blocks=frozenset([place // _BLOCK]))
        if kind == "cut":
            length = luck.choice([luck.randrange(len(content)), luck.randrange(count) * _BLOCK])
            opened.truncate(length)
            return Damage(what=f"cut to {length} bytes", blocks=frozenset(range(length // _BLOCK, count)))
        more = luck.randint(1, 2 * _BLOCK)
        opened.seek(0, 2)
        opened.write(bytes(more))
        # The content is a prefix of the file. Where its last block is a whole one, all blocks are what they were.
        last = () if len(content) % _BLOCK == 0 else (count - 1,)
        return Damage(what=f"{more} bytes longer", blocks=frozenset(last))


def damage_blobs(server: ServerProcess, progress: Progress, *, seed: int) -> None:
    """Goes on until the goal `damaged blobs` is reached.

    Raises:
        AssertionError: a read that meets damage is answered, or one that meets none is not as it should be.
    """
    stubs, number = server.stubs(), 0
    while not progress.reached("damaged blobs"):
        luck = chance(seed, "damaged blob", number)
        size = luck.choice([luck.randint(100, 2 * _BLOCK), luck.randint(1, 3) * _BLOCK, luck.randint(_BLOCK, 4 * _BLOCK)])
        content = files.pdf_of_size(size, seed=luck.getrandbits(32))
        document = store(stubs, content, "scan.pdf")
        token = token_for(stubs, document.id)
        done = damage(server.blob_file_of(content), content, luck)
        _read_until_found(stubs, document, token, content, done, luck, progress)
        progress.add("damaged blobs")
        number += 1


def _read_until_found(
    stubs: Stubs, document: Document, token: str, content: bytes, done: Damage, luck: random.Random, progress: Progress
) -> None:
    ranges = [_range(len(content), luck) for _ in range(_READS)]
    for start, end in [*ranges, (0, len(content))]:
        received = download(stubs, token, read_offset=start, read_limit=end - start)
        progress.add("reads")
        touched = range(start // _BLOCK, (end - 1) // _BLOCK + 1)
        bad = next((block for block in touched if block in done.blocks), None)
        what = f"a file of {len(content)} bytes, {done.what}, read from {start} to {end}"
        if bad is None:
            assert received.refusal is None, f"{what}: {received.refusal}"
            assert received.data == content[start:end], f"{what}: other bytes"
            continue
        assert received.refusal is not None, f"{what}: not refused"
        assert received.refusal.reason == "DOCUMENT_CORRUPT", f"{what}: {received.refusal}"
        assert received.data == content[start : max(start, bad * _BLOCK)], f"{what}: other bytes before the damage"
        _require_remembered(stubs, document, token, content, luck, what)
        progress.add("found by readers")
        return


def _require_remembered(stubs: Stubs, document: Document, token: str, content: bytes, luck: random.Random, what: str) -> None:
    start, end = _range(len(content), luck)
    again = download(stubs, token, read_offset=start, read_limit=end - start)
    assert again.header is None, f"{what}; then from {start} to {end}: not refused at once"
    assert again.refusal is not None, f"{what}; then from {start} to {end}: not refused"
    assert again.refusal.reason == "DOCUMENT_CORRUPT", f"{what}; then: {again.refusal}"
    assert get(stubs, document.id).corrupt, f"{what}; and the document does not say so"


def _range(size: int, luck: random.Random) -> tuple[int, int]:
    start = luck.randrange(size)
    return start, luck.randint(start + 1, size)
