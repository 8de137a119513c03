"""What callers send as JSON. Every key may be null, and unknown ones are passed over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from osis_document.enums import DocumentExpirationPolicy, PostProcessingType, PostProcessingWanted


@extend_schema_field(OpenApiTypes.UUID)
class UuidField(serializers.CharField):
    """A UUID, kept in the caller's own writing: answers name it like that."""

    def to_internal_value(self, data: Any) -> str:
        """Raises `ValidationError` for what is no UUID."""
        text = super().to_internal_value(data)
        try:
            UUID(text)
        except ValueError:
            raise serializers.ValidationError(_("This is not a UUID.")) from None
        return text


@extend_schema_field(OpenApiTypes.NUMBER)
class SecondsField(serializers.Field[Any, Any, Any, Any]):
    """A number of seconds, and no text that looks like one."""

    def to_internal_value(self, data: Any) -> float:
        """Raises `ValidationError` for what is no number."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError(_("This is not a number of seconds."))
        return data

    def to_representation(self, value: Any) -> Any:
        """The number."""
        return value


class TokenBody(serializers.Serializer[Any]):
    """Which token is wanted."""

    wanted_post_process = serializers.ChoiceField(PostProcessingWanted.choices, required=False, allow_null=True)
    custom_ttl = SecondsField(required=False, allow_null=True, help_text="Seconds that the token is good for.")
    for_modified_upload = serializers.BooleanField(required=False, allow_null=True)


class TokensBody(TokenBody):
    """Which tokens are wanted."""

    uuids = serializers.ListField(child=UuidField(), allow_empty=True)


class RelatedModel(serializers.Serializer[Any]):
    """The model field whose `upload_to` says where the document belongs."""

    app = serializers.CharField()
    model = serializers.CharField()
    field = serializers.CharField()
    instance_filters = serializers.DictField(required=False, allow_null=True)


class ConfirmBody(serializers.Serializer[Any]):
    """How a document is kept."""

    upload_to = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    related_model = RelatedModel(required=False, allow_null=True)
    document_expiration_policy = serializers.ChoiceField(
        DocumentExpirationPolicy.choices, required=False, allow_null=True, allow_blank=True
    )
    metadata = serializers.DictField(required=False, allow_null=True)


class InfectedBody(serializers.Serializer[Any]):
    """Which document is infected: one by its UUID, or all with a path."""

    path = serializers.CharField(required=False, allow_null=True)
    uuid = UuidField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises `ValidationError` unless exactly one is given."""
        if sum(attrs.get(key) is not None for key in ("path", "uuid")) != 1:
            raise serializers.ValidationError(_("Give either path or uuid."))
        return attrs


class DeletedBody(serializers.Serializer[Any]):
    """Which documents are deleted."""

    files = serializers.ListField(child=UuidField(), allow_empty=True)


class RotateBody(serializers.Serializer[Any]):
    """How an image is rotated."""

    rotate = serializers.IntegerField(help_text="Degrees clockwise, a multiple of 90.")


class EditForm(serializers.Serializer[Any]):
    """An edited PDF."""

    file = serializers.FileField()
    rotations = serializers.CharField(required=False, help_text='JSON: {"page, counted from 0": degrees clockwise}')


class UploadForm(serializers.Serializer[Any]):
    """A file."""

    file = serializers.FileField()


class PostProcessingBody(serializers.Serializer[Any]):
    """What is made of which documents."""

    async_post_processing = serializers.BooleanField(required=False, allow_null=True)
    files_uuid = serializers.ListField(child=UuidField())
    post_process_types = serializers.ListField(child=serializers.ChoiceField(PostProcessingType.choices))
    post_process_params = serializers.DictField(required=False, allow_null=True)


class ProgressBody(serializers.Serializer[Any]):
    """Whose progress is asked for."""

    wanted_post_process = serializers.ChoiceField(PostProcessingWanted.choices, required=False, allow_null=True, allow_blank=True)


class DuplicateBody(serializers.Serializer[Any]):
    """What is duplicated."""

    uuids = serializers.ListField(child=UuidField(), allow_empty=True)
    with_modified_upload = serializers.BooleanField(required=False, allow_null=True)
    upload_path_by_uuid = serializers.DictField(child=serializers.CharField(), required=False, allow_null=True)
