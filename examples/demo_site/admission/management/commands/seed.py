"""Makes what there is to look at: a user for the admin, and an application with documents."""

import io
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from docx import Document
from PIL import Image, ImageDraw
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas

from admission.models import Application
from osis_document.utils import save_raw_upload


class Command(BaseCommand):
    """Does nothing the second time."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Makes them."""
        users = get_user_model().objects
        if not users.filter(username="admin").exists():
            users.create_superuser("admin", password="admin")  # noqa: S106 - as the demo says
        if Application.objects.exists():
            return
        card = save_raw_upload(_card(), "identity card.png", "image/png")
        letter = save_raw_upload(_letter(), "letter.docx", "")
        note = save_raw_upload(io.BytesIO(b"Seen on 23 November."), "note.txt", "text/plain")
        diploma = save_raw_upload(_diploma(), "diploma.pdf", "application/pdf")
        Application.objects.create(
            name="Zoë Müller-Fañez", identity_card=[card.token], documents=[letter.token, note.token, diploma.token]
        )


def _card() -> io.BytesIO:
    picture = Image.new("RGB", (860, 540), "#dfe7ee")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 40, 300, 380), fill="#9fb3c4")
    draw.text((340, 60), "IDENTITY CARD\n\nZoë Müller-Fañez\n\nLiège, 1999", fill="#16324a", font_size=44)
    file = io.BytesIO()
    picture.save(file, "PNG", dpi=(254, 254))
    file.seek(0)
    return file


def _diploma() -> io.BytesIO:
    file = io.BytesIO()
    pages = canvas.Canvas(file, pagesize=A4)
    for title in ("Diploma", "Transcript of records", "Supplement"):
        pages.setFont("Helvetica-Bold", 28)
        pages.drawString(72, 740, title)
        pages.setFont("Helvetica", 14)
        pages.drawString(72, 700, "This is to certify that Zoë Müller-Fañez has passed all examinations.")
        pages.showPage()
    pages.save()
    file.seek(0)
    return file


def _letter() -> io.BytesIO:
    document = Document()
    document.add_heading("Application", level=1)
    document.add_paragraph("I should like to study computer science, from September on.")
    file = io.BytesIO()
    document.save(file)
    file.seek(0)
    return file
