"""What kind of file a file is."""

import io
import zipfile
from pathlib import Path

import pytest
from docx import Document
from PIL import Image

from osis_document_server.domain import content
from osis_document_server.domain.names import extension_of
from osis_document_server.errors import MimeMismatch
from osis_document_server.storage.content_type import ContentTypes, require_agreement

DETECTOR = ContentTypes()


def _docx() -> bytes:
    buffer = io.BytesIO()
    Document().save(buffer)
    return buffer.getvalue()


def _reordered(archive: bytes) -> bytes:
    """The same zip with its members in the opposite order, as some programs write them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in reversed(source.namelist()):
            target.writestr(name, source.read(name))
    return buffer.getvalue()


def _odt(*, compressed: bool) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("content.xml", "<office:document-content/>")
        method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
        archive.writestr("mimetype", content.ODT, compress_type=method)
    return buffer.getvalue()


def _image(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, kind)
    return buffer.getvalue()


def _plain_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "hello")
    return buffer.getvalue()


GENUINE = {
    "a.docx": _docx(),
    "reordered.docx": _reordered(_docx()),
    "late-mimetype.odt": _odt(compressed=False),
    "compressed-mimetype.odt": _odt(compressed=True),
    "a.jpg": _image("JPEG"),
    "a.jpeg": _image("JPEG"),
    "a.png": _image("PNG"),
    "utf8.txt": "été à la plage".encode(),
    "utf16.txt": "été à la plage".encode("utf-16"),
    "cp1252.txt": "été à la plage".encode("cp1252"),
    "code.txt": b"#!/bin/sh\necho hello\n",
    "markup.txt": b"<!DOCTYPE html><html><body>notes</body></html>",
    "data.txt": b'{"a": 1}',
    "one-byte.txt": b"x",
    "leading-bytes.pdf": b"\r\n\r\n%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
    "metadata.pdf": b"%PDF-1.7\n1 0 obj\n<</Title (a<b>c)>>\nendobj\n<?xpacket?><x:xmpmeta><dc:title>T</dc:title>\n%%EOF\n",
    "a.pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
}

FORGED = {
    "polyglot.pdf": b"%PDF-1.4\n<html><body><script>alert(1)</script></body></html>\n%%EOF",
    "page.pdf": b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>",
    "archive.docx": _plain_zip(),
    "archive.odt": _plain_zip(),
    "program.png": Path("/bin/true").read_bytes(),
    "picture.jpg": _image("PNG"),
    "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "program.txt": Path("/bin/true").read_bytes(),
    "text.docx": b"hello",
}


@pytest.mark.parametrize("name", GENUINE)
def test_a_genuine_file_is_accepted(name: str, tmp_path: Path) -> None:
    file = tmp_path / "blob"
    file.write_bytes(GENUINE[name])
    extension = extension_of(name)
    detected = DETECTOR.detect(file, extension=extension)
    require_agreement(name, extension=extension, detected=detected)
    assert detected == content.TYPE_BY_EXTENSION[extension]


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_file_is_refused_and_told_what_it_looks_like(name: str, tmp_path: Path) -> None:
    file = tmp_path / "blob"
    file.write_bytes(FORGED[name])
    extension = extension_of(name)
    detected = DETECTOR.detect(file, extension=extension)
    with pytest.raises(MimeMismatch) as caught:
        require_agreement(name, extension=extension, detected=detected)
    assert caught.value.metadata == {"extension": extension, "detected": detected}
