"""What callers get as JSON, for the schema."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from osis_document.enums import DocumentError, PostProcessingStatus, TokenAccess


class Error(serializers.Serializer[Any]):
    """Why a request was refused."""

    error = serializers.CharField()


class Detail(serializers.Serializer[Any]):
    """Why a request was refused; exactly `INFECTED` for an infected document."""

    detail = serializers.CharField()


class Uuid(serializers.Serializer[Any]):
    """A document."""

    uuid = serializers.UUIDField()


class TokenOnly(serializers.Serializer[Any]):
    """A token."""

    token = serializers.CharField()


class Token(serializers.Serializer[Any]):
    """A token and what it is good for."""

    token = serializers.CharField()
    upload_id = serializers.UUIDField()
    access = serializers.ChoiceField(TokenAccess.choices)
    expires_at = serializers.DateTimeField()
    for_modified_upload = serializers.BooleanField()


class Links(serializers.Serializer[Any]):
    """Where to ask further."""

    progress = serializers.URLField()


class ActionResult(serializers.Serializer[Any]):
    """How one action of a job stands, and what it made."""

    status = serializers.ChoiceField(PostProcessingStatus.choices)
    upload_objects = serializers.ListField(child=serializers.UUIDField(), required=False)
    post_processing_objects = serializers.ListField(child=serializers.UUIDField(), required=False)
    errors = serializers.DictField(required=False)  # type: ignore[assignment]  # a field, and no attribute of serializers


class Pending(serializers.Serializer[Any]):
    """What is wanted is still being made."""

    status = serializers.CharField(help_text="PENDING")
    links = Links()
    CONVERT = ActionResult(required=False)
    MERGE = ActionResult(required=False)


class Failed(serializers.Serializer[Any]):
    """What is wanted could not be made."""

    status = serializers.CharField(help_text="FAILED")
    errors = serializers.DictField()  # type: ignore[assignment]  # a field, and no attribute of serializers
    code = serializers.CharField(help_text="ASYNC_POST_PROCESS_FAILED")
    links = Links()
    CONVERT = ActionResult(required=False)
    MERGE = ActionResult(required=False)


class ItemFault(serializers.Serializer[Any]):
    """Why one item of several was refused."""

    code = serializers.ChoiceField(DocumentError.choices)
    message = serializers.CharField()


class Metadata(serializers.Serializer[Any]):
    """What is known of a document, and the keys that its owner added."""

    size = serializers.IntegerField(help_text="Bytes.")
    mimetype = serializers.CharField(help_text="Found by looking at the content.")
    name = serializers.CharField()
    url = serializers.URLField()
    uploaded_at = serializers.DateTimeField()
    upload_uuid = serializers.UUIDField()
    hash = serializers.CharField(help_text="SHA-256 in hexadecimal.")


class ActionOutput(serializers.Serializer[Any]):
    """What an action made."""

    upload_objects = serializers.ListField(child=serializers.UUIDField())
    post_processing_objects = serializers.ListField(child=serializers.UUIDField())


class ActionInputOutput(serializers.Serializer[Any]):
    """What an action made of what."""

    input = serializers.ListField(child=serializers.UUIDField())
    output = ActionOutput()


class PostProcessed(serializers.Serializer[Any]):
    """What a job made."""

    CONVERT = ActionInputOutput(required=False)
    MERGE = ActionInputOutput(required=False)


class Started(serializers.Serializer[Any]):
    """A job that goes on by itself."""

    uuid = serializers.UUIDField()
    links = Links()


class Progress(serializers.Serializer[Any]):
    """How far a job is."""

    progress = serializers.IntegerField(min_value=0, max_value=100)
    wanted_post_process_status = serializers.CharField(help_text="PENDING, DONE or FAILED")
    failed = serializers.BooleanField(required=False)
    errors = serializers.DictField(required=False)  # type: ignore[assignment]  # a field, and no attribute of serializers
    token = serializers.CharField(required=False, help_text="Over a signed link, when it is done.")
