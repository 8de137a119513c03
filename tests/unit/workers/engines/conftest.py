"""Documents that the tests make, and folders to work in."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import piexif
import pikepdf
import pytest
from PIL import Image
from reportlab.pdfgen import canvas

from osis_document_workers.engines import sandbox

from . import processes

SECTOR = 512


@pytest.fixture(autouse=True)
def _remember_processes() -> None:
    processes.remember()


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture(params=["namespace", "plain"])
def isolation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs a test with bubblewrap, if this host permits it, and without."""
    if request.param == "plain":
        monkeypatch.setattr(sandbox, "_working_prefix", lambda: None)
    elif sandbox._working_prefix() is None:
        pytest.skip("this host permits no namespaces (bubblewrap)")
    return str(request.param)


@pytest.fixture(scope="session")
def soffice() -> str:
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed (package libreoffice-writer)")
    return program


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A 60 × 40 pixel JPEG, red on the left and blue on the right."""
    image = Image.new("RGB", (60, 40), "red")
    image.paste("blue", (30, 0, 60, 40))
    return saved(image, "JPEG", quality=95)


@pytest.fixture(scope="session")
def docx_file(tmp_path_factory: pytest.TempPathFactory, picture: bytes) -> Path:
    """Two pages with a heading, a table and a picture."""
    document = docx.Document()
    document.core_properties.title = "Its own title"
    document.add_heading("Académie de Louvain", level=1)
    table = document.add_table(rows=2, cols=2)
    table.cell(1, 1).text = "Cell in the corner"
    document.add_picture(io.BytesIO(picture))
    document.add_page_break()
    document.add_paragraph("On the second page")
    path = tmp_path_factory.mktemp("docx") / "letter.docx"
    document.save(str(path))
    return path


@pytest.fixture(scope="session")
def office_file(docx_file: Path, soffice: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the document of `docx_file` in another format: `doc` or `odt`."""
    folder = tmp_path_factory.mktemp("office")

    def make(extension: str) -> Path:
        path = folder / f"letter.{extension}"
        if not path.exists():
            profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
            command = [soffice, profile, "--headless", "--convert-to", extension, "--outdir", str(folder), str(docx_file)]
            subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        return path

    return make


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    stream = io.BytesIO()
    piexif.insert(piexif.dump({"0th": {piexif.ImageIFD.Orientation: orientation}}), jpeg, stream)
    return stream.getvalue()


def pdf_bytes(*texts: str, size: tuple[float, float] = (300, 400), rotate: int = 0) -> bytes:
    """A PDF with one page per text."""
    stream = io.BytesIO()
    drawing = canvas.Canvas(stream, pagesize=size)
    for text in texts:
        drawing.drawString(20, 20, text)
        drawing.showPage()
    drawing.save()
    if not rotate:
        return stream.getvalue()
    turned = io.BytesIO()
    with pikepdf.open(stream) as document:
        for page in document.pages:
            page.rotate(rotate, relative=False)
        document.save(turned)
    return turned.getvalue()


def zip_bytes(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return stream.getvalue()


def ole_bytes(streams: dict[str, bytes]) -> bytes:
    """An OLE compound file ([MS-CFB]) of up to three streams, each padded to the 4,096 bytes that need no mini stream."""
    sectors: list[bytes] = [b"", b""]  # the allocation table and the directory, filled in last
    table = [0xFFFFFFFD, 0xFFFFFFFE]
    entries = [_ole_entry("Root Entry", kind=5, child=1, right=0xFFFFFFFF, start=0xFFFFFFFE, size=0)]
    for number, (name, content) in enumerate(streams.items(), start=1):
        content = content.ljust(4096, b"\0")
        content = content.ljust(-(-len(content) // SECTOR) * SECTOR, b"\0")
        start, count = len(sectors), len(content) // SECTOR
        sectors += [content[i * SECTOR : (i + 1) * SECTOR] for i in range(count)]
        table += [*range(start + 1, start + count), 0xFFFFFFFE]
        right = number + 1 if number < len(streams) else 0xFFFFFFFF
        entries.append(_ole_entry(name, kind=2, child=0xFFFFFFFF, right=right, start=start, size=len(content)))
    table += [0xFFFFFFFF] * (SECTOR // 4 - len(table))
    sectors[0] = struct.pack(f"<{SECTOR // 4}I", *table)
    sectors[1] = b"".join(entries).ljust(SECTOR, b"\0")
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<I", 0) + b"\xff" * (108 * 4)
    return header + b"".join(sectors)


def _ole_entry(name: str, *, kind: int, child: int, right: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    entry = encoded.ljust(64, b"\0") + struct.pack("<HBBIII", len(encoded), kind, 1, 0xFFFFFFFF, right, child)
    return entry + bytes(36) + struct.pack("<IQ", start, size)
