"""Documents that want something of the network or of the host's files get nothing, in the warm way and in the cold one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader

from osis_document_workers import engines
from osis_document_workers.engines import ConvertOptions, EngineError, Limits, OfficePool, Reason, registry

from .conftest import zip_bytes

pytestmark = [pytest.mark.slow, pytest.mark.needs_libreoffice, pytest.mark.usefixtures("soffice")]


_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_WORD_XML = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_OPEN_DOCUMENT = "urn:oasis:names:tc:opendocument:xmlns"


def _external(number: int, kind: str, url: str) -> str:
    return f'<Relationship Id="{kind}{number}" Type="{_RELATIONS}/{kind}" Target="{url}" TargetMode="External"/>'


def linking_docx(urls: list[str]) -> bytes:
    """Each as a linked picture, as an included text and as the template."""
    templates = "".join(_external(number, "attachedTemplate", url) for number, url in enumerate(urls))
    pictures = "".join(_external(number, "image", url) for number, url in enumerate(urls))
    body = "".join(_docx_links(number, url) for number, url in enumerate(urls))
    return zip_bytes(
        {
            "[Content_Types].xml": (
                f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
                'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/word/document.xml" ContentType="{_WORD}.document.main+xml"/>'
                f'<Override PartName="/word/settings.xml" ContentType="{_WORD}.settings+xml"/></Types>'
            ).encode(),
            "_rels/.rels": (
                f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
                f'Type="{_RELATIONS}/officeDocument" Target="word/document.xml"/></Relationships>'
            ).encode(),
            "word/_rels/document.xml.rels": (
                f'<Relationships xmlns="{_PACKAGE}/relationships">{pictures}'
                f'<Relationship Id="s" Type="{_RELATIONS}/settings" Target="settings.xml"/></Relationships>'
            ).encode(),
            "word/_rels/settings.xml.rels": (
                f'<Relationships xmlns="{_PACKAGE}/relationships">{templates}</Relationships>'
            ).encode(),
            "word/settings.xml": (
                f'<w:settings xmlns:w="{_WORD_XML}" xmlns:r="{_RELATIONS}">'
                '<w:attachedTemplate r:id="attachedTemplate0"/></w:settings>'
            ).encode(),
            "word/document.xml": (
                f'<w:document xmlns:w="{_WORD_XML}" xmlns:r="{_RELATIONS}" xmlns:wp="{_DRAWING}/wordprocessingDrawing" '
                f'xmlns:a="{_DRAWING}/main" xmlns:pic="{_DRAWING}/picture"><w:body>'
                f"<w:p><w:r><w:t>Before the links</w:t></w:r></w:p>{body}</w:body></w:document>"
            ).encode(),
        }
    )


def _docx_links(number: int, url: str) -> str:
    return (
        '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="900000" cy="900000"/><wp:docPr id="1" name="p"/><a:graphic>'
        f'<a:graphicData uri="{_DRAWING}/picture"><pic:pic><pic:nvPicPr><pic:cNvPr id="1" name="p"/><pic:cNvPicPr/>'
        f'</pic:nvPicPr><pic:blipFill><a:blip r:link="image{number}"/></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/>'
        '<a:ext cx="900000" cy="900000"/></a:xfrm><a:prstGeom prst="rect"/></pic:spPr></pic:pic></a:graphicData></a:graphic>'
        '</wp:inline></w:drawing></w:r></w:p><w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText> INCLUDETEXT "{url}" </w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    )


def linking_odt(urls: list[str]) -> bytes:
    """Each as a section, as a picture and as a frame."""
    return zip_bytes(
        {
            "mimetype": registry.ODT.encode(),
            "META-INF/manifest.xml": (
                f'<manifest:manifest xmlns:manifest="{_OPEN_DOCUMENT}:manifest:1.0">'
                f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{registry.ODT}"/>'
                '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
            ).encode(),
            "content.xml": linking_open_document("document-content", urls),
        }
    )


def linking_open_document(root: str, urls: list[str]) -> bytes:
    links = "".join(_odt_links(number, url) for number, url in enumerate(urls))
    return (
        f'<office:{root} xmlns:office="{_OPEN_DOCUMENT}:office:1.0" xmlns:text="{_OPEN_DOCUMENT}:text:1.0" '
        f'xmlns:draw="{_OPEN_DOCUMENT}:drawing:1.0" xmlns:svg="{_OPEN_DOCUMENT}:svg-compatible:1.0" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.2" office:mimetype="{registry.ODT}">'
        f"<office:body><office:text><text:p>Before the links</text:p>{links}</office:text></office:body></office:{root}>"
    ).encode()


def _odt_links(number: int, url: str) -> str:
    link = f'xlink:href="{url}" xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"'
    frame = f'text:anchor-type="as-char" svg:width="2cm" svg:height="2cm"><draw:{{}} {link}/></draw:frame>'
    return (
        f'<text:section text:name="s{number}"><text:section-source xlink:type="simple" xlink:href="{url}"/>'
        "<text:p/></text:section>"
        f'<text:p><draw:frame draw:name="p{number}" {frame.format("image")}'
        f'<draw:frame draw:name="f{number}" {frame.format("floating-frame")}</text:p>'
    )


def linking_rtf(urls: list[str]) -> bytes:
    """What is on the network as a picture and as an included text; files that are no pictures LibreOffice gives up on anyway."""
    fields = "".join(
        rf'{{\field{{\*\fldinst {name} "{url}" }}{{\fldrslt nothing}}}}\par '
        for url in urls
        if url.startswith("http")
        for name in ("INCLUDEPICTURE", "INCLUDETEXT")
    )
    return rf"{{\rtf1\ansi Before the links\par {fields}}}".encode()


def linking_html(urls: list[str]) -> bytes:
    return ("<html><body>Before the links" + "".join(f'<img src="{url}">' for url in urls)).encode()


class Listener:
    """A server on loopback that counts who comes."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.callers = 0
        self._thread = threading.Thread(target=self._count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}/picture.png"

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.callers += 1
            connection.close()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that everybody on the host may read."""
    path = tmp_path / "secret.txt"
    path.write_text("not for documents")
    return path


@pytest.mark.parametrize("way", ["warm", "cold"])
@pytest.mark.parametrize(
    ("make", "mime_type"),
    [(linking_docx, registry.DOCX), (linking_odt, registry.ODT), (linking_rtf, registry.DOC)],
    ids=["docx", "odt", "rtf"],
)
def test_a_document_that_links_elsewhere_is_converted_and_nothing_is_fetched(
    make: Callable[[list[str]], bytes],
    mime_type: str,
    way: str,
    isolation: str,
    secret: Path,
    scratch: Path,
    tmp_path: Path,
) -> None:
    source, target = tmp_path / "linking", tmp_path / "target.pdf"
    pool = OfficePool(slots=1, scratch=scratch)
    try:
        with Listener() as listener:
            source.write_bytes(make([listener.url, "file:///etc/hostname", secret.as_uri()]))
            if way == "warm":
                assert pool.convert(source, target, mime_type=mime_type, options=ConvertOptions(), limits=Limits())
            else:
                engines.convert(source, target, mime_type=mime_type, scratch=scratch)
        assert listener.callers == 0
    finally:
        pool.stop()
    text = "\n".join(page.extract_text() for page in PdfReader(target).pages)
    assert "Before the links" in text
    assert "not for documents" not in text
    assert socket.gethostname() not in text


@pytest.mark.parametrize("way", ["warm", "cold"])
@pytest.mark.parametrize(
    ("make", "mime_type"),
    [(linking_html, registry.DOC), (lambda urls: linking_open_document("document", urls), registry.ODT)],
    ids=["html as doc", "flat odt"],
)
def test_what_no_check_can_look_into_is_refused(
    make: Callable[[list[str]], bytes], mime_type: str, way: str, secret: Path, scratch: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / "linking", tmp_path / "target.pdf"
    pool = OfficePool(slots=1, scratch=scratch)
    try:
        with Listener() as listener:
            source.write_bytes(make([listener.url, secret.as_uri()]))
            with pytest.raises(EngineError) as failure:
                engines.convert(source, target, mime_type=mime_type, scratch=scratch, office=pool if way == "warm" else None)
        assert listener.callers == 0
    finally:
        pool.stop()
    assert failure.value.reason == Reason.DOCUMENT_UNREADABLE
    assert not target.exists()
