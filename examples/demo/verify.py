"""Looks whether the merged PDF is what it should be."""

import hashlib
import unicodedata
from pathlib import Path

from errors import DemoError
from make_documents import Sample
from pypdf import PageObject, PdfReader

MM = 72 / 25.4
A4_POINTS = (210 * MM, 297 * MM)
TOLERANCE_POINTS = 1.0


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(pdf: Path, samples: list[Sample]) -> int:
    """Checks pages, sizes, bookmarks and text of ``pdf`` against the documents that it was made of; answers the number of pages.

    Raises:
        DemoError: something is not as expected; says what.
    """
    reader = PdfReader(pdf)
    pages = list(reader.pages)
    _expect(len(pages) == sum(sample.pages for sample in samples), f"{len(pages)} pages, not {sum(s.pages for s in samples)}")
    for number, page in enumerate(pages, start=1):
        _expect(_is_upright_a4(page), f"page {number} is {page.mediabox.width} × {page.mediabox.height} points, not upright A4")

    first = 0
    starts = []
    for sample in samples:
        starts.append(first)
        text = "".join(page.extract_text() for page in pages[first : first + sample.pages])
        for phrase in sample.phrases:
            _expect(_squeezed(phrase) in _squeezed(text), f"the text {phrase!r} of {sample.path.name} is not where it should be")
        if not sample.phrases:
            _expect(len(pages[first].images) == 1, f"page {first + 1} does not hold the one image {sample.path.name}")
        first += sample.pages

    bookmarks = [reader.get_destination_page_number(entry) for entry in reader.outline if not isinstance(entry, list)]
    _expect(bookmarks == starts, f"the bookmarks point to pages {bookmarks}, not {starts} (counted from 0)")
    return len(pages)


def _is_upright_a4(page: PageObject) -> bool:
    """True if the page is shown as A4 on end. The photo is, too, if its orientation was respected."""
    for box in (page.mediabox, page.cropbox):
        size = (float(box.width), float(box.height))
        shown = size if page.rotation % 180 == 0 else (size[1], size[0])
        if any(abs(is_ - should) > TOLERANCE_POINTS for is_, should in zip(shown, A4_POINTS, strict=True)):
            return False
    return True


def _squeezed(text: str) -> str:
    """Without spaces and ligatures, which extracted text has in other places than the source."""
    return "".join(unicodedata.normalize("NFKC", text).replace("’", "'").split())


def _expect(fact: bool, otherwise: str) -> None:
    if not fact:
        raise DemoError("The merged PDF is not as expected", why=otherwise, remedy="open var/demo/merged.pdf and look")
