"""Rotating pictures without loss."""

from __future__ import annotations

from pathlib import Path

from . import jpeg_rotation, pictures, png_rotation
from .errors import EngineError, Reason
from .registry import JPEG, PNG


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
    with pictures.explaining_damage():
        if mime_type == JPEG:
            with pictures.decoded(source, mime_type=JPEG):  # else nobody would notice that it is damaged
                jpeg_rotation.rotate(source, target, degrees=degrees)
        elif mime_type == PNG:
            with pictures.opened(source, mime_type=PNG):
                png_rotation.rotate(source, target, degrees=degrees)
        else:
            raise EngineError(
                Reason.NOT_AN_IMAGE, f"Files of type {mime_type or 'unknown'} cannot be rotated: only JPEG and PNG pictures can."
            )
