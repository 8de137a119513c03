"""Office documents to convert: real ones where there are some, else ones made for it."""

import os
from pathlib import Path

import docx

_VARIABLE = "OSIS_DOCUMENT_SAMPLES"
_EXTENSIONS = {".doc", ".docx", ".odt", ".txt"}
#: In the names of samples that need a password or are broken.
_NOT_ORDINARY = ("protected", "Encrypted", "truncated", "notaZip")


def office_documents(folder: Path) -> tuple[list[Path], str]:
    """Returns documents that LibreOffice converts, and where they are from; ``folder`` is for those that are made."""
    samples = os.environ.get(_VARIABLE, "")
    if samples:
        ordinary = [
            path
            for path in sorted(Path(samples).iterdir())
            if path.suffix in _EXTENSIONS and not any(word in path.name for word in _NOT_ORDINARY)
        ]
        return ordinary, f"the ordinary samples of {_VARIABLE}"
    return [_made(folder, pages=pages) for pages in (1, 2, 3, 5, 8)], f"made documents, as {_VARIABLE} is not set"


def _made(folder: Path, *, pages: int) -> Path:
    document = docx.Document()
    for page in range(1, pages + 1):
        document.add_heading(f"Page {page}", level=1)
        for _ in range(8):
            document.add_paragraph("A document is uploaded, confirmed, converted and handed out again. " * 5)
        table = document.add_table(rows=4, cols=3)
        for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
            cell.text = f"{page}.{number}"
        document.add_page_break()  # type: ignore[no-untyped-call]
    path = folder / f"made-{pages}.docx"
    document.save(str(path))
    return path
