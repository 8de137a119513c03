"""Logical paths: where documents are listed, by the `upload_to` of model fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, FieldError, ObjectDoesNotExist, ValidationError
from django.db import DataError
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from ..exceptions import FormatInvalidException

#: A folder, with `strftime` directives if wanted; or a function of an instance (None where there is none) and the file's name
#: that answers the whole path.
UploadTo = str | Callable[[Any, str], str]


def resolve(
    filename: str,
    *,
    upload_to: UploadTo | None = None,
    related_model: Mapping[str, Any] | None = None,
    instance: Model | None = None,
) -> str:
    """The logical path of a file.

    Args:
        filename: the file's name; only functions need it.
        upload_to: where to, if it is known.
        related_model: `{"app", "model", "field"}` of the field whose `upload_to` holds otherwise; it is not changed.
        instance: what a function gets. By default the instance that `instance_filters` of the related model find.

    Returns:
        A folder, which ends in a slash; a function's path; or "" where nothing says anything.

    Raises:
        FormatInvalidException: there is no such field or no such instance, or the function needs one.
    """
    if not upload_to and related_model:
        model = _model(related_model)
        upload_to = _upload_to(model, related_model)
        if callable(upload_to) and instance is None:
            instance = _instance(model, related_model)
    if callable(upload_to):
        return _called(upload_to, instance, filename)
    return folder(upload_to or "")


def folder(upload_to: str) -> str:
    """A folder of now: its `strftime` directives are replaced, and it ends in a slash; "" stays so."""
    name = now().strftime(upload_to) if "%" in upload_to else upload_to
    stripped = name.rstrip("/")
    return stripped + "/" if stripped else ""


def now() -> datetime:
    """The time of the project's time zone."""
    return timezone.localtime() if timezone.is_aware(timezone.now()) else timezone.now()


def needs_name(upload_to: UploadTo | None, related_model: Mapping[str, Any] | None) -> bool:
    """Whether the path is made by a function, which gets the file's name."""
    if upload_to or not related_model:
        return callable(upload_to)
    return callable(_upload_to(_model(related_model), related_model))


def is_installed(related_model: Mapping[str, Any]) -> bool:
    """Whether the related model is one of this project.

    Raises:
        FormatInvalidException: it is not described by `app`, `model` and `field`.
    """
    try:
        apps.get_model(_text(related_model, "app"), _text(related_model, "model"))
    except LookupError:
        return False
    return True


def with_filters(related_model: Mapping[str, Any], instance: Model | None) -> dict[str, Any]:
    """The related model as another server understands it: with `instance_filters`, made of `instance_filter_fields` and the
    instance. What is given is not changed."""
    described = {key: value for key, value in related_model.items() if key != "instance_filter_fields"}
    names = related_model.get("instance_filter_fields")
    if instance is not None and names:
        described["instance_filters"] = {name: getattr(instance, name) for name in names}
    return described


def _model(related_model: Mapping[str, Any]) -> type[Model]:
    try:
        return apps.get_model(_text(related_model, "app"), _text(related_model, "model"))
    except LookupError as exc:
        raise FormatInvalidException(_("There is no such related model.")) from exc


def _upload_to(model: type[Model], related_model: Mapping[str, Any]) -> UploadTo:
    try:
        field = model._meta.get_field(_text(related_model, "field"))
    except FieldDoesNotExist as exc:
        raise FormatInvalidException(_("The related model has no such field.")) from exc
    upload_to: UploadTo = getattr(field, "upload_to", "") or ""
    return upload_to


def _instance(model: type[Model], related_model: Mapping[str, Any]) -> Model | None:
    filters = related_model.get("instance_filters")
    if not filters:
        return None
    try:
        return model._default_manager.get(**filters)
    except (ObjectDoesNotExist, model.MultipleObjectsReturned) as exc:
        raise FormatInvalidException(_("There is not exactly one such instance of the related model.")) from exc
    except (DataError, FieldError, OverflowError, TypeError, ValueError, ValidationError) as exc:
        raise FormatInvalidException(_("The related model cannot be filtered like that.")) from exc


def _called(function: Callable[[Any, str], str], instance: Model | None, filename: str) -> str:
    try:
        return str(function(instance, filename))
    except AttributeError as exc:
        if instance is not None:
            raise
        raise FormatInvalidException(
            _("The path of the file depends on an instance of the related model; say which by instance_filters.")
        ) from exc


def _text(related_model: Mapping[str, Any], key: str) -> str:
    value = related_model.get(key) if isinstance(related_model, Mapping) else None
    if not isinstance(value, str) or not value:
        raise FormatInvalidException(_("A related model is described by its app, its model and its field."))
    return value
