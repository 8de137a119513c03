"""OLE compound files ([MS-CFB]), as older Office programs write them."""

import struct
from collections.abc import Mapping

SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
_FREE, _END, _TABLE, _LIST, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC, 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5

#: A storage holds more of the same.
Tree = Mapping[str, "bytes | Tree"]

#: How the stream of a Word document begins, by version.
WORD_97, WORD_95, WORD_6_JAPANESE = b"\xec\xa5\xc1\x00", b"\xdc\xa5\x68\x00", b"\x97\xa6\x65\x00"


def word(start: bytes = WORD_97, *, name: str = "WordDocument", **others: bytes) -> dict[str, bytes]:
    """The streams of a Word document."""
    return {name: start.ljust(4096, b"\0"), "1Table": bytes(4096), "\x05SummaryInformation": bytes(4096), **others}


class _Writer:
    def __init__(self, sector_bytes: int) -> None:
        self.sector_bytes = sector_bytes
        self.sectors: list[bytes] = []
        self.table: list[int] = []
        self.entries: list[bytes] = []

    def chain(self, content: bytes) -> int:
        """Adds sectors; returns the first."""
        size = self.sector_bytes
        parts = [content[place : place + size].ljust(size, b"\0") for place in range(0, len(content), size)] or [bytes(size)]
        start = len(self.sectors)
        self.sectors += parts
        self.table += [*range(start + 1, start + len(parts)), _END]
        return start

    def siblings(self, tree: Tree) -> int:
        """Adds entries that hang from each other as a list; returns the first."""
        following = _NONE
        for name, content in reversed(tree.items()):
            child = start = _NONE
            size = 0
            if isinstance(content, bytes):
                size = max(len(content), 4096) if content else 0
                start = self.chain(content.ljust(4096, b"\0")) if content else _END
            else:
                child = self.siblings(content)
            kind = _STREAM if isinstance(content, bytes) else _STORAGE
            self.entries.append(_entry(name, kind=kind, right=following, child=child, start=start, size=size))
            following = len(self.entries)  # the root comes before all
        return following


def ole(tree: Tree, *, sector_bytes: int = 512) -> bytes:
    """A compound file of these streams and storages, with sectors of 512 bytes or (version 4) of 4,096."""
    writer = _Writer(sector_bytes)
    child = writer.siblings(tree)
    root = _entry("Root Entry", kind=_ROOT, right=_NONE, child=child, start=_END, size=0)
    directory = writer.chain(b"".join([root, *writer.entries]))
    per_table = sector_bytes // 4
    tables = 1
    while tables * per_table < len(writer.sectors) + tables + _lists(tables, per_table):
        tables += 1
    lists = _lists(tables, per_table)
    first_table, first_list = len(writer.sectors), len(writer.sectors) + tables
    table = writer.table + [_TABLE] * tables + [_LIST] * lists
    table += [_FREE] * (tables * per_table - len(table))
    places = list(range(first_table, first_table + tables))
    header_places = places[:109] + [_FREE] * (109 - len(places[:109]))
    header = SIGNATURE + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3 if sector_bytes == 512 else 4, 0xFFFE, sector_bytes.bit_length() - 1, 6)
    header += struct.pack("<IIIIIIIII", 0, tables, directory, 0, 4096, _END, 0, first_list if lists else _END, lists)
    header += struct.pack("<109I", *header_places)
    further = b""
    for number in range(lists):
        part = places[109 + number * (per_table - 1) : 109 + (number + 1) * (per_table - 1)]
        part += [_FREE] * (per_table - 1 - len(part))
        further += struct.pack(f"<{per_table}I", *part, first_list + number + 1 if number + 1 < lists else _END)
    return header.ljust(sector_bytes, b"\0") + b"".join(writer.sectors) + struct.pack(f"<{len(table)}I", *table) + further


def _lists(tables: int, per_table: int) -> int:
    return -(-max(tables - 109, 0) // (per_table - 1))


def _entry(name: str, *, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    entry = encoded.ljust(64, b"\0") + struct.pack("<HBBIII", len(encoded), kind, 1, _NONE, right, child)
    return entry + bytes(36) + struct.pack("<IQ", start, size)
