"""Makes the three documents of the demo on the spot: a Word document, a photo and a text."""

import io
from dataclasses import dataclass
from pathlib import Path

from docx import Document
from docx.shared import Cm
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from PIL.ExifTags import Base

#: As a camera held upright stores it: lying on its side, with a note to turn it by a quarter clockwise.
PHOTO_PIXELS = (3000, 2000)
ORIENTATION_TURN_CLOCKWISE = 6
PHOTO_DPI = 300

TEXT = """\
Déclaration sur l'honneur

Je soussignée, Zoë Müller-Fañez, née à Liège, déclare que les pièces jointes à cette demande
sont complètes et sincères : diplôme, photo d'identité et relevé de notes.

Fait à Louvain-la-Neuve, l'été venu, où l'œuvre naît du cœur à l'ouvrage.
Naïveté, forêt, garçon, señor, Straße, žluťoučký kůň, 15 € tout compris.
"""

COURSES = [("Algorithmique", 5, "16/20"), ("Analyse mathématique", 6, "14/20"), ("Réseaux informatiques", 4, "17/20")]


@dataclass(frozen=True)
class Sample:
    """A document of the demo, and what must be found of it in the merged PDF."""

    path: Path

    pages: int
    """How many pages it makes."""

    phrases: tuple[str, ...] = ()
    """Text that is on them."""


def make_documents(folder: Path) -> list[Sample]:
    """Writes the documents into ``folder`` and answers them in the order in which they are to be merged."""
    return [_word_document(folder / "dossier.docx"), _photo(folder / "photo.jpg"), _text(folder / "déclaration.txt")]


def _word_document(path: Path) -> Sample:
    document = Document()
    document.add_heading("Dossier d'admission", level=0)
    document.add_heading("Relevé de notes", level=1)
    document.add_paragraph("Ce document a été rédigé pour la démonstration, avec un tableau et une image.")
    table = document.add_table(rows=1, cols=3, style="Light Grid Accent 1")
    for cell, title in zip(table.rows[0].cells, ("Cours", "Crédits", "Note"), strict=True):
        cell.text = title
    for course in COURSES:
        for cell, value in zip(table.add_row().cells, course, strict=True):
            cell.text = str(value)
    document.add_heading("Résultats en image", level=1).paragraph_format.page_break_before = True
    document.add_picture(_bar_chart(), width=Cm(12))
    document.save(str(path))
    return Sample(
        path, pages=2, phrases=("Dossier d'admission", "Relevé de notes", "Réseaux informatiques", "Résultats en image")
    )


def _bar_chart() -> io.BytesIO:
    """A bar for each course, as a PNG."""
    chart = Image.new("RGB", (900, 500), "white")
    draw = ImageDraw.Draw(chart)
    for index, (_, _, grade) in enumerate(COURSES):
        left = 90 + index * 270
        draw.rectangle(
            (left, 440 - int(grade.partition("/")[0]) * 20, left + 180, 440), fill=("#2a6f97", "#61a5c2", "#f4a261")[index]
        )
    draw.line((60, 30, 60, 440, 860, 440), fill="black", width=4)
    target = io.BytesIO()
    chart.save(target, "PNG")
    target.seek(0)
    return target


def _photo(path: Path) -> Sample:
    """A house under the setting sun, with the Exif data of a camera."""
    exif = Image.Exif()
    exif[Base.Make] = "osis-document"
    exif[Base.Model] = "Demo 1"
    exif[Base.Orientation] = ORIENTATION_TURN_CLOCKWISE
    exif[Base.DateTime] = "2026:06:21 21:30:00"
    exif[Base.ImageDescription] = "A house under the setting sun"
    as_stored = _evening_scene(*reversed(PHOTO_PIXELS)).transpose(Image.Transpose.ROTATE_90)
    as_stored.save(path, "JPEG", quality=90, dpi=(PHOTO_DPI, PHOTO_DPI), exif=exif)
    return Sample(path, pages=1)


def _evening_scene(width: int, height: int) -> Image.Image:
    horizon = height * 2 // 3
    fade = Image.linear_gradient("L")  # from black at the top to white at the bottom
    scene = Image.new("RGB", (width, height))
    scene.paste(ImageOps.colorize(fade, "#1d3557", "#ffb703", mid="#e76f51").resize((width, horizon)), (0, 0))

    glow = Image.radial_gradient("L").point(lambda distance: 320 - distance * 5 // 2)
    glow = glow.resize((width // 2, width // 2))
    scene.paste(Image.new("RGB", glow.size, "#ffe8a3"), (width // 8, horizon - glow.height * 2 // 3), glow)
    scene.paste(ImageOps.colorize(fade, "#588157", "#1b2e1d").resize((width, height - horizon)), (0, horizon))

    hills = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(hills)
    draw.ellipse((-width // 2, horizon - height // 12, width * 3 // 4, height * 2), fill=255)
    draw.ellipse((width // 3, horizon - height // 9, width * 3 // 2, height * 2), fill=255)
    scene.paste(
        ImageOps.colorize(fade, "#6a994e", "#14281d").resize((width, height)), (0, 0), hills.filter(ImageFilter.BoxBlur(3))
    )

    left, right, top, bottom = width // 2, width * 5 // 6, height * 5 // 8, height * 5 // 6
    draw = ImageDraw.Draw(scene)
    draw.rectangle((left, top, right, bottom), fill="#f1e3d3")
    draw.polygon(((left - 60, top), ((left + right) // 2, top - height // 9), (right + 60, top)), fill="#9d0208")
    draw.rectangle(((left + right) // 2 - 90, bottom - 330, (left + right) // 2 + 90, bottom), fill="#5c3d2e")
    for window in (left + 70, right - 220):
        draw.rectangle((window, top + 90, window + 150, top + 260), fill="#ffd166", outline="#5c3d2e", width=12)

    grain = Image.effect_noise((width, height), 40).convert("RGB")  # photos have some, and their files a size
    return Image.blend(scene, grain, 0.1)


def _text(path: Path) -> Sample:
    path.write_text(TEXT, encoding="utf-8")
    return Sample(path, pages=1, phrases=("Zoë Müller-Fañez", "l'œuvre naît du cœur", "žluťoučký kůň", "15 €"))
