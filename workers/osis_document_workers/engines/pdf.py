"""Merging PDFs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import NoneType

from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError, PyPdfError
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NullObject,
    TextStringObject,
)

from .errors import EngineError, Reason
from .options import MergeInput
from .paper import PaperSize
from .pdf_fit import Fitting

#: Readers accept a header after some foreign bytes (PDF 1.7, Annex H, implementation note 13).
HEADER_BYTES = 1024

#: What a damaged PDF makes pypdf raise, beside its own errors.
BROKEN = (
    *(PyPdfError, OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError),
    *(NotImplementedError, RecursionError, UnicodeError, EOFError),
)


def merge(inputs: Sequence[MergeInput], target: Path, *, paper_size: PaperSize | None, title: str, work: Path) -> None:
    """Merges PDFs in the order given, in this process; it belongs under a launcher.

    Each input gets a bookmark with its name, above its own bookmarks. Links and form fields survive; the fields of an
    input are renamed `document<position>.<name>` if an earlier input has one of the same name.

    Args:
        inputs: the PDFs; the same may appear several times.
        target: the PDF to write.
        paper_size: fit every page to this paper, keeping its orientation and aspect; None keeps the pages' sizes.
        title: the title of the result; empty sets none.
        work: an existing folder for temporary files.

    Raises:
        EngineError: MERGE_INPUT_NOT_PDF, PASSWORD_REQUIRED, DOCUMENT_UNREADABLE, PROCESSING_TOO_LARGE, naming the input.
    """
    writer = PdfWriter()
    fitting = Fitting(writer, paper_size) if paper_size is not None else None
    field_names: set[str] = set()
    with contextlib.ExitStack() as stack:
        for position, item in enumerate(inputs, start=1):
            with _blaming(item):
                reader = stack.enter_context(_open(item, work=work, position=position))
                if not reader.pages:
                    raise _unreadable(item, "it has no pages")
                names = _field_names(reader)
                if names & field_names:
                    reader.add_form_topname(f"document{position}")
                    names = _field_names(reader)
                field_names |= names
                resolve_named_links(reader)
                first = len(writer.pages)
                writer.append(reader, outline_item=item.name or f"{position}")
                if fitting is not None:
                    fitting.fit(writer.pages[first:])
        if fitting is not None:
            fitting.finish()
        if title:
            writer.add_metadata({"/Title": title})
        writer.write(target)


@contextlib.contextmanager
def _blaming(item: MergeInput) -> Iterator[None]:
    """Turns whatever a damaged input raises into an error that names it."""
    try:
        yield
    except EngineError as exc:
        exc.source = item.path
        raise
    except LimitReachedError as exc:
        raise EngineError(
            Reason.PROCESSING_TOO_LARGE,
            f"'{item.name}' cannot be merged: a part of it unpacks to too much.",
            source=item.path,
        ) from exc
    except FileNotDecryptedError as exc:
        raise _password_required(item) from exc
    except BROKEN as exc:
        raise _unreadable(item, "it is damaged") from exc


def _open(item: MergeInput, *, work: Path, position: int) -> PdfReader:
    with item.path.open("rb") as stream:
        if b"%PDF-" not in stream.read(HEADER_BYTES):
            raise EngineError(
                Reason.MERGE_INPUT_NOT_PDF, f"'{item.name}' cannot be merged: it is no PDF. Convert it to PDF first."
            )
    try:
        # A strict reader tells whether the file is sound; only one that is not is looked at page by page below.
        reader, sound = PdfReader(item.path, strict=True), True
        if not reader.is_encrypted:
            len(reader.pages)
    except DependencyError:  # AES, for which pypdf would want a further library
        return PdfReader(_decrypt(item, work / f"decrypted-{position}.pdf"), strict=False)
    except BROKEN:
        reader, sound = PdfReader(item.path, strict=False), False
    if reader.is_encrypted:
        reader.close()
        return PdfReader(_decrypt(item, work / f"decrypted-{position}.pdf"), strict=False)
    reader.strict = False
    if not sound and (number := first_damaged_page(reader)):
        raise _unreadable(item, f"its page {number} is damaged")
    return reader


def first_damaged_page(reader: PdfReader) -> int | None:
    """Looks for a page that a repaired file has lost parts of; returns its number, counted from 1, or None.

    What it draws is read, and has to be there with the pictures that it names.
    """
    for number, page in enumerate(reader.pages, start=1):
        try:
            contents = page.get_contents()
            if contents is not None:
                _ = contents.operations
            if _has_lost_parts(page):
                return number
        except BROKEN:
            return number
    return None


def _has_lost_parts(page: PageObject) -> bool:
    parts = [page.raw_get(key) for key in ("/Contents", "/Resources") if key in page]
    if isinstance(contents := page.get("/Contents", NullObject()).get_object(), ArrayObject):
        parts += list(contents)
    if isinstance(resources := page.get("/Resources", NullObject()).get_object(), DictionaryObject):
        drawn = resources.get("/XObject", NullObject()).get_object()
        if isinstance(drawn, DictionaryObject):
            parts += [drawn.raw_get(name) for name in drawn]
    return any(_is_lost(part) for part in parts)


def _is_lost(part: object) -> bool:
    """True for a reference to an object that is not there."""
    return isinstance(part, IndirectObject) and isinstance(part.get_object(), (NullObject, NoneType))


def _decrypt(item: MergeInput, target: Path) -> Path:
    """Opens an encrypted PDF with the empty password, which is all that one with only an owner password needs."""
    import pikepdf

    try:
        with pikepdf.open(item.path) as document:
            document.save(target)
    except pikepdf.PasswordError as exc:
        raise _password_required(item) from exc
    except pikepdf.PdfError as exc:
        raise _unreadable(item, "it is damaged") from exc
    return target


def _field_names(reader: PdfReader) -> set[str]:
    """The names of the topmost form fields."""
    form = reader.root_object.get("/AcroForm")
    form = form.get_object() if form is not None else None
    fields = form.get("/Fields") if isinstance(form, DictionaryObject) else None
    fields = fields.get_object() if fields is not None else None
    return {str(field.get_object().get("/T", "")) for field in fields} if isinstance(fields, ArrayObject) else set()


def resolve_named_links(reader: PdfReader) -> None:
    """Makes links name their page instead of a destination.

    Names are shared in the result: of two inputs that use the same, both would lead into the first.
    """
    destinations = reader.named_destinations
    if not destinations:
        return
    for page in reader.pages:
        annotations = page.get("/Annots")
        for reference in annotations.get_object() if annotations is not None else ():
            annotation = reference.get_object()
            action = annotation.get("/A")
            holder, key = (annotation, "/Dest") if action is None else (action.get_object(), "/D")
            name = holder.get(key)
            name = name.get_object() if name is not None else None
            if isinstance(name, (TextStringObject, ByteStringObject, NameObject)) and str(name) in destinations:
                holder[NameObject(key)] = destinations[str(name)].dest_array


def _password_required(item: MergeInput) -> EngineError:
    return EngineError(
        Reason.PASSWORD_REQUIRED,
        f"'{item.name}' cannot be merged: it is protected by a password. Save it without the password and upload it again.",
        source=item.path,
    )


def _unreadable(item: MergeInput, why: str) -> EngineError:
    return EngineError(
        Reason.DOCUMENT_UNREADABLE,
        f"'{item.name}' cannot be merged: {why}. Open it in a PDF program, save it anew and upload it again.",
        source=item.path,
    )
