"""Pictures that look different from every side, and how they look."""

import io

from PIL import Image, ImageChops, ImageOps

#: Sizes that JPEG's blocks of 16 pixels divide, so that turning loses nothing.
WIDTH, HEIGHT = 96, 64

_TURNS = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


def picture(kind: str = "PNG", *, width: int = WIDTH, height: int = HEIGHT, mode: str = "RGB", **options: object) -> bytes:
    """A picture with another colour in each quarter, as PNG or JPEG."""
    image = Image.new("RGB", (width, height), "navy")
    image.paste("gold", (0, 0, width // 2, height // 2))
    image.paste("crimson", (width // 2, 0, width, height // 2))
    image.paste("teal", (0, height // 2, width // 2, height))
    file = io.BytesIO()
    image.convert(mode).save(file, kind, **options)
    return file.getvalue()


def shown(content: bytes) -> Image.Image:
    """A picture as people see it: upright, whatever its EXIF orientation."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return ImageOps.exif_transpose(image).convert("RGB")


def turned(content: bytes, degrees: int) -> Image.Image:
    """A picture as people see it after it was turned by so many degrees clockwise."""
    image = shown(content)
    return image.transpose(_TURNS[degrees % 360]) if degrees % 360 else image


def are_equal(one: Image.Image, other: Image.Image) -> bool:
    """True if every pixel is the same."""
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


def largest_difference(one: Image.Image, other: Image.Image) -> int:
    """By how much the two differ at most in any channel of any pixel; 255 if their sizes differ."""
    if one.size != other.size:
        return 255
    return max(highest for _, highest in ImageChops.difference(one, other).getextrema())
