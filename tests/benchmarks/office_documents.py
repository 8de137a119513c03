"""Office documents to convert: made for it, and real ones where there are some."""

import os
from io import BytesIO
from pathlib import Path

import docx
import docx.document
import docx.shared
from PIL import Image

_SENTENCE = "A document is uploaded, confirmed, converted and handed out again."
_VARIABLE = "OSIS_DOCUMENT_SAMPLES"
_EXTENSIONS = {".doc", ".docx", ".odt", ".txt"}
#: In the names of samples that need a password or are broken.
_NOT_ORDINARY = ("protected", "Encrypted", "truncated", "notaZip")


#: Pages of the documents that are made, one of each kind.
_MADE_PAGES = (1, 2, 3, 5, 8)


def office_documents(folder: Path) -> tuple[list[Path], str]:
    """Returns documents that LibreOffice converts, and where they are from.

    Twenty are made in ``folder``; the ordinary samples come before them, where there are some.
    """
    makers = (_with_tables, _with_picture, _with_lists, _text)
    made = [make(folder, pages) for pages in _MADE_PAGES for make in makers]
    samples = os.environ.get(_VARIABLE, "")
    if not samples:
        return made, f"{len(made)} made documents, as {_VARIABLE} is not set"
    ordinary = [
        path
        for path in sorted(Path(samples).iterdir())
        if path.suffix in _EXTENSIONS and not any(word in path.name for word in _NOT_ORDINARY)
    ]
    return ordinary + made, f"{len(ordinary)} ordinary samples of {_VARIABLE}, {len(made)} made documents"


def _with_tables(folder: Path, pages: int) -> Path:
    document = docx.Document()
    for page in range(1, pages + 1):
        document.add_heading(f"Page {page}", level=1)
        _add_paragraphs(document, 8)
        table = document.add_table(rows=4, cols=3)
        for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
            cell.text = f"{page}.{number}"
        document.add_page_break()  # type: ignore[no-untyped-call]
    return _saved(document, folder / f"tables-{pages}.docx")


def _with_picture(folder: Path, pages: int) -> Path:
    document = docx.Document()
    for page in range(1, pages + 1):
        picture = BytesIO()
        Image.linear_gradient("L").resize((400 + page, 300)).save(picture, "PNG")
        document.add_picture(picture, width=docx.shared.Cm(12))
        _add_paragraphs(document, 4)
        document.add_page_break()  # type: ignore[no-untyped-call]
    return _saved(document, folder / f"pictures-{pages}.docx")


def _with_lists(folder: Path, pages: int) -> Path:
    document = docx.Document()
    for page in range(1, pages + 1):
        document.add_heading(f"Part {page}", level=2)
        for number in range(30):
            document.add_paragraph(f"The document number {page}.{number}", style="List Bullet")
        document.add_page_break()  # type: ignore[no-untyped-call]
    return _saved(document, folder / f"lists-{pages}.docx")


def _text(folder: Path, pages: int) -> Path:
    path = folder / f"text-{pages}.txt"
    lines = [f"Ligne {number} : {_SENTENCE}" for number in range(60 * pages)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _add_paragraphs(document: docx.document.Document, count: int) -> None:
    for _ in range(count):
        document.add_paragraph(f"{_SENTENCE} " * 5)


def _saved(document: docx.document.Document, path: Path) -> Path:
    document.save(str(path))
    return path
