"""What a conversion may ask of a document that is a PDF already: some of its pages, another title."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pikepdf
from pypdf import PdfReader, PdfWriter
from pypdf.errors import LimitReachedError
from pypdf.generic import NameObject

from . import pdf, pdf_edit
from .errors import EngineError, Reason
from .options import ConvertOptions
from .pdf_title import set_title, write_title

#: What holds for the document as a whole and is not to be lost with some of its pages: hidden layers stay hidden.
_KEPT = ("/OCProperties", "/Lang", "/ViewerPreferences")


def apply(source: Path, target: Path, *, options: ConvertOptions, work: Path) -> None:
    """Makes the PDF that is asked for, in this process; it belongs under a launcher.

    Of pages that are not asked for nothing stays, neither what they show nor their bookmarks and form fields. The others come
    in the order asked for. A title alone changes nothing else, and leaves the PDF as protected as it is; without options it is
    passed on.

    Args:
        source: the PDF; it is not changed.
        target: the PDF to write.
        options: title and pages; PDF/A is refused.
        work: an existing folder for temporary files.

    Raises:
        EngineError: DOCUMENT_UNREADABLE (damaged, or it has none of the pages), PASSWORD_REQUIRED, PROCESSING_TOO_LARGE,
            TYPE_NOT_CONVERTIBLE (to PDF/A).
    """
    if options.pdf_a:
        raise EngineError(
            Reason.TYPE_NOT_CONVERTIBLE,
            "A PDF cannot be converted to PDF/A. Convert the document that it was made from, or ask for ordinary PDF.",
        )
    try:
        with pikepdf.open(source) as document:
            sound = pdf_edit.is_sound(document)
            if not sound:
                _require_whole_pages(source)
            if options.page_ranges:
                wanted = options.pages(len(document.pages))
                if not wanted:
                    raise EngineError(
                        Reason.DOCUMENT_UNREADABLE,
                        f"The document has none of the pages {options.page_ranges}. Ask for pages that it has.",
                    )
                readable = source
                if document.is_encrypted or not sound:
                    readable = work / "readable.pdf"
                    _save(document, readable, encryption=False)
                _take_pages(readable, target, wanted=wanted)
                if options.title:
                    set_title(target, options.title)
            elif options.title:
                write_title(document, options.title)
                _save(document, target, encryption=document.is_encrypted)
            else:
                shutil.copyfile(source, target)
    except pikepdf.PasswordError as exc:
        raise EngineError(
            Reason.PASSWORD_REQUIRED,
            "The PDF is protected by a password and cannot be opened. Save it without the password and upload it again.",
        ) from exc
    except LimitReachedError as exc:
        raise EngineError(
            Reason.PROCESSING_TOO_LARGE, "The document cannot be processed: a part of it unpacks to too much."
        ) from exc
    except (*pdf.BROKEN, *pdf_edit.BROKEN) as exc:
        raise _unreadable("it is damaged") from exc


def _require_whole_pages(source: Path) -> None:
    """Raises EngineError (DOCUMENT_UNREADABLE) if repairing the file would lose parts of a page."""
    with PdfReader(source) as reader:
        if number := pdf.first_damaged_page(reader):
            raise _unreadable(f"its page {number} is damaged")


def _save(document: pikepdf.Pdf, target: Path, *, encryption: bool) -> None:
    with warnings.catch_warnings():
        # Fields that no form knows are the document's own matter: nothing was copied here.
        warnings.simplefilter("ignore", pikepdf.PageCopyWarning)
        document.save(target, encryption=encryption)


def _take_pages(source: Path, target: Path, *, wanted: list[int]) -> None:
    """Writes a PDF of some pages, counted from 0, of one that is sound and not encrypted."""
    writer = PdfWriter()
    with PdfReader(source) as reader:
        pdf.resolve_named_links(reader)
        writer.append(reader, pages=wanted)
        if reader.metadata:
            writer.add_metadata(dict(reader.metadata))
        for key in _KEPT:
            if key in reader.root_object:
                writer.root_object[NameObject(key)] = reader.root_object[key].clone(writer)
        writer.write(target)


def _unreadable(why: str) -> EngineError:
    return EngineError(
        Reason.DOCUMENT_UNREADABLE,
        f"The document cannot be read: {why}. Open it in a PDF program, save it anew and upload it again.",
    )
