"""The seed's models, as written there."""

import uuid as uuids
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from osis_document.contrib import FileField
from osis_document.enums import PageFormatEnums, PostProcessingType


def place_of(instance: Any, filename: str) -> str:
    """A function (instance, filename) -> path."""
    return f"admission/{instance.uuid}/{filename}"


class MyModel(models.Model):
    """All three fields of the seed's model, and one whose place is a function."""

    uuid = models.UUIDField(default=uuids.uuid4, unique=True)
    files = FileField(
        verbose_name=_("ID card"),
        max_size=True,
        upload_button_text="",
        upload_text="",
        min_files=1,
        max_files=2,
        mimetypes=["application/pdf", "image/png", "image/jpeg"],
        can_edit_filename=False,
        automatic_upload=False,
        upload_to="",
        blank=True,
    )
    dossier = FileField(
        post_processing=[PostProcessingType.CONVERT.name, PostProcessingType.MERGE.name],
        async_post_processing=False,
        post_process_params={
            PostProcessingType.CONVERT.name: {"output_filename": "convert_filename"},
            PostProcessingType.MERGE.name: {"pages_dimension": PageFormatEnums.A4.name, "output_filename": "merge_filename"},
        },
        blank=True,
    )
    portrait = FileField(with_cropping=True, cropping_options={"aspectRatio": 16 / 9}, blank=True)
    placed = FileField(upload_to=place_of, blank=True)
    file = FileField(blank=True)
    another_file = FileField(blank=True)
