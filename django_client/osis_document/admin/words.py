"""What can be chosen in the filters, and how it is called."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import TextChoices
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _
from google.protobuf.message import Message

from ..services import times

#: What is shown where there is nothing.
NOTHING = "–"


class JobState(TextChoices):
    """How a post-processing, an action or a task stands."""

    PENDING = "PENDING", _("Pending")
    RUNNING = "RUNNING", _("Running")
    DONE = "DONE", _("Done")
    FAILED = "FAILED", _("Failed")
    CANCELLED = "CANCELLED", _("Cancelled")


class JobType(TextChoices):
    """What an action does."""

    CONVERT = "CONVERT", _("Convert to PDF")
    MERGE = "MERGE", _("Merge")
    ROTATE = "ROTATE", _("Rotate an image")
    EDIT = "EDIT", _("Edit a PDF")


class YesNo(TextChoices):
    """An answer."""

    YES = "yes", _("Yes")
    NO = "no", _("No")


def label(kind: type[TextChoices], name: str, prefix: str) -> str:
    """The label of a value of the contract, by its name there; the name itself where it is newer than this app."""
    word = name.removeprefix(prefix)
    return str(kind(word).label) if word in kind.values else word


def yes_no(value: bool) -> str:
    """Yes or no."""
    return str((YesNo.YES if value else YesNo.NO).label)


def moment(message: Message, field: str) -> str:
    """When something was or will be, in the language and the time zone of the user."""
    if not message.HasField(field):
        return NOTHING
    found: Any = getattr(message, field)
    return local(times.moment(found))


def local(when: datetime) -> str:
    """A moment, in the language and the time zone of the user."""
    return str(formats.date_format(timezone.localtime(when), "DATETIME_FORMAT"))
