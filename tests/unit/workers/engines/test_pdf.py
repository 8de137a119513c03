from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pikepdf
import pytest
from pypdf import PageObject, PdfReader
from reportlab.pdfgen import canvas

from osis_document_workers.engines import pdf
from osis_document_workers.engines.errors import EngineError, Reason
from osis_document_workers.engines.options import MergeInput
from osis_document_workers.engines.paper import PaperSize

from .conftest import pdf_bytes

A4 = (595.276, 841.89)


def merge(contents: Sequence[bytes], folder: Path, *, paper_size: PaperSize | None = None, title: str = "") -> PdfReader:
    work, target = folder / "work", folder / "merged.pdf"
    work.mkdir()
    inputs = []
    for number, content in enumerate(contents, start=1):
        path = folder / str(number)
        path.write_bytes(content)
        inputs.append(MergeInput(path, f"Pièce {number}"))
    pdf.merge(inputs, target, paper_size=paper_size, title=title, work=work)
    return PdfReader(target)


def boxes(reader: PdfReader) -> list[tuple[float, float]]:
    return [(float(page.mediabox.width), float(page.mediabox.height)) for page in reader.pages]


def texts(reader: PdfReader) -> list[str]:
    return [page.extract_text().strip() for page in reader.pages]


def position_of(text: str, page: PageObject) -> tuple[float, float]:
    found: list[tuple[float, float]] = []

    def visit(part: str, cm: list[float], tm: list[float], *_: object) -> None:
        if text in part:
            x, y = tm[4], tm[5]
            found.append((x * cm[0] + y * cm[2] + cm[4], x * cm[1] + y * cm[3] + cm[5]))

    page.extract_text(visitor_text=visit)
    [(x, y)] = found
    # pypdf gives the place in the form that holds the content; the page says where that goes.
    _, scale_x, _, _, scale_y, left, bottom = page.get_contents().get_data().split()[:7]
    return x * float(scale_x) + float(left), y * float(scale_y) + float(bottom)


def changed(content: bytes, change: object) -> bytes:
    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as document:
        change(document)  # type: ignore[operator]
        document.save(stream, compress_streams=False)
    return stream.getvalue()


def test_pages_come_in_the_order_given_and_an_input_may_come_twice(tmp_path: Path) -> None:
    first, second = pdf_bytes("one", "two"), pdf_bytes("three")
    assert texts(merge([second, first, second], tmp_path)) == ["three", "one", "two", "three"]


def test_each_input_gets_a_bookmark_with_its_name_on_its_first_page(tmp_path: Path) -> None:
    reader = merge([pdf_bytes("one", "two"), pdf_bytes("three")], tmp_path)
    assert [(item.title, reader.get_destination_page_number(item)) for item in reader.outline] == [("Pièce 1", 0), ("Pièce 2", 2)]


def test_the_bookmarks_of_an_input_hang_below_its_own(tmp_path: Path) -> None:
    stream = io.BytesIO()
    drawing = canvas.Canvas(stream, pagesize=(300, 400))
    drawing.bookmarkPage("chapter")
    drawing.addOutlineEntry("Chapter", "chapter")
    drawing.showPage()
    drawing.save()
    outline = merge([pdf_bytes("one"), stream.getvalue()], tmp_path).outline
    assert [item.title for item in outline[:2]] == ["Pièce 1", "Pièce 2"]
    assert [item.title for item in outline[2]] == ["Chapter"]


def test_the_title_is_applied(tmp_path: Path) -> None:
    assert merge([pdf_bytes("one")], tmp_path, title="Dossier été").metadata.title == "Dossier été"


def test_without_a_paper_size_pages_keep_theirs(tmp_path: Path) -> None:
    contents = [pdf_bytes("a", size=(300, 400)), pdf_bytes("b", size=(500, 100), rotate=90)]
    reader = merge(contents, tmp_path)
    assert boxes(reader) == [(300, 400), (500, 100)]
    assert [page.rotation for page in reader.pages] == [0, 90]


def test_pages_are_fitted_as_they_are_seen_upright_or_across(tmp_path: Path) -> None:
    contents = [
        pdf_bytes("upright", size=(300, 400)),
        pdf_bytes("across", size=(400, 300)),
        pdf_bytes("seen across", size=(300, 400), rotate=90),
        pdf_bytes("seen upright", size=(2000, 1500), rotate=270),
        pdf_bytes("upside down", size=(300, 400), rotate=180),
    ]
    reader = merge(contents, tmp_path, paper_size=PaperSize.A4)
    upright, across = A4, A4[::-1]
    assert boxes(reader) == [pytest.approx(box, abs=0.01) for box in (upright, across, upright, across, upright)]
    assert [page.rotation for page in reader.pages] == [0, 0, 90, 270, 180]
    assert all(page.cropbox == page.mediabox for page in reader.pages)
    assert texts(reader) == ["upright", "across", "seen across", "seen upright", "upside down"]


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_content_is_scaled_with_its_aspect_and_centred(factor: float, tmp_path: Path) -> None:
    size = (A4[0] * factor, A4[0] * factor)
    reader = merge([pdf_bytes("here", size=size)], tmp_path, paper_size=PaperSize.A4)
    assert position_of("here", reader.pages[0]) == pytest.approx((20 / factor, 20 / factor + (A4[1] - A4[0]) / 2), abs=0.1)


def test_what_the_crop_box_hides_stays_hidden_and_the_rest_fills_the_paper(tmp_path: Path) -> None:
    def crop(document: pikepdf.Pdf) -> None:
        document.pages[0].cropbox = [10, 10, 10 + A4[0] / 2, 10 + A4[1] / 2]

    reader = merge([changed(pdf_bytes("here", size=(900, 900)), crop)], tmp_path, paper_size=PaperSize.A4)
    [page] = reader.pages
    assert boxes(reader) == [pytest.approx(A4, abs=0.01)]
    assert position_of("here", page) == pytest.approx((20, 20), abs=0.1)
    assert page["/Resources"]["/XObject"]["/Page"]["/BBox"] == pytest.approx([10, 10, 10 + A4[0] / 2, 10 + A4[1] / 2], abs=0.01)


def test_a_page_of_the_right_size_is_left_as_it_is(tmp_path: Path) -> None:
    content = pdf_bytes("as it is", size=(595, 842))
    reader = merge([content], tmp_path, paper_size=PaperSize.A4)
    assert reader.pages[0].get_contents().get_data() == PdfReader(io.BytesIO(content)).pages[0].get_contents().get_data()


@pytest.mark.parametrize(
    ("paper_size", "points"),
    [
        (PaperSize.A0, (2383.94, 3370.39)),
        (PaperSize.A8, (147.40, 209.76)),
        (PaperSize.C4, (649.13, 918.43)),
        (PaperSize.LETTER, (612, 792)),
        (PaperSize.LEGAL, (612, 1008)),
    ],
)
def test_paper_sizes_have_their_standard_measures(paper_size: PaperSize, points: tuple[float, float], tmp_path: Path) -> None:
    assert boxes(merge([pdf_bytes("a")], tmp_path, paper_size=paper_size)) == [pytest.approx(points, abs=0.01)]


def linked_pdf(word: str) -> bytes:
    """Two pages: a link to the web and one, by the name `target`, to a place on the second page."""
    stream = io.BytesIO()
    drawing = canvas.Canvas(stream, pagesize=(300, 400))
    drawing.linkURL("https://example.org/", (10, 10, 60, 30))
    drawing.linkAbsolute("go", "target", (10, 40, 60, 60))
    drawing.drawString(20, 20, word)
    drawing.showPage()
    drawing.bookmarkHorizontal("target", 0, 200)
    drawing.drawString(20, 20, word)
    drawing.showPage()
    drawing.save()
    return stream.getvalue()


def links(reader: PdfReader, page: int) -> tuple[object, object]:
    web, inner = (reference.get_object() for reference in reader.pages[page]["/Annots"])
    return web, inner


def test_links_survive_and_lead_into_their_own_input(tmp_path: Path) -> None:
    content = linked_pdf("word")
    reader = merge([content, content], tmp_path)
    for first_page in (0, 2):
        web, inner = links(reader, first_page)
        assert web["/A"]["/URI"] == "https://example.org/"
        target = inner.get("/Dest") or inner["/A"]["/D"]
        assert target[0].get_object() == reader.pages[first_page + 1]


def test_links_and_their_targets_move_with_the_content(tmp_path: Path) -> None:
    reader = merge([linked_pdf("word")], tmp_path, paper_size=PaperSize.A4)
    scale, bottom = A4[0] / 300, (A4[1] - 400 * A4[0] / 300) / 2
    web, inner = links(reader, 0)
    assert web["/Rect"] == pytest.approx([10 * scale, 10 * scale + bottom, 60 * scale, 30 * scale + bottom], abs=0.01)
    target = inner.get("/Dest") or inner["/A"]["/D"]
    assert target[3 if target[1] == "/XYZ" else 2] == pytest.approx(200 * scale + bottom, abs=0.01)


def form_pdf(value: str) -> bytes:
    stream = io.BytesIO()
    drawing = canvas.Canvas(stream, pagesize=(300, 400))
    drawing.acroForm.textfield(name="surname", value=value, x=20, y=100, width=100, height=20)
    drawing.showPage()
    drawing.save()
    return stream.getvalue()


def test_form_fields_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    reader = merge([form_pdf("Dupont"), pdf_bytes("between"), form_pdf("Martin")], tmp_path)
    assert reader.get_form_text_fields(full_qualified_name=True) == {"surname": "Dupont", "document3.surname": "Martin"}
    assert [len(page.get("/Annots", [])) for page in reader.pages] == [1, 0, 1]


def test_a_form_field_moves_with_the_content(tmp_path: Path) -> None:
    reader = merge([form_pdf("Dupont")], tmp_path, paper_size=PaperSize.A4)
    [field] = reader.pages[0]["/Annots"]
    assert field.get_object()["/Rect"][0] == pytest.approx(20 * A4[0] / 300, abs=0.01)
    assert reader.get_form_text_fields() == {"surname": "Dupont"}


def encrypted(owner: str, user: str, *, revision: int) -> bytes:
    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf_bytes("secret"))) as document:
        aes = revision >= 4
        document.save(stream, encryption=pikepdf.Encryption(owner=owner, user=user, R=revision, aes=aes, metadata=aes))
    return stream.getvalue()


@pytest.mark.parametrize("revision", [3, 4, 6])
def test_an_input_that_needs_a_password_is_named(revision: int, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"'Pièce 2' .* password") as failure:
        merge([pdf_bytes("one"), encrypted("owner", "user", revision=revision)], tmp_path)
    assert failure.value.reason == Reason.PASSWORD_REQUIRED
    assert not failure.value.retryable


@pytest.mark.parametrize("revision", [3, 4, 6])
def test_an_input_with_an_owner_password_alone_is_merged(revision: int, tmp_path: Path) -> None:
    reader = merge([encrypted("owner", "", revision=revision), pdf_bytes("two")], tmp_path)
    assert texts(reader) == ["secret", "two"]
    assert not reader.is_encrypted


def test_an_input_that_is_no_pdf_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"'Pièce 2' .* no PDF") as failure:
        merge([pdf_bytes("one"), b"plain text"], tmp_path)
    assert failure.value.reason == Reason.MERGE_INPUT_NOT_PDF


def damaged_pdfs() -> dict[str, bytes]:
    whole = pdf_bytes("one", "two")
    sound = changed(
        whole, lambda document: document.pages[1].obj.__setitem__("/Contents", pikepdf.Stream(document, b"BT (a) Tj ET"))
    )
    broken_page = sound.replace(b"BT (a) Tj ET", b"BT [ F\xff] Tj >").replace(b"startxref\n", b"startxref\n9")
    return {
        "header alone": b"%PDF-1.7\n",
        "garbage": b"%PDF-1.7\n" + b"garbage " * 1000,
        "truncated": whole[: len(whole) // 3],
        "no pages": changed(whole, lambda document: document.pages.__delitem__(slice(0, 2))),
        "damaged page": broken_page,
    }


@pytest.mark.parametrize("damage", ["header alone", "garbage", "truncated", "no pages", "damaged page"])
def test_a_damaged_input_is_named(damage: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="'Pièce 2' cannot be merged") as failure:
        merge([pdf_bytes("one"), damaged_pdfs()[damage]], tmp_path)
    assert failure.value.reason == Reason.DOCUMENT_UNREADABLE
    assert not (tmp_path / "merged.pdf").exists()


def test_an_input_that_was_cut_off_is_merged_whole_or_named_never_with_parts_missing(tmp_path: Path) -> None:
    whole = pdf_bytes("one", "two")
    for number, size in enumerate(range(200, len(whole) - 10, 50)):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            reader = merge([pdf_bytes("zero"), whole[:size]], folder)
        except EngineError as exc:
            assert exc.reason == Reason.DOCUMENT_UNREADABLE  # noqa: PT017 -- either is right
        else:
            assert texts(reader) == ["zero", "one", "two"]


def test_a_harmless_fault_does_not_matter(tmp_path: Path) -> None:
    wrong_offset = pdf_bytes("one").replace(b"startxref\n", b"startxref\n9")
    junk_before = b"mail header\r\n" + pdf_bytes("two")
    assert texts(merge([wrong_offset, junk_before], tmp_path)) == ["one", "two"]
