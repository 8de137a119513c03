"""The forms above the lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from google.protobuf.timestamp_pb2 import Timestamp

from ..enums import FileStatus
from ..services import times
from .words import JobState, JobType, YesNo

_ANY = ("", _("All"))
_LONGEST_PATH = 1_024
_DAYS = [MinValueValidator(date(1970, 1, 1)), MaxValueValidator(date(9000, 1, 1))]


class _DayField(forms.DateField):
    """A day, for which browsers show a calendar."""

    def __init__(self, label: Any) -> None:
        widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
        super().__init__(label=label, required=False, widget=widget, input_formats=["%Y-%m-%d"], validators=_DAYS)


class FilterForm(forms.Form):
    """What a list is narrowed down to; every field may be left empty."""

    q = forms.CharField(label=_("Name or UUID"), max_length=255, required=False)

    @property
    def identifier(self) -> UUID | None:
        """The UUID that is searched for; None if it is none."""
        try:
            return UUID(self.cleaned_data.get("q", ""))
        except ValueError:
            return None


class DocumentFilterForm(FilterForm):
    """Which documents are listed."""

    status = forms.ChoiceField(label=_("Status"), choices=[_ANY, *FileStatus.choices], required=False)
    type = forms.CharField(label=_("Media type"), max_length=255, required=False)
    path = forms.CharField(label=_("Path begins with"), max_length=_LONGEST_PATH, required=False)
    held = forms.ChoiceField(label=_("Waits to be made final"), choices=[_ANY, *YesNo.choices], required=False)
    corrupt = forms.ChoiceField(label=_("Damaged"), choices=[_ANY, *YesNo.choices], required=False)
    since = _DayField(_("From"))
    until = _DayField(_("Up to"))


class PostProcessingFilterForm(FilterForm):
    """Which post-processings are listed."""

    q = forms.UUIDField(label=_("UUID"), required=False, widget=AdminTextInputWidget)
    status = forms.ChoiceField(label=_("Status"), choices=[_ANY, *JobState.choices], required=False)
    type = forms.ChoiceField(label=_("Type"), choices=[_ANY, *JobType.choices], required=False)
    document = forms.UUIDField(label=_("UUID of a document"), required=False)
    since = _DayField(_("From"))
    until = _DayField(_("Up to"))

    @property
    def identifier(self) -> UUID | None:
        """The UUID that is searched for."""
        found: UUID | None = self.cleaned_data.get("q")
        return found


def yes_no(answer: str) -> bool | None:
    """What was chosen; None for either."""
    return (answer == YesNo.YES) if answer else None


def numbers(value: Callable[[str], Any], prefix: str, word: str) -> list[Any]:
    """The value of the contract that a word stands for; none for none."""
    return [value(prefix + word)] if word else []


def beginning(values: dict[str, Any], field: str, *, days_later: int = 0) -> Timestamp | None:
    """When the day begins that was given in a field, here; or so many days later."""
    day = values.get(field)
    if day is None:
        return None
    return times.timestamp(timezone.make_aware(datetime.combine(day + timedelta(days=days_later), time())))
