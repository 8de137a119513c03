"""What a caller may ask of a conversion or a merge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .paper import PaperSize

_PAGE_RANGES = re.compile(r"\d+(-\d*)?(,\d+(-\d*)?)*")


@dataclass(frozen=True, kw_only=True)
class ConvertOptions:
    """Options of one conversion.

    Attributes:
        title: the PDF's title; empty keeps the document's own.
        page_ranges: pages to keep, from 1, such as `1-3,5,8-`, in this order; empty keeps all.
        pdf_a: write PDF/A-2b (office documents and text only).

    Raises:
        ValueError: `page_ranges` is malformed.
    """

    title: str = ""
    page_ranges: str = ""
    pdf_a: bool = False

    def __post_init__(self) -> None:
        compact = "".join(self.page_ranges.split())
        if compact and not _PAGE_RANGES.fullmatch(compact):
            raise ValueError(f"page ranges look like '1-3,5,8-', not {self.page_ranges!r}")
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", compact):
            if int(first) < 1 or (last and int(last) < int(first)):
                raise ValueError(f"page ranges count upwards from 1, unlike {self.page_ranges!r}")
        object.__setattr__(self, "page_ranges", compact)

    def pages(self, count: int) -> list[int]:
        """The pages to keep of a document that has `count`, counted from 0, as asked for; those that it lacks are left out."""
        if not self.page_ranges:
            return list(range(count))
        chosen: list[int] = []
        for part in self.page_ranges.split(","):
            first, dash, last = part.partition("-")
            end = min(int(last), count) if last else count if dash else min(int(first), count)
            chosen += range(int(first) - 1, end)
        return chosen


@dataclass(frozen=True, kw_only=True)
class MergeOptions:
    """Options of one merge: pages are fitted to `paper_size` unless it is None; an empty `title` sets none."""

    paper_size: PaperSize | None = None
    title: str = ""


@dataclass(frozen=True)
class MergeInput:
    """One PDF to merge: where it is, and the name its bookmark and its errors carry."""

    path: Path
    name: str
