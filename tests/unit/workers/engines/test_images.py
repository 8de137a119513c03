from __future__ import annotations

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

from osis_document_workers.engines import images
from osis_document_workers.engines.errors import EngineError, Reason
from osis_document_workers.engines.options import ConvertOptions
from osis_document_workers.engines.registry import JPEG, PNG

from .conftest import saved, with_orientation

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def convert(content: bytes, folder: Path, *, mime_type: str = "", options: ConvertOptions | None = None) -> PdfReader:
    source, target = folder / "picture", folder / "picture.pdf"
    source.write_bytes(content)
    mime_type = mime_type or (PNG if content.startswith(b"\x89PNG") else JPEG)
    images.convert(source, target, mime_type=mime_type, options=options or ConvertOptions())
    assert sorted(path.name for path in folder.iterdir()) == ["picture", "picture.pdf"]
    return PdfReader(target)


def seen_size(reader: PdfReader) -> tuple[float, float]:
    [page] = reader.pages
    width, height = float(page.mediabox.width), float(page.mediabox.height)
    return (height, width) if page.rotation % 180 else (width, height)


def drawn(reader: PdfReader) -> Image.Image:
    return Image.open(io.BytesIO(reader.pages[0].images[0].data))


def test_the_bytes_of_a_jpeg_are_in_the_pdf_unchanged(picture: bytes, tmp_path: Path) -> None:
    convert(picture, tmp_path)
    assert picture in (tmp_path / "picture.pdf").read_bytes()


@pytest.mark.parametrize(("orientation", "rotation"), [(1, 0), (3, 180), (6, 90), (8, 270), (2, 0), (4, 180), (5, 270), (7, 90)])
def test_exif_orientation_turns_the_page_and_keeps_the_bytes(
    orientation: int, rotation: int, picture: bytes, tmp_path: Path
) -> None:
    jpeg = with_orientation(picture, orientation)
    reader = convert(jpeg, tmp_path)
    assert reader.pages[0].rotation == rotation
    assert jpeg in (tmp_path / "picture.pdf").read_bytes()
    assert seen_size(reader) == ((45, 30) if orientation < 5 else (30, 45))
    mirrored = b"-1 0 0 1 45.0000 0 cm" in reader.pages[0].get_contents().get_data()
    assert mirrored is (orientation in (2, 4, 5, 7))


def test_an_invalid_orientation_is_ignored(picture: bytes, tmp_path: Path) -> None:
    assert convert(with_orientation(picture, 99), tmp_path).pages[0].rotation == 0


@pytest.mark.parametrize(
    ("dpi", "expected"),
    [
        (None, (45, 30)),
        ((72, 72), (60, 40)),
        ((300, 300), (14.4, 9.6)),
        ((72, 144), (60, 20)),
        ((1, 1), (45, 30)),
        ((60000, 60000), (45, 30)),
    ],
)
def test_the_page_has_the_real_size_where_the_resolution_is_sane_and_else_that_of_96_dpi(
    dpi: tuple[int, int] | None, expected: tuple[float, float], tmp_path: Path
) -> None:
    jpeg = saved(Image.new("RGB", (60, 40)), "JPEG", **({"dpi": dpi} if dpi else {}))
    assert seen_size(convert(jpeg, tmp_path)) == pytest.approx(expected)


def test_a_page_is_never_larger_nor_smaller_than_pdf_allows(tmp_path: Path) -> None:
    width, height = seen_size(convert(saved(Image.new("L", (20_000, 2)), "PNG"), tmp_path))
    assert (width, height) == (14_400, 3)


def test_the_pixels_of_a_png_are_kept(tmp_path: Path) -> None:
    image = Image.effect_noise((32, 16), 80).convert("RGB")
    assert drawn(convert(saved(image, "PNG"), tmp_path)).convert("RGB").tobytes() == image.tobytes()


def transparent_pictures() -> dict[str, bytes]:
    """Left half red or black, right half transparent."""
    rgba = Image.new("RGBA", (4, 2), (255, 0, 0, 255))
    rgba.paste((0, 0, 255, 0), (2, 0, 4, 2))
    palette = Image.new("P", (4, 2), 0)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.paste(1, (2, 0, 4, 2))
    grey = Image.new("LA", (4, 2), (0, 255))
    grey.paste((0, 0), (2, 0, 4, 2))
    deep = Image.new("I;16", (4, 2), 0)
    for place in ((2, 0), (3, 0), (2, 1), (3, 1)):
        deep.putpixel(place, 30000)
    return {
        "rgba": saved(rgba, "PNG"),
        "palette": saved(palette, "PNG", transparency=1),
        "grey": saved(grey, "PNG"),
        "16 bits": saved(deep, "PNG", transparency=30000),
    }


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [("rgba", RED, WHITE), ("palette", RED, WHITE), ("grey", (0, 0, 0), WHITE), ("16 bits", (0,) * 2, (255,) * 2)],
)
def test_transparency_becomes_white(kind: str, left: tuple[int, ...], right: tuple[int, ...], tmp_path: Path) -> None:
    [image] = convert(transparent_pictures()[kind], tmp_path).pages[0].images
    stored = image.indirect_reference.get_object()
    assert "/SMask" not in stored
    assert stored.get_data() == bytes((left * 2 + right * 2) * 2)


def test_a_transparent_png_keeps_its_orientation_and_resolution(tmp_path: Path) -> None:
    image = Image.new("RGBA", (60, 40), (255, 0, 0, 128))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert seen_size(convert(saved(image, "PNG", exif=exif, dpi=(72, 144)), tmp_path)) == pytest.approx((20, 60), rel=0.01)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
def test_every_kind_of_png_becomes_a_page(mode: str, tmp_path: Path) -> None:
    [image] = convert(saved(Image.new(mode, (8, 8)), "PNG"), tmp_path).pages[0].images
    assert Image.open(io.BytesIO(image.data)).size == (8, 8)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg_becomes_a_page(mode: str, tmp_path: Path) -> None:
    jpeg = saved(Image.new(mode, (8, 8)), "JPEG")
    convert(jpeg, tmp_path)
    assert jpeg in (tmp_path / "picture.pdf").read_bytes()


def test_a_jpeg_with_several_pictures_becomes_one_page(picture: bytes, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (60, 40), color) for color in ("red", "blue")]
    reader = convert(saved(frames[0], "MPO", save_all=True, append_images=frames[1:]), tmp_path, mime_type=JPEG)
    assert len(reader.pages) == 1
    assert drawn(reader).convert("RGB").getpixel((1, 1)) == pytest.approx(RED, abs=3)


def test_the_title_is_applied(picture: bytes, tmp_path: Path) -> None:
    assert convert(picture, tmp_path, options=ConvertOptions(title="Diplôme")).metadata.title == "Diplôme"


@pytest.mark.parametrize("damage", ["truncated", "garbage", "another type"])
@pytest.mark.parametrize("mime_type", [JPEG, PNG])
def test_a_damaged_picture_is_unreadable(damage: str, mime_type: str, tmp_path: Path) -> None:
    noise = Image.effect_noise((200, 200), 80)
    whole = saved(noise, "JPEG" if mime_type == JPEG else "PNG")
    content = {
        "truncated": whole[: len(whole) // 2],
        "garbage": whole[:8] + b"garbage" * 100,
        "another type": saved(noise, "GIF"),
    }[damage]
    with pytest.raises(EngineError, match="cannot be read") as failure:
        convert(content, tmp_path, mime_type=mime_type)
    assert failure.value.reason == Reason.DOCUMENT_UNREADABLE
    assert not failure.value.retryable


@pytest.mark.parametrize("side", [10_000, 30_000])
def test_a_picture_of_too_many_pixels_is_too_large(side: int, tmp_path: Path) -> None:
    row = zlib.compress(bytes(side // 8 + 1))
    header = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0]))
    with pytest.raises(EngineError, match="89 megapixels") as failure:
        convert(header + chunk(b"IDAT", row) + chunk(b"IEND", b""), tmp_path)
    assert failure.value.reason == Reason.PROCESSING_TOO_LARGE


def test_pdf_a_is_refused(picture: bytes, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="PDF/A") as failure:
        convert(picture, tmp_path, options=ConvertOptions(pdf_a=True))
    assert failure.value.reason == Reason.TYPE_NOT_CONVERTIBLE


def test_a_picture_has_page_one_alone(picture: bytes, tmp_path: Path) -> None:
    assert len(convert(picture, tmp_path, options=ConvertOptions(page_ranges="1-3")).pages) == 1
    with pytest.raises(EngineError, match="none of the pages 2"):
        convert(picture, tmp_path, options=ConvertOptions(page_ranges="2"))


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
