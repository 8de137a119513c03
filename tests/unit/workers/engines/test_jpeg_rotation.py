from __future__ import annotations

import io
import struct
from pathlib import Path

import piexif
import pytest
from PIL import Image, ImageCms, ImageOps

from osis_document_workers.engines import exif, image_rotation
from osis_document_workers.engines.errors import EngineError, Reason
from osis_document_workers.engines.registry import JPEG

from .conftest import saved, with_orientation

CLOCKWISE = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
XMP = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def rotate(content: bytes, folder: Path, *, degrees: int = 90) -> bytes:
    source, target = folder / "picture", folder / "rotated"
    source.write_bytes(content)
    image_rotation.rotate(source, target, mime_type=JPEG, degrees=degrees)
    return target.read_bytes()


def shown(jpeg: bytes) -> Image.Image:
    """The picture as a viewer that honours EXIF shows it."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        return ImageOps.exif_transpose(picture)


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def after_start(jpeg: bytes, inserted: bytes) -> bytes:
    return jpeg[:2] + inserted + jpeg[2:]


def exif_segments(jpeg: bytes) -> list[bytes]:
    """The payloads of all EXIF segments before the first scan."""
    found, place = [], 2
    while jpeg[place + 1] != 0xDA:
        size = struct.unpack(">H", jpeg[place + 2 : place + 4])[0]
        if jpeg[place + 1] == 0xE1 and jpeg[place + 4 :].startswith(b"Exif\0\0"):
            found.append(jpeg[place + 4 : place + 2 + size])
        place += 2 + size
    return found


def from_first_scan(jpeg: bytes) -> bytes:
    """The entropy-coded data and all that follows."""
    return jpeg[jpeg.index(b"\xff\xda") :]


def differing(before: bytes, after: bytes) -> list[int]:
    assert len(before) == len(after)
    return [place for place, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]


@pytest.fixture(scope="session")
def photo() -> bytes:
    """Four corners of different colours, so that no rotation nor mirroring looks like another."""
    image = Image.new("RGB", (64, 48), "white")
    for color, place in (("red", (0, 0)), ("green", (48, 0)), ("blue", (0, 32))):
        image.paste(color, (*place, place[0] + 16, place[1] + 16))
    return saved(image, "JPEG", quality=95)


def camera_exif() -> dict[str, object]:
    """EXIF as a camera writes it: with a maker's note, a place, and a thumbnail that has an orientation of its own."""
    thumbnail = saved(Image.new("RGB", (16, 12), "red"), "JPEG")
    return {
        "0th": {piexif.ImageIFD.Make: b"Maker", piexif.ImageIFD.Software: b"odd", piexif.ImageIFD.XResolution: (72, 1)},
        "Exif": {piexif.ExifIFD.DateTimeOriginal: b"2026:01:02 03:04:05", piexif.ExifIFD.MakerNote: b"\x01\x02offset\xff" * 9},
        "GPS": {piexif.GPSIFD.GPSLatitudeRef: b"N"},
        "1st": {piexif.ImageIFD.Orientation: 8, piexif.ImageIFD.Make: b"thumb"},
        "thumbnail": thumbnail,
    }


def with_exif(jpeg: bytes, exif_dict: dict[str, object]) -> bytes:
    stream = io.BytesIO()
    piexif.insert(piexif.dump(exif_dict), jpeg, stream)
    return stream.getvalue()


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("orientation", [None, 1, 2, 3, 4, 5, 6, 7, 8])
def test_a_photo_is_shown_rotated_from_how_it_was_shown(
    orientation: int | None, degrees: int, photo: bytes, tmp_path: Path
) -> None:
    before = photo if orientation is None else with_orientation(photo, orientation)
    after = rotate(before, tmp_path, degrees=degrees)
    expected = shown(before).transpose(CLOCKWISE[degrees])
    assert shown(after).size == expected.size
    assert shown(after).tobytes() == expected.tobytes()
    assert from_first_scan(after) == from_first_scan(before)


def test_four_quarter_turns_give_the_file_back(photo: bytes, tmp_path: Path) -> None:
    before = after = with_orientation(photo, 1)
    for _ in range(4):
        after = rotate(after, tmp_path)
    assert after == before


@pytest.mark.parametrize("orientation", range(1, 9))
def test_nothing_but_the_orientation_changes(orientation: int, photo: bytes, tmp_path: Path) -> None:
    tags = camera_exif()
    tags["0th"][piexif.ImageIFD.Orientation] = orientation
    before = with_exif(photo, tags)
    after = rotate(before, tmp_path)
    [changed] = differing(before, after)
    assert before[changed] == orientation
    assert piexif.load(after)["1st"][piexif.ImageIFD.Orientation] == 8


def test_a_photo_without_exif_gets_a_segment_after_that_of_jfif_and_keeps_all_its_bytes(photo: bytes, tmp_path: Path) -> None:
    after = rotate(photo, tmp_path)
    made = segment(0xE1, b"Exif\0\0" + exif.made(6))
    jfif_end = 2 + 2 + struct.unpack(">H", photo[4:6])[0]
    assert after == photo[:jfif_end] + made + photo[jfif_end:]


def test_a_photo_without_any_segment_of_an_application_gets_one_first(photo: bytes, tmp_path: Path) -> None:
    jfif_end = 2 + 2 + struct.unpack(">H", photo[4:6])[0]
    bare = photo[:2] + photo[jfif_end:]
    after = rotate(bare, tmp_path)
    assert after == after_start(bare, segment(0xE1, b"Exif\0\0" + exif.made(6)))


@pytest.mark.parametrize("order", ["little-endian", "big-endian"])
@pytest.mark.parametrize("odd", [False, True], ids=["even length", "odd length"])
def test_exif_without_orientation_keeps_all_it_has(order: str, odd: bool, photo: bytes, tmp_path: Path) -> None:
    if order == "big-endian":
        block = piexif.dump(camera_exif())
    else:
        tags = Image.Exif()
        tags[0x010F] = "Maker"
        tags[0x0132] = "2026:01:02 03:04:05"
        tags.get_ifd(0x8769)[0x927C] = b"note" * 9
        block = tags.tobytes()
    block += b"\0" if len(block) % 2 == (0 if odd else 1) else b""
    before = after_start(photo, segment(0xE1, block))
    after = rotate(before, tmp_path)
    [old], [new] = exif_segments(before), exif_segments(after)
    assert differing(old, new[: len(old)]) != []  # the place of the first directory, and nothing else
    assert set(differing(old, new[: len(old)])) <= set(range(10, 14))
    assert before.replace(segment(0xE1, old), b"") == after.replace(segment(0xE1, new), b"")
    loaded = piexif.load(after)
    assert loaded["0th"].pop(piexif.ImageIFD.Orientation) == 6
    kept = piexif.load(before)
    assert (loaded["0th"], loaded["Exif"], loaded["GPS"], loaded["1st"], loaded["thumbnail"]) == (
        *(kept["0th"], kept["Exif"], kept["GPS"], kept["1st"], kept["thumbnail"]),
    )


def test_the_directory_stays_sorted(photo: bytes, tmp_path: Path) -> None:
    [block] = exif_segments(rotate(with_exif(photo, camera_exif()), tmp_path))
    tiff = block[6:]
    (start,) = struct.unpack(">I", tiff[4:8])
    (count,) = struct.unpack(">H", tiff[start : start + 2])
    tags = [struct.unpack(">H", tiff[start + 2 + 12 * i : start + 4 + 12 * i])[0] for i in range(count)]
    assert tags == sorted(tags)
    assert start % 2 == 0


@pytest.mark.parametrize("kind", [1, 3, 4], ids=["byte", "short", "long"])
def test_an_orientation_of_another_integer_type_counts(kind: int, photo: bytes, tmp_path: Path) -> None:
    value = {1: b"\x03\0\0\0", 3: struct.pack("<HH", 3, 0), 4: struct.pack("<I", 3)}[kind]
    tiff = b"II*\0" + struct.pack("<IHHHI", 8, 1, 0x0112, kind, 1) + value + bytes(4)
    after = rotate(after_start(photo, segment(0xE1, b"Exif\0\0" + tiff)), tmp_path)
    assert shown(after).tobytes() == shown(photo).transpose(CLOCKWISE[270]).tobytes()


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_counts_as_none(value: int, photo: bytes, tmp_path: Path) -> None:
    after = rotate(with_orientation(photo, value), tmp_path)
    assert shown(after).tobytes() == shown(photo).transpose(CLOCKWISE[90]).tobytes()


DAMAGED = {
    "no byte order": b"Exif\0\0garbage",
    "empty": b"Exif\0\0",
    "directory beyond the end": b"Exif\0\0II*\0" + struct.pack("<I", 4000) + bytes(20),
    "more entries than there is room for": b"Exif\0\0II*\0" + struct.pack("<IH", 8, 900) + bytes(20),
    "directory in the header": b"Exif\0\0MM\0*" + bytes(20),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_exif_does_not_keep_a_photo_from_being_rotated(damage: str, photo: bytes, tmp_path: Path) -> None:
    before = after_start(photo, segment(0xE1, DAMAGED[damage]))
    after = rotate(before, tmp_path)
    assert exif.orientation_of(exif_segments(after)[0][6:]) == 6
    assert after.replace(segment(0xE1, b"Exif\0\0" + exif.made(6)), b"") == before


def test_exif_that_fills_its_segment_does_not_keep_a_photo_from_being_rotated(photo: bytes, tmp_path: Path) -> None:
    block = piexif.dump(camera_exif()).ljust(65_533, b"\0")
    before = after_start(photo, segment(0xE1, block))
    after = rotate(before, tmp_path)
    assert shown(after).tobytes() == shown(photo).transpose(CLOCKWISE[90]).tobytes()
    assert after.replace(segment(0xE1, b"Exif\0\0" + exif.made(6)), b"") == before


def test_exif_that_goes_on_in_a_second_segment_is_not_torn_apart(photo: bytes, tmp_path: Path) -> None:
    block = piexif.dump(camera_exif())
    first, second = segment(0xE1, block[:100]), segment(0xE1, b"Exif\0\0" + block[100:])
    after = rotate(after_start(photo, first + second), tmp_path)
    assert first + second in after
    assert shown(after).tobytes() == shown(photo).transpose(CLOCKWISE[90]).tobytes()


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def kinds(photo: bytes) -> dict[str, bytes]:
    with Image.open(io.BytesIO(photo)) as opened:
        picture = opened.convert("RGB")
    return {
        "grey": saved(picture.convert("L"), "JPEG"),
        "cmyk by Adobe": saved(picture.convert("CMYK"), "JPEG"),
        "progressive": saved(picture, "JPEG", progressive=True),
        "subsampled, with restart markers": saved(picture, "JPEG", subsampling=2, restart_marker_blocks=1),
        "with a profile": saved(picture, "JPEG", icc_profile=profile()),
        "with XMP and Photoshop's data": after_start(photo, segment(0xE1, XMP) + segment(0xED, b"Photoshop 3.0\x008BIM")),
        "with a comment": saved(picture, "JPEG", comment=b"\xff\xdaoh"),
        "with bytes after its end": photo + b"\0trailer" * 100,
        "with fill bytes": after_start(photo, b"\xff\xff" + segment(0xE1, XMP)),
    }


@pytest.mark.parametrize("kind", kinds(saved(Image.new("RGB", (8, 8)), "JPEG")))
def test_every_kind_of_jpeg_keeps_all_its_bytes(kind: str, photo: bytes, tmp_path: Path) -> None:
    before = kinds(photo)[kind]
    after = rotate(before, tmp_path)
    assert after.replace(segment(0xE1, b"Exif\0\0" + exif.made(6)), b"") == before
    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        assert new.mode == old.mode
        assert new.info.get("icc_profile") == old.info.get("icc_profile")
        assert new.info.get("adobe_transform") == old.info.get("adobe_transform")
        assert new.tobytes() == old.tobytes()
        assert new.getexif()[0x0112] == 6


def mpo() -> bytes:
    frames = [Image.effect_noise((64, 48), 60 + 20 * number).convert("RGB") for number in range(3)]
    return saved(frames[0], "MPO", save_all=True, append_images=frames[1:])


def pictures_of(content: bytes) -> list[tuple[int, int]]:
    """Where the list of an MPO file says that its pictures are: from where in the file, how many bytes."""
    base = content.index(b"MPF\0") + 4
    with Image.open(io.BytesIO(content)) as picture:
        entries = picture.mpinfo[0xB002]
    return [(base + entry["DataOffset"] if entry["DataOffset"] else 0, entry["Size"]) for entry in entries]


@pytest.mark.parametrize("exif_first", [True, False])
def test_the_pictures_of_an_mpo_file_are_found_where_its_list_says(exif_first: bool, tmp_path: Path) -> None:
    before = mpo()
    if not exif_first:  # a segment behind the list that grows moves the other pictures away from it
        block = segment(0xE1, piexif.dump(camera_exif()))
        place = before.index(b"\xff\xdb")
        before = before[:place] + block + before[place:]
        before = with_moved_pictures(before, by=len(block))
    after = rotate(before, tmp_path)
    assert len(after) > len(before)
    old, new = pictures_of(before), pictures_of(after)
    assert len(new) == len(old) == 3
    for (old_place, old_size), (new_place, new_size) in zip(old[1:], new[1:], strict=True):
        assert after[new_place : new_place + new_size] == before[old_place : old_place + old_size]
    assert after[: new[0][1]].endswith(b"\xff\xd9")
    assert new[0][1] - old[0][1] == len(after) - len(before)
    assert shown(after).tobytes() == shown(before).transpose(CLOCKWISE[90]).tobytes()


def with_moved_pictures(content: bytes, *, by: int) -> bytes:
    """What a program that writes EXIF behind the list would have written."""
    changed = bytearray(content)
    base = content.index(b"MPF\0") + 4
    order = "<" if content[base : base + 2] == b"II" else ">"
    with Image.open(io.BytesIO(content)) as picture:
        entries = picture.mpinfo[0xB002]
    for number, entry in enumerate(entries):
        old = struct.pack(f"{order}II", entry["Size"], entry["DataOffset"])
        new = (entry["Size"] + by, 0) if number == 0 else (entry["Size"], entry["DataOffset"] + by)
        place = changed.index(old, base)
        changed[place : place + 8] = struct.pack(f"{order}II", *new)
    return bytes(changed)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9])
def test_a_truncated_jpeg_is_unreadable(share: float, tmp_path: Path) -> None:
    whole = saved(Image.effect_noise((200, 200), 80), "JPEG")
    with pytest.raises(EngineError, match="cannot be read") as failure:
        rotate(whole[: int(len(whole) * share)], tmp_path)
    assert failure.value.reason == Reason.DOCUMENT_UNREADABLE
    assert not failure.value.retryable


def test_another_type_than_it_claims_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as failure:
        rotate(saved(Image.new("RGB", (8, 8)), "PNG"), tmp_path)
    assert failure.value.reason == Reason.DOCUMENT_UNREADABLE


def test_a_type_that_cannot_be_rotated_is_told(tmp_path: Path) -> None:
    source = tmp_path / "picture"
    source.write_bytes(saved(Image.new("RGB", (8, 8)), "GIF"))
    with pytest.raises(EngineError, match="image/gif") as failure:
        image_rotation.rotate(source, tmp_path / "rotated", mime_type="image/gif", degrees=90)
    assert failure.value.reason == Reason.NOT_AN_IMAGE
