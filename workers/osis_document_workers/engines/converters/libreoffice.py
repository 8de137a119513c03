"""Office documents and plain text, by LibreOffice."""

from __future__ import annotations

from pathlib import Path

from ..mime_types import DOC, DOCX, ODT, TEXT
from ..options import ConvertOptions

MIME_TYPES = frozenset({DOCX, DOC, ODT, TEXT})


def convert(source: Path, target: Path, *, mime_type: str, options: ConvertOptions, work: Path, program: str) -> None:
    """Converts one document; `program` is LibreOffice's, which the caller has looked for."""
    from .. import libreoffice

    libreoffice.convert(source, target, mime_type=mime_type, options=options, work=work, soffice=program)
