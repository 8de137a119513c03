"""Pages and a title of a document that is a PDF already."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest
from pypdf import PdfReader
from reportlab.pdfgen import canvas

from osis_document_workers import engines
from osis_document_workers.engines import ConvertOptions, EngineError, Reason, pdf_options
from osis_document_workers.engines.mime_types import PDF

from .conftest import pdf_bytes


def book() -> bytes:
    """Four pages, each with a text, a bookmark, a form field, and a link to the next; and a title."""
    stream = io.BytesIO()
    drawing = canvas.Canvas(stream, pageCompression=0)
    drawing.setTitle("Its own title")
    drawing.setAuthor("Its author")
    for number in range(1, 5):
        drawing.bookmarkPage(f"place{number}")
        drawing.addOutlineEntry(f"Chapter {number}", f"place{number}")
        drawing.drawString(50, 700, f"Text-{number}")
        drawing.linkAbsolute("next", f"place{number % 4 + 1}", Rect=(10, 10, 50, 50))
        drawing.acroForm.textfield(name=f"field{number}", x=100, y=100, value=f"Value-{number}")
        drawing.showPage()
    drawing.save()
    return stream.getvalue()


def applied(folder: Path, content: bytes, **options: object) -> Path:
    """What becomes of a PDF, in this process."""
    source, target, work = folder / "source.pdf", folder / "target.pdf", folder / "work"
    source.write_bytes(content)
    work.mkdir(exist_ok=True)
    pdf_options.apply(source, target, options=ConvertOptions(**options), work=work)  # type: ignore[arg-type]
    assert source.read_bytes() == content
    return target


def failed(folder: Path, content: bytes, **options: object) -> EngineError:
    """How it is refused."""
    with pytest.raises(EngineError) as failure:
        applied(folder, content, **options)
    assert not (folder / "target.pdf").exists()
    return failure.value


def texts_of(path: Path) -> list[str]:
    return [page.extract_text().strip() for page in PdfReader(path).pages]


def all_bytes_of(path: Path) -> bytes:
    """Everything that is in a PDF, unpacked."""
    with pikepdf.open(path) as document:
        streams = [each.read_bytes() for each in document.objects if isinstance(each, pikepdf.Stream)]
        return b"\n".join([*streams, *(each.unparse() for each in document.objects)])


@pytest.mark.parametrize(
    ("ranges", "numbers"),
    [("2", [2]), ("1-2,4", [1, 2, 4]), ("3-", [3, 4]), ("4,1", [4, 1]), ("2,2", [2, 2]), ("3-9", [3, 4]), ("9,1", [1])],
)
def test_the_pages_asked_for_are_kept_in_their_order(ranges: str, numbers: list[int], tmp_path: Path) -> None:
    target = applied(tmp_path, pdf_bytes("1", "2", "3", "4"), page_ranges=ranges)
    assert texts_of(target) == [str(number) for number in numbers]


def test_of_the_other_pages_nothing_stays(tmp_path: Path) -> None:
    target = applied(tmp_path, book(), page_ranges="1,3")
    reader = PdfReader(target)
    assert texts_of(target) == ["Text-1", "Text-3"]
    assert [item.title for item in reader.outline] == ["Chapter 1", "Chapter 3"]
    assert {name: field.value for name, field in reader.get_fields().items()} == {"field1": "Value-1", "field3": "Value-3"}
    content = all_bytes_of(target)
    assert b"Text-3" in content
    assert not any(word in content for word in (b"Text-2", b"Text-4", b"Value-2", b"Value-4"))


def test_a_part_keeps_the_documents_own_title_and_author(tmp_path: Path) -> None:
    metadata = PdfReader(applied(tmp_path, book(), page_ranges="2")).metadata
    assert (metadata.title, metadata.author) == ("Its own title", "Its author")


def test_layers_that_are_hidden_stay_hidden_in_a_part(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf_bytes("one", "two"))) as document:
        layer = document.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="Draft"))
        document.Root.OCProperties = pikepdf.Dictionary(
            OCGs=pikepdf.Array([layer]), D=pikepdf.Dictionary(OFF=pikepdf.Array([layer]))
        )
        for page in document.pages:
            page.obj.Resources.Properties = pikepdf.Dictionary(L0=layer)
        document.save(stream)
    with pikepdf.open(applied(tmp_path, stream.getvalue(), page_ranges="2")) as part:
        [hidden] = part.Root.OCProperties.D.OFF
        assert part.pages[0].obj.Resources.Properties.L0.objgen == hidden.objgen


def test_a_title_changes_nothing_else(tmp_path: Path) -> None:
    target = applied(tmp_path, book(), title="Lettre d’été")
    reader = PdfReader(target)
    assert texts_of(target) == ["Text-1", "Text-2", "Text-3", "Text-4"]
    assert (reader.metadata.title, reader.metadata.author) == ("Lettre d’été", "Its author")
    assert reader.xmp_metadata.dc_title == {"x-default": "Lettre d’été"}
    assert len(reader.outline) == len(reader.get_fields()) == 4


def test_pages_and_a_title_go_together(tmp_path: Path) -> None:
    target = applied(tmp_path, book(), page_ranges="4", title="The last")
    assert texts_of(target) == ["Text-4"]
    assert (PdfReader(target).metadata.title, PdfReader(target).metadata.author) == ("The last", "Its author")


def test_without_options_every_byte_is_passed_on(tmp_path: Path) -> None:
    content = book()
    assert applied(tmp_path, content).read_bytes() == content


def test_pages_that_it_does_not_have_are_told(tmp_path: Path) -> None:
    failure = failed(tmp_path, pdf_bytes("1", "2"), page_ranges="7-9")
    assert failure.reason == Reason.DOCUMENT_UNREADABLE
    assert failure.message == "The document has none of the pages 7-9. Ask for pages that it has."


def test_pdf_a_is_refused(tmp_path: Path) -> None:
    failure = failed(tmp_path, pdf_bytes("1"), pdf_a=True)
    assert failure.reason == Reason.TYPE_NOT_CONVERTIBLE
    assert not failure.retryable


def encrypted(user: str) -> bytes:
    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(book())) as document:
        document.save(stream, encryption=pikepdf.Encryption(owner="owner", user=user))
    return stream.getvalue()


def test_a_pdf_that_opens_without_a_password_stays_protected_by_a_title_and_can_be_taken_apart(tmp_path: Path) -> None:
    with pikepdf.open(applied(tmp_path, encrypted(""), title="Protected")) as document:
        assert document.is_encrypted
        assert document.docinfo["/Title"] == "Protected"
    assert texts_of(applied(tmp_path, encrypted(""), page_ranges="2")) == ["Text-2"]


@pytest.mark.parametrize("options", [{"title": "T"}, {"page_ranges": "1"}, {}])
def test_a_pdf_with_a_password_needs_it(options: dict[str, str], tmp_path: Path) -> None:
    assert failed(tmp_path, encrypted("secret"), **options).reason == Reason.PASSWORD_REQUIRED


@pytest.mark.parametrize("options", [{"title": "T"}, {"page_ranges": "1"}])
@pytest.mark.parametrize("content", [b"%PDF-1.4\nnothing", b"words", book()[:900]], ids=["empty", "text", "cut off"])
def test_a_damaged_pdf_is_told(options: dict[str, str], content: bytes, tmp_path: Path) -> None:
    assert failed(tmp_path, content, **options).reason == Reason.DOCUMENT_UNREADABLE


def test_a_pdf_that_can_be_repaired_is(tmp_path: Path) -> None:
    broken = book().replace(b"startxref\n", b"startxref\n9")
    assert texts_of(applied(tmp_path, broken, page_ranges="2-3")) == ["Text-2", "Text-3"]


def test_an_engine_process_does_it(isolation: str, tmp_path: Path, scratch: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target.pdf"
    source.write_bytes(book())
    options = ConvertOptions(page_ranges="2", title="The second")
    engines.convert(source, target, mime_type=PDF, options=options, scratch=scratch)
    assert texts_of(target) == ["Text-2"]
    assert PdfReader(target).metadata.title == "The second"
    assert list(scratch.iterdir()) == []
