"""The field of Django REST framework; importing this module maps the model field to it in every `ModelSerializer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from rest_framework import serializers

from . import checking
from . import fields as model_fields
from .identifiers import as_uuid, stored_ids
from .options import UploadOptions, split_options


class FileField(serializers.ListField):
    """A list of documents: UUIDs out, tokens in.

    The UUIDs of documents that the instance has already are accepted, too, so that what was answered can be sent back; a nested
    serializer does not know its instance, and takes tokens alone. The model field of the same name says which files are taken,
    unless options are given here, and whether there may be none (`blank`), unless `allow_empty` is given.

    Args:
        **kwargs: the options of `UploadOptions`, and those of every list field.

    Raises:
        TypeError: an option has a value that it cannot have.
    """

    child = serializers.CharField()

    def __init__(self, **kwargs: Any) -> None:
        self.own_options = split_options(dict(kwargs))
        for problem in self.own_options.problems():
            raise TypeError(f"{type(self).__name__}: {problem}")
        for option in self.own_options.as_keywords():
            kwargs.pop(option, None)
        self._says_whether_empty = "allow_empty" in kwargs
        super().__init__(**kwargs)

    @property
    def options(self) -> UploadOptions:
        """Which files are taken."""
        if self.own_options != UploadOptions():
            return self.own_options
        field = self._model_field()
        return field.options if field is not None else self.own_options

    def to_internal_value(self, data: Any) -> list[str | UUID]:
        """The tokens, checked in one call.

        Raises:
            serializers.ValidationError: with a text for each that cannot be saved, in the user's language.
        """
        values: Sequence[str] = super().to_internal_value(data)
        kept = set(stored_ids(self._present()))
        self._check(values)
        staying = {value: found for value in values if (found := as_uuid(value)) is not None and found in kept}
        try:
            tokens = checking.checked([value for value in values if value not in staying], options=self.options, kept=kept)
        except ValidationError as exc:
            raise serializers.ValidationError(exc.messages) from exc
        checked = iter(tokens)
        return [staying[value] if value in staying else next(checked) for value in dict.fromkeys(values)]

    def to_representation(self, data: Any) -> list[str]:
        """The UUIDs, as text."""
        return [str(item) for item in data or ()]

    def _check(self, values: Sequence[str]) -> None:
        field = self._model_field()
        if not values and field is not None and not field.blank and not self._says_whether_empty:
            self.fail("empty")
        errors = model_fields.FileField.default_error_messages
        limits = self.options
        if limits.max_files and len(values) > limits.max_files:
            raise serializers.ValidationError(errors["max_files"] % {"limit": limits.max_files})
        if limits.min_files and len(values) < limits.min_files and (values or self.required):
            raise serializers.ValidationError(errors["min_files"] % {"limit": limits.min_files})

    def _present(self) -> Any:
        """What the instance has now."""
        instance = getattr(self.parent, "instance", None)
        return getattr(instance, self.source, None) if instance is not None and self.source else None

    def _model_field(self) -> model_fields.FileField | None:
        model = getattr(getattr(self.parent, "Meta", None), "model", None)
        if model is None or not self.source:
            return None
        found = next((field for field in model._meta.concrete_fields if field.name == self.source), None)
        return found if isinstance(found, model_fields.FileField) else None


#: The name that other modules know it by.
FileFieldSerializer = FileField

serializers.ModelSerializer.serializer_field_mapping[model_fields.FileField] = FileField
