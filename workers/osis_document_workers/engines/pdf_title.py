"""The title of a PDF."""

from __future__ import annotations

import warnings
from pathlib import Path

import pikepdf


def set_title(path: Path, title: str) -> None:
    """Gives a PDF a title, in its place."""
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        write_title(document, title)
        document.save(path)


def write_title(document: pikepdf.Pdf, title: str) -> None:
    """Writes a title to the document information and to the XMP metadata, which PDF/A wants to agree. Both keep all else."""
    has_metadata = "/Metadata" in document.Root
    with document.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        if not has_metadata:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # what XMP has no name for stays where it is
                metadata.load_from_docinfo(document.docinfo)
        metadata["dc:title"] = title
    document.docinfo["/Title"] = title
