"""Rotating pages of a PDF."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path

import pikepdf
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from . import pdf_update
from .errors import EngineError, Reason
from .pdf import HEADER_BYTES, first_damaged_page

#: What a damaged PDF makes the libraries raise.
BROKEN = (
    *(pikepdf.PdfError, PyPdfError),
    *(OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError, RuntimeError),
)

#: How qpdf ends its warnings of faults that no reader minds.
_HARMLESS = "handled correctly by qpdf and most other applications"


def edit(source: Path, target: Path, *, rotations: Mapping[int, int]) -> None:
    """Rotates pages, in this process; it belongs under a launcher.

    The pages are rotated from how they are shown, an inherited rotation included. The changes are appended, so that all else
    keeps its bytes; only a PDF that must be repaired for it is written anew. One that opens without a password stays as
    protected as it is. Without anything to rotate the file is passed through.

    Args:
        source: the PDF; it is not changed.
        target: the PDF to write.
        rotations: degrees clockwise (multiples of 90) by page, counted from 0.

    Raises:
        EngineError: DOCUMENT_UNREADABLE (no PDF, damaged, or it has no such page), PASSWORD_REQUIRED.
    """
    with source.open("rb") as stream:
        if b"%PDF-" not in stream.read(HEADER_BYTES):
            raise _unreadable("it is no PDF")
    try:
        with pikepdf.open(source) as document:
            pages = list(document.pages)
            _require_pages(rotations, count=len(pages))
            sound = is_sound(document)
            if not sound:
                _require_whole_pages(source)
            changed = {number: degrees % 360 for number, degrees in rotations.items() if degrees % 360}
            for number, degrees in changed.items():
                pages[number].rotate(degrees, relative=True)
            if not changed:
                shutil.copyfile(source, target)
            elif not (sound and _append(source, target, document=document, pages=pages, changed=list(changed))):
                _save(document, target)
    except pikepdf.PasswordError as exc:
        raise EngineError(
            Reason.PASSWORD_REQUIRED,
            "The PDF is protected by a password and cannot be opened. Save it without the password and upload it again.",
        ) from exc
    except BROKEN as exc:
        raise _unreadable("it is damaged") from exc


def is_sound(document: pikepdf.Pdf) -> bool:
    """True if nothing had to be repaired to open a document and to find its pages."""
    return all(_HARMLESS in str(warning) for warning in document.get_warnings())


def _require_pages(rotations: Mapping[int, int], *, count: int) -> None:
    if not count:
        raise _unreadable("it has no pages")
    missing = sorted(number for number in rotations if not 0 <= number < count)
    if missing:
        raise EngineError(
            Reason.DOCUMENT_UNREADABLE,
            f"The PDF has {count} page{'s' if count > 1 else ''}, counted from 0 to {count - 1}: "
            f"page {missing[0]} cannot be rotated. Load the document anew and try again.",
        )


def _require_whole_pages(source: Path) -> None:
    """Raises EngineError (DOCUMENT_UNREADABLE) if repairing the file would lose parts of a page."""
    with PdfReader(source) as reader:
        if number := first_damaged_page(reader):
            raise _unreadable(f"its page {number} is damaged")


def _append(source: Path, target: Path, *, document: pikepdf.Pdf, pages: list[pikepdf.Page], changed: list[int]) -> bool:
    """Appends the changed pages, and reads the result to be sure. Returns False if it has to be written anew instead."""
    if not pdf_update.append(source, target, document=document, changed=[pages[number].obj for number in changed]):
        return False
    with pikepdf.open(target) as updated:
        found = list(updated.pages)
        return (
            is_sound(updated)
            and [page.obj.objgen for page in found] == [page.obj.objgen for page in pages]
            and all(_text(found[number]) == _text(pages[number]) for number in changed)
        )


def _text(page: pikepdf.Page) -> bytes:
    return page.obj.unparse(resolved=True)


def _save(document: pikepdf.Pdf, target: Path) -> None:
    with warnings.catch_warnings():
        # Fields that no form knows are the document's own matter: nothing was copied here.
        warnings.simplefilter("ignore", pikepdf.PageCopyWarning)
        document.save(target, encryption=document.is_encrypted)


def _unreadable(why: str) -> EngineError:
    return EngineError(
        Reason.DOCUMENT_UNREADABLE,
        f"The PDF cannot be edited: {why}. Open it in a PDF program, save it anew and upload it again.",
    )
