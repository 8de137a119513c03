"""What a host keeps documents with."""

import uuid
from typing import Any

from django.db import models

from osis_document.contrib.fields import FileField


class Dossier(models.Model):
    """Files of all kinds."""

    title = models.CharField(max_length=100, blank=True)
    files = FileField(blank=True, upload_to="dossiers/%Y")
    others = FileField(blank=True, null=True)


def path_of(instance: Any, filename: str) -> str:
    """Where a person's files are listed."""
    return f"persons/{instance.number}/{filename}"


def keys_of(instance: Any) -> dict[str, Any]:
    """What is kept with a person's files."""
    return {"person": instance.number}


class Person(models.Model):
    """Somebody with an identity card, whose documents are listed by the person."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    number = models.CharField(max_length=20)
    card = FileField(
        max_files=2,
        min_files=1,
        max_size=1_000,
        mimetypes=["application/pdf", "text/plain"],
        upload_to=path_of,
        build_metadata_fn=keys_of,
        upload_button_text="Choose",
    )


class Student(Person):
    """A person with a report of their own table."""

    report = FileField(blank=True, document_expiration_policy="EXPORT_EXPIRATION_POLICY")


class Publication(models.Model):
    """Files that are joined to one PDF when they change."""

    title = models.CharField(max_length=100, blank=True)
    parts = FileField(
        blank=True,
        post_processing=["CONVERT", "MERGE"],
        async_post_processing=True,
        output_post_processing="MERGE",
        post_process_params={"MERGE": {"output_filename": "publication"}, "CONVERT": {}},
    )


class Bundle(models.Model):
    """PDFs that are joined before `save()` returns."""

    parts = FileField(post_processing=["MERGE"], post_process_params={"MERGE": {"output_filename": "bundle"}})
