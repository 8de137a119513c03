from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from osis_document_workers.engines import exif, image_rotation
from osis_document_workers.engines.errors import EngineError, Reason
from osis_document_workers.engines.registry import PNG

from .conftest import saved

CLOCKWISE = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: Colour type: how many samples a pixel has, and the bit depths there are.
COLOURS = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)), 4: (2, (8, 16)), 6: (4, (8, 16))}
#: Adam7: first column and row of each pass, and the steps.
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))

Pixel = tuple[int, ...]
Pixels = list[list[Pixel]]


def rotate(content: bytes, folder: Path, *, degrees: int = 90) -> bytes:
    source, target = folder / "picture", folder / "rotated"
    source.write_bytes(content)
    image_rotation.rotate(source, target, mime_type=PNG, degrees=degrees)
    return target.read_bytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(SIGNATURE)
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        yield kind, png[place + 8 : place + 8 + length]
        place += 12 + length
        if kind == b"IEND":
            return


def one(png: bytes, kind: bytes) -> bytes:
    """The data of the first chunk of a kind."""
    return next(data for found, data in chunks(png) if found == kind)


def header(width: int, height: int, depth: int, colour: int, *, interlaced: bool = False) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def packed(row: list[Pixel], depth: int) -> bytes:
    bits = "".join(f"{sample:0{depth}b}" for pixel in row for sample in pixel)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def unpacked(row: bytes, depth: int, samples: int, width: int) -> list[Pixel]:
    bits = f"{int.from_bytes(row, 'big'):0{len(row) * 8}b}"
    values = [int(bits[i * depth : (i + 1) * depth], 2) for i in range(width * samples)]
    return [tuple(values[i * samples : (i + 1) * samples]) for i in range(width)]


def png_of(pixels: Pixels, depth: int, colour: int, *, interlaced: bool = False, extra: bytes = b"") -> bytes:
    """A PNG with exactly these samples, written by nothing but this test."""
    height, width = len(pixels), len(pixels[0])
    if interlaced:
        parts = [[row[x::dx] for row in pixels[y::dy]] for x, y, dx, dy in PASSES]
        rows = [row for part in parts for row in part if row]
    else:
        rows = pixels
    stream = zlib.compress(b"".join(b"\0" + packed(row, depth) for row in rows))
    palette = chunk(b"PLTE", bytes(range(3 * 2**depth))) if colour == 3 and depth < 8 else b""
    palette = palette or (chunk(b"PLTE", bytes(i % 256 for i in range(768))) if colour == 3 else b"")
    half = len(stream) // 2
    data = chunk(b"IDAT", stream[:half]) + chunk(b"IDAT", stream[half:])
    return SIGNATURE + header(width, height, depth, colour, interlaced=interlaced) + palette + extra + data + chunk(b"IEND", b"")


def pixels_of(png: bytes) -> Pixels:
    """The samples of a PNG that is not interlaced, read by nothing but this test."""
    width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", one(png, b"IHDR"))
    samples = COLOURS[colour][0]
    step, size = max(1, samples * depth // 8), -(-width * samples * depth // 8)
    stream = io.BytesIO(zlib.decompress(b"".join(data for kind, data in chunks(png) if kind == b"IDAT")))
    rows, above = [], bytes(size)
    for _ in range(height):
        kind, row = stream.read(1)[0], bytearray(stream.read(size))
        for i in range(size):
            left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
            row[i] = (row[i] + (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[kind]) % 256
        rows.append(unpacked(bytes(row), depth, samples, width))
        above = bytes(row)
    assert stream.read() == b""
    return rows


def paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))


def noise(width: int, height: int, depth: int, colour: int) -> Pixels:
    dice = random.Random(f"{width}x{height} {depth} {colour}")
    samples = COLOURS[colour][0]
    return [[tuple(dice.randrange(2**depth) for _ in range(samples)) for _ in range(width)] for _ in range(height)]


def turned(pixels: Pixels, degrees: int) -> Pixels:
    for _ in range(degrees // 90):
        pixels = [list(row) for row in zip(*pixels[::-1], strict=True)]
    return pixels


def test_what_this_test_writes_and_reads_is_what_pillow_does(tmp_path: Path) -> None:
    pixels = noise(13, 7, 8, 2)
    for interlaced in (False, True):
        with Image.open(io.BytesIO(png_of(pixels, 8, 2, interlaced=interlaced))) as picture:
            assert [[picture.getpixel((x, y)) for x in range(13)] for y in range(7)] == pixels
    image = Image.effect_noise((40, 30), 90).convert("RGB")
    assert pixels_of(saved(image, "PNG")) == [[image.getpixel((x, y)) for x in range(40)] for y in range(30)]


@pytest.mark.parametrize("interlaced", [False, True], ids=["row by row", "interlaced"])
@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize(("colour", "depth"), [(colour, depth) for colour, (_, depths) in COLOURS.items() for depth in depths])
def test_every_sample_keeps_its_value(colour: int, depth: int, degrees: int, interlaced: bool, tmp_path: Path) -> None:
    pixels = noise(13, 7, depth, colour)
    before = png_of(pixels, depth, colour, interlaced=interlaced)
    after = rotate(before, tmp_path, degrees=degrees)
    assert pixels_of(after) == turned(pixels, degrees)
    assert struct.unpack(">IIBBBBB", one(after, b"IHDR"))[2:] == (depth, colour, 0, 0, 0)
    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        assert new.mode == old.mode
        assert new.tobytes() == old.transpose(CLOCKWISE[degrees]).tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (300, 2)])
def test_narrow_pictures_too(size: tuple[int, int], tmp_path: Path) -> None:
    for colour, depth in ((0, 1), (3, 4), (2, 16), (6, 16)):
        pixels = noise(*size, depth, colour)
        assert pixels_of(rotate(png_of(pixels, depth, colour), tmp_path)) == turned(pixels, 90)


EXTRA = {
    b"gAMA": (45455).to_bytes(4, "big"),
    b"cHRM": bytes(range(32)),
    b"sRGB": b"\0",
    b"iCCP": b"sRGB\0\0" + zlib.compress(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
    b"sBIT": b"\x05\x06\x05",
    b"bKGD": b"\0\x01\0\x02\0\x03",
    b"tRNS": b"\0\x07\0\x08\0\x09",
    b"cICP": b"\x01\x0d\0\x01",
    b"tIME": bytes(range(7)),
    b"tEXt": b"Author\0Zo\xe9",
    b"zTXt": b"Comment\0\0" + zlib.compress(b"long " * 99),
    b"iTXt": "Title\0\0\0fr\0Titre\0Été".encode(),
    b"prVt": b"somebody's own, safe to copy",
}


@pytest.mark.parametrize("kind", EXTRA)
def test_profile_transparency_and_texts_are_kept_byte_for_byte(kind: bytes, tmp_path: Path) -> None:
    before = png_of(noise(5, 4, 8, 2), 8, 2, extra=chunk(kind, EXTRA[kind]))
    after = rotate(before, tmp_path)
    assert one(after, kind) == EXTRA[kind]
    assert [found for found, _ in chunks(after)] == [b"IHDR", kind, b"IDAT", b"IEND"]


def test_palette_and_its_transparency_are_kept(tmp_path: Path) -> None:
    before = png_of(noise(5, 4, 4, 3), 4, 3, extra=chunk(b"tRNS", bytes(range(16))))
    after = rotate(before, tmp_path)
    assert (one(after, b"PLTE"), one(after, b"tRNS")) == (one(before, b"PLTE"), bytes(range(16)))


def test_a_level_of_low_grey_stays_transparent(tmp_path: Path) -> None:
    pixels = noise(9, 5, 2, 0)
    after = rotate(png_of(pixels, 2, 0, extra=chunk(b"tRNS", b"\0\x03")), tmp_path)
    assert (pixels_of(after), one(after, b"tRNS")) == (turned(pixels, 90), b"\0\x03")


def test_chunks_that_depend_on_the_pixels_in_ways_nobody_knows_are_dropped(tmp_path: Path) -> None:
    before = png_of(noise(5, 4, 8, 2), 8, 2, extra=chunk(b"iDOT", bytes(28)))  # Apple's: where in the stream the halves begin
    assert b"iDOT" not in dict(chunks(rotate(before, tmp_path)))


@pytest.mark.parametrize(("degrees", "expected"), [(90, (150, 300)), (180, (300, 150)), (270, (150, 300))])
def test_the_resolution_is_swapped_with_the_sides(degrees: int, expected: tuple[int, int], tmp_path: Path) -> None:
    after = rotate(saved(Image.new("RGB", (6, 4)), "PNG", dpi=(300, 150)), tmp_path, degrees=degrees)
    with Image.open(io.BytesIO(after)) as picture:
        assert picture.info["dpi"] == pytest.approx(expected, abs=0.05)


def with_exif(picture: Image.Image, orientation: int | None) -> bytes:
    tags = Image.Exif()
    tags[0x010F] = "Maker"
    if orientation is not None:
        tags[0x0112] = orientation
    return saved(picture, "PNG", exif=tags)


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_exif_orientation_is_applied_and_then_the_rotation(orientation: int, degrees: int, tmp_path: Path) -> None:
    before = with_exif(Image.effect_noise((9, 6), 90).convert("RGB"), orientation)
    after = rotate(before, tmp_path, degrees=degrees)
    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        expected = ImageOps.exif_transpose(old).transpose(CLOCKWISE[degrees])
        assert new.size == expected.size
        assert new.tobytes() == expected.tobytes(), "also where EXIF is not honoured"
        assert new.getexif()[0x0112] == 1
        assert new.getexif()[0x010F] == "Maker"


def test_exif_without_orientation_is_kept_byte_for_byte(tmp_path: Path) -> None:
    before = with_exif(Image.new("RGB", (9, 6)), None)
    assert one(rotate(before, tmp_path), b"eXIf") == one(before, b"eXIf")


def test_exif_behind_the_pixels_counts_as_well(tmp_path: Path) -> None:
    pixels = noise(5, 4, 8, 2)
    plain = png_of(pixels, 8, 2)
    before = plain[:-12] + chunk(b"eXIf", exif.made(6)) + plain[-12:]
    assert pixels_of(rotate(before, tmp_path)) == turned(pixels, 180)


def test_bytes_after_the_end_are_kept(tmp_path: Path) -> None:
    before = png_of(noise(5, 4, 8, 2), 8, 2)
    assert rotate(before + b"and more", tmp_path) == rotate(before, tmp_path) + b"and more"


def animation() -> bytes:
    """Three frames; the second and the third change a part of the picture only."""
    frames = [Image.effect_noise((12, 8), 90).convert("RGBA")]
    for place, size in (((2, 1), (5, 3)), ((7, 5), (4, 3))):
        frames.append(frames[-1].copy())
        frames[-1].paste(Image.effect_noise(size, 90).convert("RGBA"), place)
    return saved(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=[100, 200, 300], loop=2)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_all_frames_of_an_animation_are_rotated(degrees: int, tmp_path: Path) -> None:
    before = animation()
    after = rotate(before, tmp_path, degrees=degrees)
    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        assert (new.n_frames, new.info["loop"]) == (old.n_frames, old.info["loop"]) == (3, 2)
        for number in range(3):
            old.seek(number)
            new.seek(number)
            assert new.info["duration"] == old.info["duration"]
            assert new.tobytes() == old.transpose(CLOCKWISE[degrees]).tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_parts_of_an_animation_move_with_a_mirrored_picture(orientation: int, tmp_path: Path) -> None:
    plain = animation()
    before = plain[:33] + chunk(b"eXIf", exif.made(orientation)) + plain[33:]
    after = rotate(before, tmp_path)
    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        for number in range(3):
            old.seek(number)
            new.seek(number)
            expected = old.copy()
            expected.info["exif"] = b"Exif\0\0" + exif.made(orientation)
            assert new.tobytes() == ImageOps.exif_transpose(expected).transpose(CLOCKWISE[90]).tobytes()


def test_a_frame_outside_of_its_picture_is_unreadable(tmp_path: Path) -> None:
    content = bytearray(animation())
    place = content.rindex(b"fcTL")
    content[place + 16 : place + 20] = (100).to_bytes(4, "big")
    data = bytes(content[place + 4 : place + 30])
    content[place - 4 : place + 34] = chunk(b"fcTL", data)
    with pytest.raises(EngineError) as failure:
        rotate(bytes(content), tmp_path)
    assert failure.value.reason == Reason.DOCUMENT_UNREADABLE


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9])
def test_a_truncated_png_is_unreadable(share: float, tmp_path: Path) -> None:
    whole = saved(Image.effect_noise((200, 200), 80), "PNG")
    with pytest.raises(EngineError, match="cannot be read") as failure:
        rotate(whole[: int(len(whole) * share)], tmp_path)
    assert failure.value.reason == Reason.DOCUMENT_UNREADABLE


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    whole = png_of(noise(50, 40, 8, 2), 8, 2)
    for place in (*range(8, 41), *range(60, len(whole), 97), *range(len(whole) - 20, len(whole))):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        with pytest.raises(EngineError) as failure:
            rotate(bytes(damaged), tmp_path)
        assert failure.value.reason in {Reason.DOCUMENT_UNREADABLE, Reason.PROCESSING_TOO_LARGE}


def test_a_picture_of_too_many_pixels_is_too_large(tmp_path: Path) -> None:
    bomb = SIGNATURE + header(30_000, 30_000, 1, 0) + chunk(b"IDAT", zlib.compress(bytes(3751))) + chunk(b"IEND", b"")
    with pytest.raises(EngineError, match="89 megapixels") as failure:
        rotate(bomb, tmp_path)
    assert failure.value.reason == Reason.PROCESSING_TOO_LARGE


def test_an_animation_of_too_many_pixels_in_all_is_too_large(tmp_path: Path) -> None:
    side = 4000
    stream = zlib.compress(bytes(side * (side // 8 + 1)))
    frames = b""
    for number in range(7):
        control = struct.pack(">IIIIIHHBB", 2 * number, side, side, 0, 0, 1, 10, 0, 0)
        frames += chunk(b"fcTL", control) + chunk(b"fdAT", struct.pack(">I", 2 * number + 1) + stream)
    bomb = SIGNATURE + header(side, side, 1, 0) + chunk(b"acTL", struct.pack(">II", 7, 0)) + chunk(b"IDAT", stream)
    with pytest.raises(EngineError) as failure:
        rotate(bomb + frames + chunk(b"IEND", b""), tmp_path)
    assert failure.value.reason == Reason.PROCESSING_TOO_LARGE


def test_the_text_of_a_saved_picture_can_still_be_read(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Title", "Été", lang="fr", zip=True)
    after = rotate(saved(Image.new("L", (3, 2)), "PNG", pnginfo=info), tmp_path)
    with Image.open(io.BytesIO(after)) as picture:
        assert picture.text == {"Title": "Été"}
