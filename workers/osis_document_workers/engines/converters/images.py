"""Pictures, by img2pdf."""

from __future__ import annotations

from pathlib import Path

from ..mime_types import JPEG, PNG
from ..options import ConvertOptions

MIME_TYPES = frozenset({JPEG, PNG})


def convert(source: Path, target: Path, *, mime_type: str, options: ConvertOptions, work: Path) -> None:  # noqa: ARG001 -- the protocol's
    """Converts one picture."""
    from .. import images

    images.convert(source, target, mime_type=mime_type, options=options)
