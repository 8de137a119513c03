"""Rotating pictures without loss."""

from __future__ import annotations

from pathlib import Path

from . import jpeg_rotation, pictures, png_rotation
from .errors import EngineError, Reason
from .registry import JPEG, PNG

ROTATABLE = {JPEG: jpeg_rotation.rotate, PNG: png_rotation.rotate}


def rotate(source: Path, target: Path, *, mime_type: str, degrees: int) -> None:
    """Rotates one picture clockwise, as it is shown, in this process; it belongs under a launcher.

    Args:
        source: the picture; it is not changed.
        target: the picture to write, of the same type.
        mime_type: image/jpeg or image/png.
        degrees: 90, 180 or 270.

    Raises:
        EngineError: DOCUMENT_UNREADABLE, PROCESSING_TOO_LARGE, NOT_AN_IMAGE.
    """
    if mime_type not in ROTATABLE:
        raise EngineError(
            Reason.NOT_AN_IMAGE, f"Files of type {mime_type or 'unknown'} cannot be rotated: only JPEG and PNG pictures can."
        )
    with pictures.explaining_damage():
        with pictures.decoded(source, mime_type=mime_type):
            pass
        ROTATABLE[mime_type](source, target, degrees=degrees)
