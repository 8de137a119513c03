from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from osis_document_workers.engines import office_files
from osis_document_workers.engines.errors import EngineError, Reason

from .conftest import ole_bytes, zip_bytes

RELATIONS = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="1" '
    b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="%s"/></Relationships>'
)
MANIFEST = (
    b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
    b'manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>'
)
FIB = b"\xec\xa5\xc1\x00" + bytes(6)
DOCX = {"[Content_Types].xml": b"<Types/>", "_rels/.rels": RELATIONS % b"/word/document2.xml", "word\\Document2.xml": b"<w/>"}
ODT = {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<office/>"}

Check = Callable[[Path], None]


def failure_of(check: Check, content: bytes, folder: Path) -> str:
    (folder / "file").write_bytes(content)
    with pytest.raises(EngineError) as failure:
        check(folder / "file")
    assert not failure.value.retryable
    return failure.value.reason


@pytest.mark.parametrize(
    ("check", "content"),
    [
        (office_files.check_docx, zip_bytes(DOCX)),
        (office_files.check_odt, zip_bytes(ODT)),
        (office_files.check_odt, zip_bytes({**ODT, "META-INF/manifest.xml": b"<manifest/>"})),
        (office_files.check_doc, ole_bytes({"WordDocument": FIB + b"\x00\x02"})),
        (office_files.check_doc, b"{\\rtf1 text}"),
    ],
    ids=["docx with odd names", "odt", "odt with manifest", "doc", "rich text"],
)
def test_a_sound_document_passes(check: Check, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    check(tmp_path / "file")


@pytest.mark.parametrize(
    ("check", "content"),
    [
        (office_files.check_docx, ole_bytes({"EncryptionInfo": b"", "EncryptedPackage": b""})),
        (office_files.check_doc, ole_bytes({"EncryptedPackage": b""})),
        (office_files.check_doc, ole_bytes({"WordDocument": FIB + b"\x00\x03"})),
        (office_files.check_odt, zip_bytes({**ODT, "META-INF/manifest.xml": MANIFEST})),
        (office_files.check_odt, zip_bytes({"mimetype": b"", "encrypted-package": b"", "META-INF/manifest.xml": MANIFEST})),
    ],
    ids=["docx", "docx called doc", "doc", "odt", "odt encrypted whole"],
)
def test_a_protected_document_needs_a_password(check: Check, content: bytes, tmp_path: Path) -> None:
    assert failure_of(check, content, tmp_path) == Reason.PASSWORD_REQUIRED


@pytest.mark.parametrize(
    ("check", "content"),
    [
        (office_files.check_docx, b"This is plain text"),
        (office_files.check_docx, zip_bytes(DOCX)[:-30]),
        (office_files.check_docx, zip_bytes({"hello.txt": b""})),
        (office_files.check_docx, zip_bytes({**DOCX, "_rels/.rels": RELATIONS % b"word/missing.xml"})),
        (office_files.check_docx, ole_bytes({"WordDocument": FIB})),
        (office_files.check_odt, b"This is not a zip file"),
        (office_files.check_odt, zip_bytes({"mimetype": b""})),
        (office_files.check_doc, b"This is plain text"),
        (office_files.check_doc, ole_bytes({"Workbook": b""})),
        (office_files.check_doc, ole_bytes({"WordDocument": FIB})[:600]),
        (office_files.check_doc, b""),
    ],
    ids=lambda value: "" if callable(value) else None,
)
def test_a_damaged_document_is_unreadable(check: Check, content: bytes, tmp_path: Path) -> None:
    assert failure_of(check, content, tmp_path) == Reason.DOCUMENT_UNREADABLE


def test_a_document_that_unpacks_to_too_much_is_too_large(tmp_path: Path) -> None:
    bomb = zip_bytes({**DOCX, "word/document2.xml": bytes(office_files.XML_BYTES + 1)})
    assert len(bomb) < 1024 * 1024
    assert failure_of(office_files.check_docx, bomb, tmp_path) == Reason.PROCESSING_TOO_LARGE
