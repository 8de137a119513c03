"""PDFs of which pages, or another title, are wanted."""

from __future__ import annotations

from pathlib import Path

from ..mime_types import PDF
from ..options import ConvertOptions

MIME_TYPES = frozenset({PDF})


def convert(source: Path, target: Path, *, mime_type: str, options: ConvertOptions, work: Path) -> None:  # noqa: ARG001 -- the protocol's
    """Makes the PDF that is asked for of another."""
    from .. import pdf_options

    pdf_options.apply(source, target, options=options, work=work)
