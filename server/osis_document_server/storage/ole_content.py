"""A look into OLE files ([MS-CFB]), the containers of older Office programs: which kind of document is in there?

Only the directory is read. olefile would do, but reads the table of all sectors first, in a time that grows with the square of
the file's size.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osis_document_server.domain import content
from osis_document_server.storage.bounded_file import BoundedFile

#: How an OLE file begins (2.2).
SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_SECTOR_SHIFTS = (9, 12)
#: Sectors and entries above these are marks, not numbers (2.1).
_LAST_SECTOR = 0xFFFFFFFA
_LAST_ENTRY = 0xFFFFFFFA
_STREAM = 2
#: Streams shorter than this are kept elsewhere (2.2: mini stream cutoff size).
_CUTOFF_BYTES = 4096

#: What is read of a directory; each storage and each stream takes 128 bytes.
_DIRECTORY_BYTES = 4 * 1024 * 1024
#: What is read in all, table sectors included.
_LIMIT_BYTES = 16 * 1024 * 1024

_EXCEL = "application/vnd.ms-excel"
#: What other programs' files have at their root, in lower case.
_OTHERS = {
    "workbook": _EXCEL,
    "book": _EXCEL,
    "powerpoint document": "application/vnd.ms-powerpoint",
    "__properties_version1.0": "application/vnd.ms-outlook",
}
_WORD = "worddocument"
#: The second byte of a Word document's stream, by version: [MS-DOC] 2.5.2 (0xA5EC), Word 6 and 95, and those for East Asia.
_WORD_MARKS = (0xA5, 0xA6, 0xA7, 0xA8)
#: An Office document of the zip kind under a password, or under rights management, has these ([MS-OFFCRYPTO] 1.3, 2.3.4).
_ENCRYPTED = frozenset({"encryptedpackage"})
_ENCRYPTION = frozenset({"encryptioninfo", "\x06dataspaces"})
ENCRYPTED = "application/encrypted"


def type_of(path: Path) -> str:
    """Returns the media type of the OLE file at ``path``.

    Empty if it cannot be read or nothing says what it is; ``ENCRYPTED`` for an Office document that is encrypted as a whole: of
    which program cannot be known.
    """
    try:
        with BoundedFile(path, limit_bytes=_LIMIT_BYTES) as file:
            return _type_of(_Container(file))
    except Exception:  # noqa: BLE001 - whatever a crafted file leads to, it is no document
        return ""


def _type_of(container: "_Container") -> str:
    root = {entry.name.lower(): entry for entry in container.root()}
    for name, other in _OTHERS.items():
        if name in root:
            return other
    word = root.get(_WORD)
    if word is not None and _is_word(container, word):
        return content.DOC
    if root.keys() & _ENCRYPTED and root.keys() & _ENCRYPTION:
        return ENCRYPTED
    return ""


def _is_word(container: "_Container", entry: "_Entry") -> bool:
    if entry.kind != _STREAM or not entry.size:
        return False
    return entry.size < _CUTOFF_BYTES or container.sector(entry.start)[1] in _WORD_MARKS


@dataclass(frozen=True)
class _Entry:
    """A storage or a stream."""

    name: str
    kind: int
    left: int
    right: int
    child: int
    start: int
    size: int


class _Container:
    """An OLE file, as far as its directory.

    Raises (all methods):
        ValueError, IndexError, struct.error: the file is damaged.
        TooMuchError: its directory is larger than anybody's.
    """

    def __init__(self, file: BoundedFile) -> None:
        self._file = file
        header = file.read_at(0, _HEADER_BYTES)
        (self._shift,) = struct.unpack_from("<H", header, 30)
        if not header.startswith(SIGNATURE) or self._shift not in _SECTOR_SHIFTS:
            raise ValueError("no OLE file")
        (self._directory_start,) = struct.unpack_from("<I", header, 48)
        (self._next_list,) = struct.unpack_from("<I", header, 68)
        #: Where the sectors of the allocation table are, as far as known (the DIFAT, 2.5).
        self._table: list[int] = list(struct.unpack_from("<109I", header, 76))
        self._tables: dict[int, tuple[int, ...]] = {}

    def root(self) -> Iterator[_Entry]:
        """What is at the root, in no order: a tree of siblings hangs from the root entry's child."""
        directory = b"".join(self._chain(self._directory_start, limit_bytes=_DIRECTORY_BYTES))
        waiting, seen = [_entry(directory, 0).child], {0}
        while waiting:
            number = waiting.pop()
            if number < _LAST_ENTRY and number not in seen:
                seen.add(number)
                entry = _entry(directory, number)
                waiting += (entry.left, entry.right)
                yield entry

    def sector(self, number: int) -> bytes:
        """The bytes of a sector; the last of a file may be short."""
        return self._file.read_at((number + 1) << self._shift, 1 << self._shift)

    def _chain(self, sector: int, *, limit_bytes: int) -> Iterator[bytes]:
        for _ in range(limit_bytes >> self._shift):
            if sector >= _LAST_SECTOR:
                return
            yield self.sector(sector)
            sector = self._following(sector)

    def _following(self, sector: int) -> int:
        """The sector after one, by the allocation table."""
        per_table = (1 << self._shift) // 4
        number, place = divmod(sector, per_table)
        if number not in self._tables:
            while number >= len(self._table):
                self._extend_table()
            self._tables[number] = struct.unpack(f"<{per_table}I", self.sector(self._table[number]))
        following: int = self._tables[number][place]
        return following

    def _extend_table(self) -> None:
        if self._next_list >= _LAST_SECTOR:
            raise ValueError("a sector is beyond the allocation table")
        *further, self._next_list = struct.unpack(f"<{(1 << self._shift) // 4}I", self.sector(self._next_list))
        self._table += further


def _entry(directory: bytes, number: int) -> _Entry:
    raw = directory[number * _ENTRY_BYTES : (number + 1) * _ENTRY_BYTES]
    name_bytes, kind, _, left, right, child = struct.unpack_from("<HBBIII", raw, 64)
    start, size = struct.unpack_from("<IQ", raw, 116)
    name = raw[: max(min(name_bytes, 64) - 2, 0)].decode("utf-16-le", errors="replace")
    # The upper half of the size of files with small sectors may hold anything (2.6.1).
    return _Entry(name=name, kind=kind, left=left, right=right, child=child, start=start, size=size & 0xFFFFFFFF)
