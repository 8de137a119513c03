"""Files to upload, made on the spot.

`data/password.docx` was made once, with msoffcrypto-tool, of a document of one paragraph; its password is "secret".
"""

import base64
import io
import random
import zipfile
from pathlib import Path

from docx import Document as Docx
from PIL import Image
from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

_EXIF_ORIENTATION = 0x0112
#: The first row is the right side: shown upright after a quarter turn clockwise.
_QUARTER_TURN = 6

PASSWORD_DOCX = Path(__file__).parent / "data" / "password.docx"


def text_of_size(size: int, *, seed: int = 1) -> bytes:
    """Plain text of so many bytes, in lines, that says nothing."""
    raw = base64.encodebytes(random.Random(seed).randbytes(size))
    return raw[:size]


def pdf_of_size(size: int, *, seed: int = 1) -> bytes:
    """Bytes of every value, of this length, that begin and end like a PDF."""
    head, tail = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", b"\nstartxref\n0\n%%EOF\n"
    return head + random.Random(seed).randbytes(size - len(head) - len(tail)) + tail


def docx(*paragraphs: str) -> bytes:
    """A Word document with these paragraphs."""
    document = Docx()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def broken_docx() -> bytes:
    """A zip with the members of a Word document, of which the text itself is no XML."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx("intact"))) as whole, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as broken:
        for name in whole.namelist():
            content = whole.read(name)
            broken.writestr(name, b'<?xml version="1.0"?><w:document><w:body><w:p' if name == "word/document.xml" else content)
    return file.getvalue()


def archive(**members: bytes) -> bytes:
    """A zip with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    return file.getvalue()


def turned_jpeg(width: int = 400, height: int = 200) -> bytes:
    """A photo that lies on its side in the file; its EXIF orientation has it shown upright."""
    image = Image.new("RGB", (width, height), "navy")
    image.paste("gold", (0, 0, width // 4, height // 4))
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION] = _QUARTER_TURN
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, quality=90)
    return file.getvalue()


def png(size: int = 64) -> bytes:
    """A small image."""
    file = io.BytesIO()
    Image.new("RGB", (size, size), "teal").save(file, "PNG")
    return file.getvalue()


def pdf(*pages: str) -> bytes:
    """A PDF of A5 pages with a line of text each."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A5)
    for text in pages:
        canvas.drawString(72, 400, text)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def password_pdf(text: str = "secret text") -> bytes:
    """A PDF that opens with a password only."""
    writer = PdfWriter(clone_from=io.BytesIO(pdf(text)))
    writer.encrypt("secret", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def page_texts(content: bytes) -> list[str]:
    """The text of each page, white space folded."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(content)).pages]


def page_sizes(content: bytes) -> list[tuple[int, int]]:
    """Width and height of each page as it is shown, in whole points."""
    sizes = []
    for page in PdfReader(io.BytesIO(content)).pages:
        width, height = round(page.mediabox.width), round(page.mediabox.height)
        sizes.append((height, width) if page.rotation % 180 else (width, height))
    return sizes


def title_of(content: bytes) -> str | None:
    """The title in a PDF's own metadata."""
    metadata = PdfReader(io.BytesIO(content)).metadata
    return metadata.title if metadata is not None else None
