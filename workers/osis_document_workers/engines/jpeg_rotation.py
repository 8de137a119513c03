"""Rotating a JPEG without loss: its EXIF orientation is rewritten, nothing else.

XMP may carry an orientation too. It stays as it is: EXIF is what programs go by (Metadata Working Group, Guidelines for
Handling Image Metadata 2.0, 5.5), as do browsers.
"""

from __future__ import annotations

import shutil
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from . import exif
from .orientation import turned

#: Markers (ISO/IEC 10918-1, table B.1): start of image and of scan, end of image, application segments 0 to 2, and those
#: without a length.
_SOI, _SOS, _EOI, _APP0, _APP1, _APP2 = 0xD8, 0xDA, 0xD9, 0xE0, 0xE1, 0xE2
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_LONGEST_PAYLOAD = 0xFFFF - 2

_EXIF = b"Exif\0\0"
_MULTI_PICTURE = b"MPF\0"

#: CIPA DC-007, 5.2.3.3: the tag of the list of pictures, and what an entry begins with: attributes, size, offset.
_PICTURES_TAG = 0xB002
_PICTURE_BYTES = 16


@dataclass(frozen=True)
class _Segment:
    """What the file has up to a payload (fill bytes, marker, length), and the payload."""

    marker: int
    lead: bytes
    payload: bytes

    @property
    def size(self) -> int:
        return len(self.lead) + len(self.payload)

    @property
    def is_exif(self) -> bool:
        return self.marker == _APP1 and self.payload.startswith(_EXIF)

    @property
    def is_multi_picture(self) -> bool:
        return self.marker == _APP2 and self.payload.startswith(_MULTI_PICTURE)


def rotate(source: Path, target: Path, *, degrees: int) -> None:
    """Rotates a JPEG clockwise by a multiple of 90 degrees; pixels, profiles and all other metadata keep their bytes.

    A file without EXIF orientation gets one. The copy's pictures that are not shown (thumbnails, further pictures of an MPO
    file) are left as they are.

    Raises:
        ValueError: the file does not begin like a JPEG.
    """
    with source.open("rb") as picture, target.open("wb") as rotated:
        for segment in _turned(_header(picture), degrees):
            rotated.write(segment.lead)
            rotated.write(segment.payload)
        shutil.copyfileobj(picture, rotated, 1024 * 1024)


def _header(picture: BinaryIO) -> list[_Segment]:
    """Reads everything before the first scan, and leaves the file there."""
    if picture.read(2) != bytes((0xFF, _SOI)):
        raise ValueError("a JPEG begins with FF D8")
    segments = [_Segment(_SOI, bytes((0xFF, _SOI)), b"")]
    while True:
        start = picture.tell()
        marker = _next_marker(picture)
        if marker in (_SOS, _EOI):
            picture.seek(start)
            return segments
        length = 0 if marker in _BARE else struct.unpack(">H", _read(picture, 2))[0] - 2
        if marker not in _BARE and length < 0:
            raise ValueError("a JPEG segment is shorter than its own length")
        payload_start = picture.tell()
        picture.seek(start)
        lead = _read(picture, payload_start - start)
        segments.append(_Segment(marker, lead, _read(picture, max(length, 0))))


def _next_marker(picture: BinaryIO) -> int:
    """Reads on to the next marker; decoders pass over other bytes, and over fill bytes before it."""
    byte = _read(picture, 1)[0]
    while True:
        while byte != 0xFF:
            byte = _read(picture, 1)[0]
        while byte == 0xFF:
            byte = _read(picture, 1)[0]
        if byte != 0x00:
            return byte


def _read(picture: BinaryIO, size: int) -> bytes:
    content = picture.read(size)
    if len(content) < size:
        raise ValueError("a JPEG ends before its first scan")
    return content


def _turned(segments: list[_Segment], degrees: int) -> list[_Segment]:
    found = [index for index, segment in enumerate(segments) if segment.is_exif]
    tiff = segments[found[0]].payload[len(_EXIF) :] if found else b""
    orientation = turned(exif.orientation_of(tiff), degrees)
    changed = exif.with_orientation(tiff, orientation)
    if changed is not None and len(changed) != len(tiff):
        # It may grow if it fits into its segment, and is not continued in another: what is there has its place.
        changed = changed if len(found) == 1 and len(_EXIF) + len(changed) <= _LONGEST_PAYLOAD else None
    if changed is not None:
        return _replaced(segments, found[0], _exif_segment(changed))
    # No EXIF, or damaged, or full: a segment of its own, before any other, as the first is the one that programs read. But
    # after JFIF's, which has to be the first of all.
    place = 1
    while place < len(segments) and segments[place].marker == _APP0:
        place += 1
    made = _exif_segment(exif.made(orientation))
    return _moved([*segments[:place], made, *segments[place:]], place, made.size)


def _exif_segment(tiff: bytes) -> _Segment:
    payload = _EXIF + tiff
    return _Segment(_APP1, bytes((0xFF, _APP1)) + struct.pack(">H", len(payload) + 2), payload)


def _replaced(segments: list[_Segment], index: int, new: _Segment) -> list[_Segment]:
    old = segments[index]
    new = replace(new, lead=old.lead[:-2] + new.lead[-2:])  # with the fill bytes that it had
    return _moved([*segments[:index], new, *segments[index + 1 :]], index, new.size - old.size)


def _moved(segments: list[_Segment], index: int, by: int) -> list[_Segment]:
    """Has the list of an MPO file's pictures tell the truth again, after the segment at `index` has grown."""
    if by:
        for place, segment in enumerate(segments):
            if segment.is_multi_picture:
                # Offsets count from within this segment, so they change only with what comes after it.
                payload = _with_grown_picture(segment.payload, by=by, offsets_too=index > place)
                segments[place] = replace(segment, payload=payload)
    return segments


def _with_grown_picture(payload: bytes, *, by: int, offsets_too: bool) -> bytes:
    changed = bytearray(payload)
    base = len(_MULTI_PICTURE)
    order = "<" if payload[base : base + 2] == b"II" else ">"
    (start,) = struct.unpack_from(f"{order}I", payload, base + 4)
    (count,) = struct.unpack_from(f"{order}H", payload, base + start)
    for entry in range(base + start + 2, base + start + 2 + count * 12, 12):
        tag, _, size, offset = struct.unpack_from(f"{order}HHII", payload, entry)
        if tag != _PICTURES_TAG:
            continue
        for picture in range(base + offset, base + offset + size, _PICTURE_BYTES):
            bytes_, place = struct.unpack_from(f"{order}II", payload, picture + 4)
            if place == 0:  # the first picture, which is the one that has grown
                struct.pack_into(f"{order}I", changed, picture + 4, bytes_ + by)
            elif offsets_too:
                struct.pack_into(f"{order}I", changed, picture + 8, place + by)
    return bytes(changed)
