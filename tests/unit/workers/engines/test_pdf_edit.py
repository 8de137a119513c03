from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pypdf import PdfReader
from reportlab.pdfgen import canvas

from osis_document_workers.engines import pdf_edit
from osis_document_workers.engines.errors import EngineError, Reason

from .conftest import pdf_bytes


def edit(content: bytes, folder: Path, rotations: dict[int, int]) -> bytes:
    source, target = folder / "document", folder / "edited"
    source.write_bytes(content)
    pdf_edit.edit(source, target, rotations=rotations)
    assert source.read_bytes() == content
    return target.read_bytes()


def refused(content: bytes, folder: Path, rotations: dict[int, int] | None = None) -> EngineError:
    with pytest.raises(EngineError) as failure:
        edit(content, folder, {0: 90} if rotations is None else rotations)
    assert not failure.value.retryable
    return failure.value


def shown(content: bytes) -> list[int]:
    """How each page is rotated, by another library than the engine's."""
    return [page.rotation for page in PdfReader(io.BytesIO(content), strict=True).pages]


def texts(content: bytes) -> list[str]:
    return [page.extract_text().strip() for page in PdfReader(io.BytesIO(content)).pages]


def changed(content: bytes, change: Callable[[pikepdf.Pdf], None], **options: object) -> bytes:
    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as document:
        change(document)
        document.save(stream, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def unchanged(document: pikepdf.Pdf) -> None:
    pass


THREE = pdf_bytes("one", "two", "three")

#: The same three pages, as different programs store them.
STORED = {
    "with a table": THREE,
    "with streams": changed(THREE, unchanged, object_stream_mode=pikepdf.ObjectStreamMode.generate),
    "linearised": changed(THREE, unchanged, linearize=True),
    "linearised with streams": changed(THREE, unchanged, linearize=True, object_stream_mode=pikepdf.ObjectStreamMode.generate),
    "with a line end after its end": THREE + b"\r\n\r\n",
    "with bytes after its end": THREE + b"\0" * 500,
    "without a line end at its end": THREE.rstrip(),
}


@pytest.mark.parametrize("kind", STORED)
def test_pages_are_rotated_and_all_that_was_there_keeps_its_bytes(kind: str, tmp_path: Path) -> None:
    before = STORED[kind]
    after = edit(before, tmp_path, {0: 90, 2: 270})
    assert after.startswith(before)
    assert shown(after) == [90, 0, 270]
    assert texts(after) == ["one", "two", "three"]
    with pikepdf.open(io.BytesIO(after)) as document:
        assert document.check_pdf_syntax() == []


@pytest.mark.parametrize("kind", STORED)
def test_edits_can_follow_each_other(kind: str, tmp_path: Path) -> None:
    first = edit(STORED[kind], tmp_path, {0: 90, 1: 180})
    second = edit(first, tmp_path, {0: 90, 2: 90})
    third = edit(second, tmp_path, {0: 180})
    assert (second.startswith(first), third.startswith(second)) == (True, True)
    assert (shown(second), shown(third)) == ([180, 180, 90], [0, 180, 90])


@pytest.mark.parametrize(("degrees", "expected"), [(90, 180), (-90, 0), (270, 0), (450, 180), (180, 270), (-630, 180)])
def test_a_page_is_rotated_from_how_it_is_shown(degrees: int, expected: int, tmp_path: Path) -> None:
    assert shown(edit(pdf_bytes("a", rotate=90), tmp_path, {0: degrees})) == [expected]


def test_an_inherited_rotation_counts_and_the_other_pages_keep_it(tmp_path: Path) -> None:
    def inherit(document: pikepdf.Pdf) -> None:
        document.Root.Pages.Rotate = 90
        for page in document.pages:
            del page.obj.Rotate

    assert shown(edit(changed(THREE, inherit), tmp_path, {1: 90})) == [90, 180, 90]


@pytest.mark.parametrize("rotation", ["45", "/Ninety", "1.5"])
def test_a_rotation_that_does_not_exist_counts_as_none(rotation: str, tmp_path: Path) -> None:
    def distort(document: pikepdf.Pdf) -> None:
        document.pages[0].obj.Rotate = pikepdf.Object.parse(rotation.encode())

    after = edit(changed(pdf_bytes("a"), distort), tmp_path, {0: 90})
    assert shown(after) == [90]


@pytest.mark.parametrize("rotations", [{}, {0: 0}, {1: 360, 2: -720}])
@pytest.mark.parametrize("kind", [*STORED, "with bytes before its header"])
def test_without_anything_to_rotate_the_file_is_passed_through(kind: str, rotations: dict[int, int], tmp_path: Path) -> None:
    content = STORED.get(kind, b"mail header\r\n" + THREE)
    assert edit(content, tmp_path, rotations) == content


def form(*, link: str) -> bytes:
    """A form with an outline, a link, a comment and a title."""
    stream = io.BytesIO()
    drawing = canvas.Canvas(stream, pagesize=(300, 400))
    drawing.setTitle("Demande d’été")
    for number in range(2):
        drawing.bookmarkPage(f"page-{number}")
        drawing.addOutlineEntry(f"Chapter {number}", f"page-{number}")
        drawing.acroForm.textfield(name=f"surname-{number}", value="Dupont", x=20, y=100, width=100, height=20)
        drawing.linkURL(link, (10, 10, 60, 30))
        drawing.textAnnotation("A comment", Rect=(100, 100, 120, 120))
        drawing.showPage()
    drawing.save()
    return stream.getvalue()


def test_fields_annotations_outline_and_title_survive(tmp_path: Path) -> None:
    before = form(link="https://example.org/")
    old, new = (PdfReader(io.BytesIO(content)) for content in (before, edit(before, tmp_path, {1: 90})))
    assert new.metadata.title == "Demande d’été"
    assert [item.title for item in new.outline] == ["Chapter 0", "Chapter 1"]
    assert [new.get_destination_page_number(item) for item in new.outline] == [0, 1]
    assert new.get_form_text_fields() == {"surname-0": "Dupont", "surname-1": "Dupont"}
    for old_page, new_page in zip(old.pages, new.pages, strict=True):
        assert [item.idnum for item in new_page["/Annots"]] == [item.idnum for item in old_page["/Annots"]]
        assert [item.get_object() for item in new_page["/Annots"]] != []
        assert new_page.get_contents().get_data() == old_page.get_contents().get_data()


def test_a_signed_revision_keeps_its_bytes(tmp_path: Path) -> None:
    def sign(document: pikepdf.Pdf) -> None:
        signature = document.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Sig,
                Filter=pikepdf.Name("/Adobe.PPKLite"),
                Contents=pikepdf.String(b"\x30\x80" + bytes(200)),
                ByteRange=[0, 1000, 1500, 2000],
            )
        )
        field = pikepdf.Dictionary(FT=pikepdf.Name.Sig, T=pikepdf.String("signature"), V=signature, Rect=[0, 0, 0, 0])
        document.Root.AcroForm = pikepdf.Dictionary(Fields=[document.make_indirect(field)], SigFlags=3)

    before = changed(THREE, sign)
    after = edit(before, tmp_path, {0: 90})
    assert after[: len(before)] == before
    assert PdfReader(io.BytesIO(after)).root_object["/AcroForm"]["/SigFlags"] == 3


def test_a_page_that_is_there_twice_is_rotated_where_asked_alone(tmp_path: Path) -> None:
    def repeat(document: pikepdf.Pdf) -> None:
        document.Root.Pages.Kids.append(document.Root.Pages.Kids[0])
        document.Root.Pages.Count = 4

    before = bytearray(changed(THREE, unchanged, object_stream_mode=pikepdf.ObjectStreamMode.disable))
    with pikepdf.open(io.BytesIO(bytes(before))) as document:
        first, second = document.pages[0].obj.objgen[0], document.pages[1].obj.objgen[0]
    # By hand: qpdf would make a copy.
    place = before.index(b"/Kids [")
    before[place:] = before[place:].replace(b"%d 0 R" % second, b"%d 0 R" % first, 1)
    assert texts(bytes(before)) == ["one", "one", "three"]
    after = edit(bytes(before), tmp_path, {1: 90})
    assert (shown(after), texts(after)) == ([0, 90, 0], ["one", "one", "three"])


def test_bytes_before_the_header_do_not_matter(tmp_path: Path) -> None:
    after = edit(b"mail header\r\n" + THREE, tmp_path, {0: 90})
    assert (shown(after), texts(after)) == ([90, 0, 0], ["one", "two", "three"])


def test_a_harmless_fault_is_repaired(tmp_path: Path) -> None:
    after = edit(THREE.replace(b"startxref\n", b"startxref\n9"), tmp_path, {0: 90})
    assert (shown(after), texts(after)) == ([90, 0, 0], ["one", "two", "three"])


@pytest.mark.parametrize("number", [3, 4, 1000, -1])
def test_a_page_that_does_not_exist_is_told_with_how_many_there_are(number: int, tmp_path: Path) -> None:
    failure = refused(THREE, tmp_path, {0: 90, number: 90})
    assert failure.reason == Reason.DOCUMENT_UNREADABLE
    assert "3 pages" in failure.message
    assert str(number) in failure.message


def test_a_page_that_does_not_exist_is_told_also_when_it_would_not_be_rotated(tmp_path: Path) -> None:
    assert "1 page," in refused(pdf_bytes("one"), tmp_path, {1: 360}).message


def encrypted(owner: str, user: str, *, revision: int, change: Callable[[pikepdf.Pdf], None] = unchanged) -> bytes:
    aes = revision >= 4
    encryption = pikepdf.Encryption(
        owner=owner, user=user, R=revision, aes=aes, metadata=aes, allow=pikepdf.Permissions(extract=False)
    )
    return changed(pdf_bytes("secret"), change, encryption=encryption)


@pytest.mark.parametrize("rotations", [{}, {0: 90}])
@pytest.mark.parametrize("revision", [3, 4, 6])
def test_a_pdf_that_needs_a_password_is_refused(revision: int, rotations: dict[int, int], tmp_path: Path) -> None:
    failure = refused(encrypted("owner", "user", revision=revision), tmp_path, rotations)
    assert failure.reason == Reason.PASSWORD_REQUIRED


@pytest.mark.parametrize("revision", [3, 4, 6])
@pytest.mark.parametrize("appendable", [True, False])
def test_a_pdf_that_opens_without_a_password_stays_as_protected_as_it_is(revision: int, appendable: bool, tmp_path: Path) -> None:
    def date(document: pikepdf.Pdf) -> None:
        document.pages[0].obj.PieceInfo = pikepdf.Dictionary(A=[pikepdf.String("a string that is encrypted")])

    before = encrypted("owner", "", revision=revision, change=unchanged if appendable else date)
    after = edit(before, tmp_path, {0: 90})
    assert after.startswith(before) is appendable
    with pikepdf.open(io.BytesIO(after)) as document:
        assert document.pages[0].obj.Rotate == 90
        assert (document.is_encrypted, document.allow.extract) == (True, False)
        if not appendable:
            assert str(document.pages[0].obj.PieceInfo.A[0]) == "a string that is encrypted"
    with pikepdf.open(io.BytesIO(after), password="owner") as document:
        assert document.owner_password_matched


UNREADABLE = {
    "no PDF": b"plain text",
    "empty": b"",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(2000),
    "header alone": b"%PDF-1.7\n",
    "garbage": b"%PDF-1.7\n" + b"garbage " * 1000,
    "truncated": THREE[: len(THREE) // 3],
    "without pages": changed(THREE, lambda document: document.pages.__delitem__(slice(0, 3))),
}


@pytest.mark.parametrize("rotations", [{}, {0: 90}])
@pytest.mark.parametrize("damage", UNREADABLE)
def test_what_cannot_be_read_is_told(damage: str, rotations: dict[int, int], tmp_path: Path) -> None:
    failure = refused(UNREADABLE[damage], tmp_path, rotations)
    assert failure.reason == Reason.DOCUMENT_UNREADABLE
    assert "cannot be edited" in failure.message


def test_a_truncated_pdf_is_repaired_whole_or_refused(tmp_path: Path) -> None:
    for size in range(200, len(THREE) - 10, 50):
        try:
            after = edit(THREE[:size], tmp_path, {0: 90})
        except EngineError as exc:
            assert exc.reason == Reason.DOCUMENT_UNREADABLE  # noqa: PT017 -- either is right
        else:
            assert (shown(after), texts(after)) == ([90, 0, 0], ["one", "two", "three"])
