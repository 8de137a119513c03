"""Changing what a document is called, and its content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from osis.document.v1.token_service_pb2 import TokenPurpose
from osis_document import channel, exceptions
from osis_document.gateway import answers, quota
from osis_document.gateway.base import BrowserView
from osis_document.gateway.bodies import EditForm, RotateBody
from osis_document.gateway.description import described
from osis_document.gateway.receiving import receiving
from osis_document.services import documents
from osis_document_client import error_for_item

#: The edited file's name for as long as it is an upload; the document keeps its own.
_EDITED_NAME = "edited.pdf"

_REFUSALS: dict[Any, Any] = {
    400: answers.Error,
    403: OpenApiResponse(answers.Detail, "The token has expired, or does not allow it."),
    404: answers.Detail,
}


class ChangeMetadataView(BrowserView):
    """Changes metadata."""

    @described(operation_id="change_metadata", request=OpenApiTypes.OBJECT, responses={200: answers.Metadata} | _REFUSALS)
    def post(self, request: Request, token: str) -> Response:
        """Sets the document's `name` and its owner's keys. The token stays good."""
        changes: Any = request.data
        if not isinstance(changes, Mapping):
            raise ParseError(_("Send an object with the keys to change."))
        return Response(documents.change_metadata(token, changes))


class RotateImageView(BrowserView):
    """Rotates images."""

    @described(
        operation_id="rotate_image",
        request=RotateBody,
        responses={200: answers.TokenOnly, **_REFUSALS, 409: OpenApiResponse(answers.Error, "The token is spent.")},
    )
    def post(self, request: Request, token: str) -> Response:
        """Rotates the image that the token opens, and answers the token that takes its place."""
        degrees = self.body(RotateBody)["rotate"]
        return Response({"token": documents.rotate_image(token, degrees)})


class SaveEditorView(BrowserView):
    """Saves edited PDFs."""

    reads_body_as_it_arrives = True
    statuses: ClassVar[dict[type[exceptions.OsisDocumentException], int]] = {exceptions.MimeMismatch: 400}

    @described(
        operation_id="save_editor",
        request={"multipart/form-data": EditForm},
        responses={200: answers.TokenOnly, **_REFUSALS, 409: OpenApiResponse(answers.Error, "The token is spent.")},
    )
    def post(self, request: Request, token: str) -> Response:
        """Saves the form's `file` over the document that the token opens, and answers the token that takes its place."""
        _require_writing(token)
        with receiving(request, quota.quota_for(request), name=_EDITED_NAME) as received:
            rotations = _rotations(received.fields.get("rotations", ""))
            edited = received.finish()
            next_token = documents.save_edit(token, edited.write_token, rotations=rotations)
        quota.forget([edited.document.id])
        return Response({"token": next_token})


def _require_writing(token: str) -> None:
    """Makes sure that the token may write before a whole file is sent for it.

    Raises:
        OsisDocumentException: it may not.
    """
    with exceptions.translated():
        known = channel.client().inspect_token(token)
        if known.HasField("refusal"):
            raise error_for_item(known.refusal)
    if known.token.purpose == TokenPurpose.TOKEN_PURPOSE_READ:
        raise exceptions.TokenNotAllowed


def _rotations(text: str) -> dict[int, int]:
    """Reads degrees by page, both as JSON writes them.

    Raises:
        ParseError: it is something else.
    """
    try:
        read = json.loads(text or "{}")
        return {int(page): int(degrees) for page, degrees in read.items() if degrees is not None}
    except (AttributeError, TypeError, ValueError) as exc:
        raise ParseError(_('Send the rotations as JSON: {"page, counted from 0": degrees}.')) from exc
