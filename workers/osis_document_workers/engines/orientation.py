"""EXIF orientations (Exif 2.32, tag 274): how a stored picture is to be shown."""

from __future__ import annotations

#: Orientation: whether the stored picture is mirrored left to right, and how many degrees it is rotated clockwise after that.
SHOWN = {
    1: (False, 0),
    2: (True, 0),
    3: (False, 180),
    4: (True, 180),
    5: (True, 270),
    6: (False, 90),
    7: (True, 90),
    8: (False, 270),
}
_ORIENTATIONS = {shown: orientation for orientation, shown in SHOWN.items()}

UPRIGHT = 1


def turned(orientation: int, degrees: int) -> int:
    """The orientation that shows a picture of `orientation` rotated clockwise by `degrees`, a multiple of 90."""
    mirrored, rotation = SHOWN[orientation]
    return _ORIENTATIONS[mirrored, (rotation + degrees) % 360]
