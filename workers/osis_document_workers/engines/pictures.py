"""Opening users' pictures with Pillow, within limits."""

from __future__ import annotations

import contextlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from .errors import EngineError, Reason
from .registry import JPEG, PNG

#: Pillow tries these formats and no other. A JPEG with several pictures in it (MPO) is opened through JPEG.
FORMATS = {JPEG: ("JPEG",), PNG: ("PNG",)}

#: Pillow's own limit for a warning, here an error: with 4 bytes a pixel it decodes into 341 MiB.
MAX_PIXELS = 89_478_485

#: What a damaged picture makes Pillow raise.
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, struct.error, zlib.error)


@contextlib.contextmanager
def opened(source: Path, *, mime_type: str) -> Iterator[Image.Image]:
    """Opens a picture of the type that it claims to be and of no more than `MAX_PIXELS`. Belongs into `explaining_damage`."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(source, formats=FORMATS[mime_type]) as picture:
        yield picture


@contextlib.contextmanager
def decoded(source: Path, *, mime_type: str) -> Iterator[Image.Image]:
    """As `opened`, and decodes the whole picture, so that a damaged one is refused."""
    with opened(source, mime_type=mime_type) as picture:
        picture.load()
        yield picture


@contextlib.contextmanager
def explaining_damage(*further: type[Exception]) -> Iterator[None]:
    """Turns whatever a damaged or too large picture makes libraries raise (`further`: beside Pillow) into an error.

    Raises:
        EngineError: DOCUMENT_UNREADABLE, PROCESSING_TOO_LARGE.
    """
    broken: tuple[type[Exception], ...] = (*_BROKEN, *further)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # faults of the metadata, which do not matter to the picture
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise too_large() from exc
    except UnidentifiedImageError as exc:
        raise unreadable("it is no picture of the type it claims to be") from exc
    except broken as exc:
        raise unreadable("it is damaged") from exc


def too_large() -> EngineError:
    """The error for a picture of too many pixels."""
    return EngineError(
        Reason.PROCESSING_TOO_LARGE,
        f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels. Upload it in a lower resolution.",
    )


def unreadable(why: str) -> EngineError:
    """The error for a picture that cannot be read."""
    return EngineError(
        Reason.DOCUMENT_UNREADABLE,
        f"The picture cannot be read: {why}. Open it in a picture program, save it anew and upload it again.",
    )
