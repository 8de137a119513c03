from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PIL import Image, ImageOps
from pypdf import PdfReader

from osis_document_workers import engines
from osis_document_workers.engines import (
    ConvertOptions,
    EngineError,
    Limits,
    MergeInput,
    MergeOptions,
    PaperSize,
    Reason,
    registry,
)

from .conftest import ole_bytes, pdf_bytes, saved
from .processes import new_processes

MIB = 1024 * 1024


@pytest.fixture
def target(tmp_path: Path, scratch: Path) -> Path:
    return tmp_path / "target.pdf"


@pytest.fixture(autouse=True)
def _nothing_left(scratch: Path) -> object:
    yield
    assert list(scratch.iterdir()) == []
    mentioned = [p for p in psutil.process_iter(["cmdline"]) if str(scratch) in " ".join(p.info["cmdline"] or ())]
    assert mentioned == []


def text_of(path: Path) -> list[str]:
    return [page.extract_text() for page in PdfReader(path).pages]


@pytest.mark.needs_libreoffice
@pytest.mark.parametrize("isolation", ["namespace", "plain"], indirect=True)
def test_a_word_document_becomes_a_pdf_with_its_text(
    isolation: str, docx_file: Path, soffice: str, scratch: Path, target: Path
) -> None:
    before = hashlib.sha256(docx_file.read_bytes()).digest()
    engines.convert(docx_file, target, mime_type=registry.DOCX, scratch=scratch)
    first, second = text_of(target)
    assert "Académie de Louvain" in first
    assert "Cell in the corner" in first
    assert "On the second page" in second
    assert len(PdfReader(target).pages[0].images) == 1
    assert hashlib.sha256(docx_file.read_bytes()).digest() == before
    assert target.stat().st_uid == os.geteuid()
    assert sorted(path.name for path in target.parent.iterdir()) == ["scratch", "target.pdf"]


@pytest.mark.slow
@pytest.mark.needs_libreoffice
@pytest.mark.parametrize(("extension", "mime_type"), [("doc", registry.DOC), ("odt", registry.ODT)])
def test_other_office_documents_become_a_pdf_with_their_text(
    extension: str, mime_type: str, office_file: Callable[[str], Path], scratch: Path, target: Path
) -> None:
    engines.convert(office_file(extension), target, mime_type=mime_type, scratch=scratch)
    first, second = text_of(target)
    assert "Académie de Louvain" in first
    assert "On the second page" in second


@pytest.mark.needs_libreoffice
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_plain_text_becomes_a_pdf_on_a4_whatever_its_encoding(
    encoding: str, soffice: str, tmp_path: Path, scratch: Path, target: Path
) -> None:
    source = tmp_path / "note"
    source.write_bytes("Élève “Noël” – 5 €\n".encode(encoding))
    engines.convert(source, target, mime_type=registry.TEXT, scratch=scratch)
    source.unlink()
    [text] = text_of(target)
    assert "Élève “Noël” – 5 €" in text
    assert [float(side) for side in PdfReader(target).pages[0].mediabox[2:]] == pytest.approx([595.3, 841.9], abs=0.5)


@pytest.mark.needs_libreoffice
def test_title_pages_and_pdf_a_are_as_asked(docx_file: Path, soffice: str, scratch: Path, target: Path) -> None:
    options = ConvertOptions(title="Lettre d’été", page_ranges="2", pdf_a=True)
    engines.convert(docx_file, target, mime_type=registry.DOCX, options=options, scratch=scratch)
    reader = PdfReader(target)
    assert [page.extract_text().strip() for page in reader.pages] == ["On the second page"]
    assert reader.metadata.title == "Lettre d’été"
    assert reader.xmp_metadata.dc_title == {"x-default": "Lettre d’été"}
    assert reader.xmp_metadata.pdfaid_part == "2"


@pytest.mark.needs_libreoffice
def test_a_document_keeps_its_own_title_unless_another_is_given(
    docx_file: Path, soffice: str, scratch: Path, target: Path
) -> None:
    engines.convert(docx_file, target, mime_type=registry.DOCX, scratch=scratch)
    assert PdfReader(target).metadata.title == "Its own title"


@pytest.mark.needs_libreoffice
def test_pages_that_do_not_exist_are_told(docx_file: Path, soffice: str, scratch: Path, target: Path) -> None:
    options = ConvertOptions(page_ranges="7-9")
    with pytest.raises(EngineError, match="none of the pages 7-9"):
        engines.convert(docx_file, target, mime_type=registry.DOCX, options=options, scratch=scratch)
    assert not target.exists()


@pytest.mark.needs_libreoffice
def test_a_document_protected_in_the_old_way_needs_a_password(
    office_file: Callable[[str], Path], tmp_path: Path, scratch: Path, target: Path
) -> None:
    content = bytearray(office_file("doc").read_bytes())
    content[content.index(b"\xec\xa5", 512) + 11] |= 0x01
    source = tmp_path / "protected"
    source.write_bytes(content)
    failure = failed_conversion(source, target, mime_type=registry.DOC, scratch=scratch)
    source.unlink()
    assert failure.reason == Reason.PASSWORD_REQUIRED


@pytest.mark.parametrize(
    ("content", "mime_type", "reason"),
    [
        (ole_bytes({"EncryptionInfo": b"", "EncryptedPackage": b""}), registry.DOCX, Reason.PASSWORD_REQUIRED),
        (b"not a zip", registry.ODT, Reason.DOCUMENT_UNREADABLE),
        (b"no picture", registry.PNG, Reason.DOCUMENT_UNREADABLE),
    ],
    ids=["protected docx", "damaged odt", "damaged png"],
)
def test_a_document_at_fault_has_its_reason_and_is_not_tried_again(
    content: bytes, mime_type: str, reason: Reason, tmp_path: Path, scratch: Path, target: Path, soffice: str
) -> None:
    source = tmp_path / "source"
    source.write_bytes(content)
    failure = failed_conversion(source, target, mime_type=mime_type, scratch=scratch)
    assert failure.reason == reason
    assert not failure.retryable
    assert not target.exists()


@pytest.mark.needs_libreoffice
def test_a_time_out_leaves_no_libreoffice(docx_file: Path, soffice: str, scratch: Path, target: Path) -> None:
    limits = Limits(wall_seconds=0.6)
    failure = failed_conversion(docx_file, target, mime_type=registry.DOCX, scratch=scratch, limits=limits)
    assert failure.reason == Reason.PROCESSING_TIMED_OUT
    assert new_processes() == []


@pytest.mark.needs_libreoffice
def test_a_cancel_leaves_no_libreoffice(docx_file: Path, soffice: str, scratch: Path, target: Path) -> None:
    cancelled = threading.Event()
    timer = threading.Timer(0.6, cancelled.set)
    timer.start()
    with pytest.raises(engines.EngineCancelledError):
        engines.convert(docx_file, target, mime_type=registry.DOCX, scratch=scratch, cancelled=cancelled)
    timer.join()
    assert new_processes() == []
    assert not target.exists()


def test_a_missing_libreoffice_is_told_with_its_package(docx_file: Path, scratch: Path, target: Path) -> None:
    failure = failed_conversion(docx_file, target, mime_type=registry.DOCX, scratch=scratch, soffice="/no/such/soffice")
    assert failure.reason == Reason.CONVERTER_MISSING
    assert failure.retryable
    assert "libreoffice-writer" in failure.message


def test_a_picture_that_needs_too_much_memory_is_too_large(tmp_path: Path, scratch: Path, target: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(saved(Image.new("RGBA", (8000, 8000)), "PNG"))
    limits = Limits(memory_bytes=192 * MIB)
    failure = failed_conversion(source, target, mime_type=registry.PNG, scratch=scratch, limits=limits)
    assert failure.reason == Reason.PROCESSING_TOO_LARGE
    assert "192 MiB" in failure.message


def test_a_type_that_nothing_converts_is_told_with_those_that_are(tmp_path: Path, scratch: Path, target: Path) -> None:
    failure = failed_conversion(tmp_path, target, mime_type="video/mp4", scratch=scratch)
    assert failure.reason == Reason.TYPE_NOT_CONVERTIBLE
    assert all(mime_type in failure.message for mime_type in engines.CONVERTIBLE_MIME_TYPES)


def test_a_picture_becomes_a_pdf_with_its_bytes(
    picture: bytes, isolation: str, tmp_path: Path, scratch: Path, target: Path
) -> None:
    source = tmp_path / "picture"
    source.write_bytes(picture)
    engines.convert(source, target, mime_type=registry.JPEG, scratch=scratch)
    assert picture in target.read_bytes()


def test_merging_keeps_order_names_and_duplicates(isolation: str, tmp_path: Path, scratch: Path, target: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(pdf_bytes("one", "two"))
    second.write_bytes(pdf_bytes("three"))
    inputs = [MergeInput(second, "B"), MergeInput(first, "A"), MergeInput(second, "B again")]
    engines.merge(inputs, target, options=MergeOptions(paper_size=PaperSize.A4, title="All"), scratch=scratch)
    reader = PdfReader(target)
    assert [text.strip() for text in text_of(target)] == ["three", "one", "two", "three"]
    assert [item.title for item in reader.outline] == ["B", "A", "B again"]
    assert reader.metadata.title == "All"
    assert {tuple(round(float(side)) for side in page.mediabox[2:]) for page in reader.pages} == {(595, 842)}


def test_a_failed_merge_names_the_input_and_keeps_an_existing_target(tmp_path: Path, scratch: Path, target: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"no PDF")
    target.write_bytes(b"the earlier one")
    with pytest.raises(EngineError, match="'My diploma'") as failure:
        engines.merge([MergeInput(source, "My diploma")], target, scratch=scratch)
    assert failure.value.reason == Reason.MERGE_INPUT_NOT_PDF
    assert target.read_bytes() == b"the earlier one"


def test_merging_nothing_is_an_error_of_the_caller(scratch: Path, target: Path) -> None:
    with pytest.raises(ValueError, match="nothing to merge"):
        engines.merge([], target, scratch=scratch)


def failed_conversion(source: Path, target: Path, **arguments: object) -> EngineError:
    with pytest.raises(EngineError) as failure:
        engines.convert(source, target, **arguments)  # type: ignore[arg-type]
    return failure.value


@pytest.mark.parametrize(("kind", "mime_type"), [("JPEG", registry.JPEG), ("PNG", registry.PNG)])
def test_a_rotated_picture_is_one_of_the_same_type(
    kind: str, mime_type: str, isolation: str, tmp_path: Path, scratch: Path, target: Path
) -> None:
    source = tmp_path / "picture"
    image = Image.new("RGB", (60, 40), "red")
    image.paste("blue", (32, 0, 60, 40))
    source.write_bytes(saved(image, kind, quality=95))
    engines.rotate(source, target, mime_type=mime_type, degrees=90, scratch=scratch)
    with Image.open(target) as rotated, Image.open(source) as before:
        assert rotated.format == kind
        expected = before.transpose(Image.Transpose.ROTATE_270)
        assert ImageOps.exif_transpose(rotated).tobytes() == expected.tobytes()
    assert target.stat().st_uid == os.geteuid()


@pytest.mark.parametrize("degrees", [0, 45, 360, -90])
def test_a_rotation_by_anything_but_quarter_turns_is_an_error_of_the_caller(
    degrees: int, tmp_path: Path, scratch: Path, target: Path
) -> None:
    with pytest.raises(ValueError, match=str(degrees)):
        engines.rotate(tmp_path / "picture", target, mime_type=registry.PNG, degrees=degrees, scratch=scratch)


def test_a_damaged_picture_is_not_rotated_and_an_existing_target_is_kept(tmp_path: Path, scratch: Path, target: Path) -> None:
    source = tmp_path / "picture"
    source.write_bytes(saved(Image.effect_noise((200, 200), 80), "PNG")[:5000])
    target.write_bytes(b"the earlier one")
    with pytest.raises(EngineError) as failure:
        engines.rotate(source, target, mime_type=registry.PNG, degrees=90, scratch=scratch)
    assert failure.value.reason == Reason.DOCUMENT_UNREADABLE
    assert target.read_bytes() == b"the earlier one"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_largest_picture_can_be_rotated_within_the_limits(tmp_path: Path, scratch: Path, target: Path) -> None:
    source = tmp_path / "picture"
    source.write_bytes(saved(Image.new("RGBA", (10_000, 8_900), "teal"), "PNG"))
    engines.rotate(source, target, mime_type=registry.PNG, degrees=90, scratch=scratch)
    with Image.open(target) as rotated:
        assert rotated.size == (8_900, 10_000)


def test_edited_pages_are_rotated_and_the_rest_keeps_its_bytes(
    isolation: str, tmp_path: Path, scratch: Path, target: Path
) -> None:
    source = tmp_path / "document"
    source.write_bytes(pdf_bytes("one", "two", "three"))
    engines.edit(source, target, rotations={2: 90, 0: -90}, scratch=scratch)
    assert [page.rotation for page in PdfReader(target).pages] == [270, 0, 90]
    assert [text.strip() for text in text_of(target)] == ["one", "two", "three"]
    assert target.read_bytes().startswith(source.read_bytes())


def test_an_edit_without_rotations_passes_the_file_through(tmp_path: Path, scratch: Path, target: Path) -> None:
    source = tmp_path / "document"
    source.write_bytes(pdf_bytes("one"))
    engines.edit(source, target, rotations={}, scratch=scratch)
    assert target.read_bytes() == source.read_bytes()


def test_an_edit_by_anything_but_quarter_turns_is_an_error_of_the_caller(tmp_path: Path, scratch: Path, target: Path) -> None:
    with pytest.raises(ValueError, match="45"):
        engines.edit(tmp_path / "document", target, rotations={0: 90, 1: 45}, scratch=scratch)


def test_an_edit_of_a_page_that_does_not_exist_is_told(tmp_path: Path, scratch: Path, target: Path) -> None:
    source = tmp_path / "document"
    source.write_bytes(pdf_bytes("one", "two"))
    with pytest.raises(EngineError, match="2 pages") as failure:
        engines.edit(source, target, rotations={7: 90}, scratch=scratch)
    assert failure.value.reason == Reason.DOCUMENT_UNREADABLE
    assert not target.exists()
