"""Paper sizes."""

from __future__ import annotations

import enum

POINTS_PER_MM = 72 / 25.4


class PaperSize(enum.Enum):
    """A paper size; the value is its portrait width and height in millimetres.

    Sources: ISO 216 (A series), ISO 269 (C4), ANSI/ASME Y14.1 (Letter, Legal: 8.5 in × 11 in and 8.5 in × 14 in).
    The names are those of the public `PaperSize` enum without its prefix.
    """

    A0 = (841.0, 1189.0)
    A1 = (594.0, 841.0)
    A2 = (420.0, 594.0)
    A3 = (297.0, 420.0)
    A4 = (210.0, 297.0)
    A5 = (148.0, 210.0)
    A6 = (105.0, 148.0)
    A7 = (74.0, 105.0)
    A8 = (52.0, 74.0)
    C4 = (229.0, 324.0)
    LETTER = (215.9, 279.4)
    LEGAL = (215.9, 355.6)

    def points(self, *, landscape: bool = False) -> tuple[float, float]:
        """Width and height in PDF points (1/72 inch), rounded to 1/1000."""
        width, height = (round(side * POINTS_PER_MM, 3) for side in self.value)
        return (height, width) if landscape else (width, height)
