"""Applications for admission, and the documents that they come with."""

import uuid

from django.db import models
from django.urls import reverse

from osis_document.contrib import FileField
from osis_document.enums import PageFormatEnums, PostProcessingType


def place_of(application: "Application", filename: str) -> str:
    """The path under which an application's identity card is listed."""
    return f"admission/{application.uuid}/{filename}"


class Application(models.Model):
    """Somebody who wants to study."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    identity_card = FileField(
        max_files=2,
        mimetypes=["application/pdf", "image/png", "image/jpeg"],
        upload_to=place_of,
        help_text="Both sides: one PDF, or two pictures.",
    )
    portrait = FileField(
        blank=True,
        max_files=1,
        mimetypes=["image/png", "image/jpeg"],
        with_cropping=True,
        cropping_options={"aspectRatio": 3 / 4},
        upload_to="admission/%Y/%m",
        help_text="Your face. You choose the part of the picture that is used.",
    )
    documents = FileField(
        blank=True,
        upload_to="admission/%Y/%m",
        post_processing=[PostProcessingType.CONVERT.name, PostProcessingType.MERGE.name],
        async_post_processing=True,
        post_process_params={
            PostProcessingType.CONVERT.name: {},
            PostProcessingType.MERGE.name: {"pages_dimension": PageFormatEnums.A4.name, "output_filename": "file"},
        },
        help_text="Letters, certificates, pictures. They are joined to one PDF of A4 pages.",
    )

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("application", args=[self.pk])
