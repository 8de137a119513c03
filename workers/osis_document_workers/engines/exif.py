"""The one EXIF tag that is read and written here: the orientation.

EXIF data is a small TIFF file (Exif 2.32, 4.5), full of offsets into itself, some of them in makers' notes that only their
maker can read. So nothing in it ever moves: a tag is rewritten where it is, or the first directory is written anew at the end.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .orientation import SHOWN, UPRIGHT

ORIENTATION_TAG = 0x0112

#: TIFF 6.0, section 2: byte, short and long, and how `struct` names them.
_TYPES = {1: "B", 3: "H", 4: "I"}
_SHORT = 3
_ENTRY_BYTES = 12
_HEADER_BYTES = 8


@dataclass(frozen=True)
class _Directory:
    """The first directory: the byte order as `struct` writes it, the offset of the first entry, and how many there are."""

    order: str
    entries: int
    count: int

    @property
    def offsets(self) -> range:
        return range(self.entries, self.end, _ENTRY_BYTES)

    @property
    def end(self) -> int:
        return self.entries + self.count * _ENTRY_BYTES


def made(orientation: int) -> bytes:
    """EXIF data that says nothing but an orientation."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, _HEADER_BYTES, 1, ORIENTATION_TAG, _SHORT, 1, orientation, 0, 0)


def orientation_of(tiff: bytes) -> int:
    """The orientation, from 1 to 8; 1 if none is given, or one that does not exist, or the data is damaged."""
    directory = _first_directory(tiff)
    found = UPRIGHT
    if directory is not None:
        for offset in _orientation_entries(tiff, directory):  # of several the last counts, as it does in Pillow
            (kind,) = struct.unpack_from(f"{directory.order}H", tiff, offset + 2)
            if kind in _TYPES:
                (found,) = struct.unpack_from(directory.order + _TYPES[kind], tiff, offset + 8)
    return found if found in SHOWN else UPRIGHT


def with_orientation(tiff: bytes, orientation: int) -> bytes | None:
    """The same data with another orientation; longer if it had none. None if it is damaged."""
    directory = _first_directory(tiff)
    if directory is None:
        return None
    entry = struct.pack(f"{directory.order}HHIHH", ORIENTATION_TAG, _SHORT, 1, orientation, 0)
    offsets = _orientation_entries(tiff, directory)
    if not offsets:
        return _with_entry(tiff, directory, entry)
    changed = bytearray(tiff)
    for offset in offsets:
        changed[offset : offset + _ENTRY_BYTES] = entry
    return bytes(changed)


def _first_directory(tiff: bytes) -> _Directory | None:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < _HEADER_BYTES:
        return None
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    if not _HEADER_BYTES <= start <= len(tiff) - 2:
        return None
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    directory = _Directory(order, start + 2, count)
    return directory if directory.end <= len(tiff) else None


def _tag(tiff: bytes, directory: _Directory, offset: int) -> int:
    (tag,) = struct.unpack_from(f"{directory.order}H", tiff, offset)
    return int(tag)


def _orientation_entries(tiff: bytes, directory: _Directory) -> list[int]:
    return [offset for offset in directory.offsets if _tag(tiff, directory, offset) == ORIENTATION_TAG]


def _with_entry(tiff: bytes, directory: _Directory, entry: bytes) -> bytes:
    """Writes the directory with one more entry at the end, and has the header point there. The old one stays, unused."""
    place = next((o for o in directory.offsets if _tag(tiff, directory, o) > ORIENTATION_TAG), directory.end)
    next_directory = tiff[directory.end : directory.end + 4].ljust(4, b"\0")
    padding = b"\0" * (len(tiff) % 2)  # directories begin on even offsets
    return b"".join(
        (
            tiff[:4],
            struct.pack(f"{directory.order}I", len(tiff) + len(padding)),
            tiff[_HEADER_BYTES:],
            padding,
            struct.pack(f"{directory.order}H", directory.count + 1),
            tiff[directory.entries : place],
            entry,
            tiff[place : directory.end],
            next_directory,
        )
    )
