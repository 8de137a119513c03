"""JPEG and PNG pictures to PDF, one page as large as the picture."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path

import img2pdf
import pikepdf
from PIL import ExifTags, Image, ImageOps

from . import pictures
from .errors import EngineError, Reason
from .options import ConvertOptions
from .orientation import SHOWN, UPRIGHT
from .registry import JPEG

#: Used when a picture has no resolution, or one that is no scanner's, printer's or screen's: img2pdf's default, and CSS's.
DEFAULT_DPI = 96.0
SANE_DPI = (20.0, 4800.0)

#: PDF 1.7 (ISO 32000-1), Annex C: pages measure 3 to 14,400 units, here points.
MIN_PAGE_POINTS = 3.0
MAX_PAGE_POINTS = 14_400.0


def convert(source: Path, target: Path, *, mime_type: str, options: ConvertOptions) -> None:
    """Converts one picture, in this process; it belongs under a launcher.

    A JPEG's bytes and a PNG's pixels are kept; orientation becomes the page's rotation. Transparency is flattened on
    white. The page has the picture's real size: pixels by resolution where that is given and sane, else by 96 dpi.

    Args:
        source: the picture; it is not changed.
        target: the PDF to write.
        mime_type: image/jpeg or image/png.
        options: title; pages must include 1; PDF/A is refused.

    Raises:
        EngineError: DOCUMENT_UNREADABLE, PROCESSING_TOO_LARGE, TYPE_NOT_CONVERTIBLE (to PDF/A).
    """
    if options.pdf_a:
        raise EngineError(
            Reason.TYPE_NOT_CONVERTIBLE,
            f"Pictures ({mime_type}) cannot be converted to PDF/A. Ask for ordinary PDF.",
        )
    if options.page_ranges and not _includes_first_page(options.page_ranges):
        raise EngineError(
            Reason.DOCUMENT_UNREADABLE,
            f"The picture has one page, none of the pages {options.page_ranges}. Ask for pages that it has.",
        )
    flattened = target.with_suffix(".png")
    try:
        with pictures.explaining_damage(img2pdf.ImageOpenError, img2pdf.JpegColorspaceError):
            checked = _check(source, flattened, mime_type=mime_type)
            _write(checked, target, title=options.title)
    finally:
        flattened.unlink(missing_ok=True)
    mirrored, rotation = SHOWN.get(checked.orientation, SHOWN[UPRIGHT])
    if mirrored:  # the others are img2pdf's
        _mirror(target, rotation=rotation)


@dataclass(frozen=True)
class _Checked:
    """A sound picture: the file to draw, its EXIF orientation, and whether it says itself what resolution it has."""

    path: Path
    orientation: int
    has_dpi: bool


def _check(source: Path, flattened: Path, *, mime_type: str) -> _Checked:
    """Decodes the whole picture, so that a damaged one is refused; flattens transparency, into `flattened`."""
    with pictures.decoded(source, mime_type=mime_type) as picture:
        exif = picture.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        if picture.has_transparency_data:
            upright = ImageOps.exif_transpose(picture)
            dpi = picture.info.get("dpi")
            if dpi is not None and orientation in (5, 6, 7, 8):
                dpi = (dpi[1], dpi[0])
            _on_white(upright).save(flattened, format="PNG", **({"dpi": dpi} if dpi else {}))
            return _Checked(flattened, orientation=1, has_dpi=dpi is not None)
        # For a JPEG with EXIF but no resolution Pillow makes up 72 dpi. JFIF's units 1 and 2 are inch and centimetre.
        made_up = mime_type == JPEG and ExifTags.Base.XResolution not in exif and picture.info.get("jfif_unit") not in (1, 2)
    return _Checked(source, orientation=orientation, has_dpi=not made_up)


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode == "I;16":
        # Pillow would clip 16-bit grey to 8 bits; the one level that such a PNG calls transparent turns white instead.
        transparent = picture.info["transparency"]
        levels = array("H", picture.tobytes())
        levels = array("H", (65535 if level == transparent else level for level in levels))
        return Image.frombytes("I;16", picture.size, levels.tobytes())
    picture = picture.convert("RGBA")
    page = Image.new("RGB", picture.size, "white")
    page.paste(picture, mask=picture.getchannel("A"))
    return page


def _write(checked: _Checked, target: Path, *, title: str) -> None:
    def layout(width_px: int, height_px: int, dpi: tuple[float, float]) -> tuple[float, float, float, float]:
        return _layout(width_px, height_px, dpi if checked.has_dpi else (DEFAULT_DPI, DEFAULT_DPI))

    with target.open("wb") as stream:
        img2pdf.convert(
            str(checked.path),
            outputstream=stream,
            layout_fun=layout,
            rotation=img2pdf.Rotation.ifvalid,
            first_frame_only=True,
            title=title or None,
        )


def _layout(width_px: int, height_px: int, dpi: tuple[float, float]) -> tuple[float, float, float, float]:
    """img2pdf's layout function: width and height of the page and of the picture, in points."""
    if not all(SANE_DPI[0] <= value <= SANE_DPI[1] for value in dpi):
        dpi = (DEFAULT_DPI, DEFAULT_DPI)
    width, height = width_px * 72 / dpi[0], height_px * 72 / dpi[1]
    shrink = min(1.0, MAX_PAGE_POINTS / max(width, height))
    width, height = width * shrink, height * shrink
    return max(width, MIN_PAGE_POINTS), max(height, MIN_PAGE_POINTS), width, height


def _mirror(path: Path, *, rotation: int) -> None:
    """Mirrors the page left to right, then rotates it clockwise: img2pdf only rotates."""
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        page = document.pages[0]
        width = float(page.mediabox[2])
        page.contents_add(f"-1 0 0 1 {width:.4f} 0 cm".encode(), prepend=True)
        page.rotate(rotation, relative=False)
        document.save(path)


def _includes_first_page(page_ranges: str) -> bool:
    return any(int(part.partition("-")[0]) == 1 for part in page_ranges.split(","))
