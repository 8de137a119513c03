"""Appending changed objects to a PDF.

What was there keeps its bytes (ISO 32000-1, 7.5.6, incremental updates), and with them the digital signatures over it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pikepdf

#: How much of the end readers search for the place of the cross-references.
_TAIL_BYTES = 1024
_LAST_REFERENCE = re.compile(rb".*startxref\s+(\d+)", re.DOTALL)

#: What a new trailer says again of what the last one said.
_KEPT_KEYS = ("/Root", "/Info", "/Encrypt")

_SEPARATOR = b"\n"


@dataclass(frozen=True)
class _Cross:
    """The file's last cross-reference section: its place, and whether it is a table or a stream."""

    offset: int
    is_table: bool


def append(source: Path, target: Path, *, document: pikepdf.Pdf, changed: Sequence[pikepdf.Object]) -> bool:
    """Writes `source` with new versions of some of its objects at the end.

    Args:
        source: the PDF as it is; it must be sound.
        target: the PDF to write.
        document: `source`, open.
        changed: indirect objects of `document`, changed since it was opened.

    Returns:
        False if that is impossible, and nothing was written: something stands before the header, an object has no number
        in the file, or strings in it would have to be encrypted.
    """
    size = int(document.trailer["/Size"])
    cross = _last_cross(source)
    if cross is None or not all(0 < item.objgen[0] < size for item in changed):
        return False
    if document.is_encrypted and any(_has_strings(item) for item in changed):
        return False
    shutil.copyfile(source, target)
    with target.open("r+b") as stream:
        stream.seek(0, os.SEEK_END)
        stream.write(_SEPARATOR)
        places: list[tuple[int, int, int]] = []
        for item in sorted(changed, key=lambda item: item.objgen):
            number, generation = item.objgen
            places.append((number, generation, stream.tell()))
            stream.write(b"%d %d obj\n%s\nendobj\n" % (number, generation, item.unparse(resolved=True)))
        start = stream.tell()
        trailer = _trailer(document, previous=cross.offset, changes=repr(places).encode())
        stream.write(_table(places, trailer, size) if cross.is_table else _stream([*places, (size, 0, start)], trailer, size))
        stream.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return True


def _last_cross(source: Path) -> _Cross | None:
    with source.open("rb") as stream:
        if stream.read(5) != b"%PDF-":
            return None  # offsets may count from the header, or not
        stream.seek(max(0, source.stat().st_size - _TAIL_BYTES))
        found = _LAST_REFERENCE.match(stream.read())
        if found is None:
            return None
        offset = int(found[1])
        stream.seek(offset)
        return _Cross(offset, stream.read(16).lstrip().startswith(b"xref"))


def _has_strings(item: pikepdf.Object) -> bool:
    """True if there is a string in an object itself; what it refers to does not matter."""
    if isinstance(item, pikepdf.Dictionary):
        return any(_has_strings(value) for value in item.values() if not _is_reference(value))
    if isinstance(item, pikepdf.Array):
        return any(_has_strings(value) for value in item if not _is_reference(value))
    return isinstance(item, pikepdf.String)


def _is_reference(value: object) -> bool:
    return isinstance(value, pikepdf.Object) and value.is_indirect


def _trailer(document: pikepdf.Pdf, *, previous: int, changes: bytes) -> bytes:
    parts = [b"/Prev %d" % previous]
    parts += [key.encode() + b" " + document.trailer[key].unparse() for key in _KEPT_KEYS if key in document.trailer]
    identifier = document.trailer.get("/ID")
    if isinstance(identifier, pikepdf.Array) and len(identifier) == 2:
        # The first part names the document (and takes part in its encryption), the second this state of it (14.4).
        digest = hashlib.sha256(bytes(identifier[1]) + changes).hexdigest()[:32]
        parts.append(b"/ID [ %s <%s> ]" % (identifier[0].unparse(), digest.encode()))
    return b" ".join(parts)


def _table(places: Sequence[tuple[int, int, int]], trailer: bytes, size: int) -> bytes:
    entries = b"".join(b"%d 1\n%010d %05d n \n" % (number, offset, generation) for number, generation, offset in places)
    # The free entry 0 is what readers expect a table to begin with.
    return b"xref\n0 1\n0000000000 65535 f \n%strailer\n<< /Size %d %s >>\n" % (entries, size, trailer)


def _stream(places: Sequence[tuple[int, int, int]], trailer: bytes, size: int) -> bytes:
    """A cross-reference stream (7.5.8), which is an object with a number itself: `size`, the first that is free."""
    entries = b"".join(struct.pack(">BQH", 1, offset, generation) for _, generation, offset in places)
    index = b" ".join(b"%d 1" % number for number, _, _ in places)
    keys = b"/Type /XRef /Size %d /W [ 1 8 2 ] /Index [ %s ] /Length %d" % (size + 1, index, len(entries))
    return b"%d 0 obj\n<< %s %s >>\nstream\n%s\nendstream\nendobj\n" % (size, keys, trailer, entries)
