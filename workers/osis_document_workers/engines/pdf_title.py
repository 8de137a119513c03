"""The title of a PDF."""

from __future__ import annotations

from pathlib import Path

import pikepdf


def set_title(path: Path, title: str) -> None:
    """Sets the title in the document information and in the XMP metadata, which PDF/A wants to agree."""
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        with document.open_metadata(set_pikepdf_as_editor=False) as metadata:
            metadata["dc:title"] = title
        document.docinfo["/Title"] = title
        document.save(path)
