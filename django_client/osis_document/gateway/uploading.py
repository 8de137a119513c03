"""Uploading a file, and having it kept."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from osis_document import exceptions
from osis_document.gateway import answers, quota
from osis_document.gateway.base import BrowserView, KeyView
from osis_document.gateway.bodies import ConfirmBody, UploadForm
from osis_document.gateway.description import described
from osis_document.gateway.receiving import receiving
from osis_document.gateway.throttling import UploadThrottle
from osis_document.services import paths, uploads


class RequestUploadView(BrowserView):
    """Takes a file."""

    reads_body_as_it_arrives = True
    throttle_classes = (UploadThrottle,)

    @described(
        operation_id="request_upload",
        request={"multipart/form-data": UploadForm},
        responses={
            201: answers.TokenOnly,
            400: answers.Error,
            409: OpenApiResponse(answers.Error, "The content does not match the extension."),
            413: OpenApiResponse(answers.Error, "The file is too large."),
            429: OpenApiResponse(answers.Detail, "Too many uploads, or too many bytes that nobody has confirmed."),
        },
    )
    def post(self, request: Request) -> Response:
        """Streams the form's `file` to the service and answers its write token, with which it can be confirmed."""
        with receiving(request, quota.quota_for(request)) as received:
            result = received.finish()
        return Response({"token": result.write_token}, status=201)


class ConfirmUploadView(KeyView):
    """Keeps an upload."""

    #: Whatever is wrong with the token, it is the request that cannot be so.
    statuses: ClassVar[dict[type[exceptions.OsisDocumentException], int]] = {
        exceptions.FileInfectedException: 500,
        exceptions.UploadInvalidException: 400,
    }

    @described(
        operation_id="confirm_upload",
        request=ConfirmBody,
        responses={201: answers.Uuid, 400: answers.Error, 403: answers.Detail},
    )
    def post(self, request: Request, token: str) -> Response:
        """Confirms an upload by its write token; from then on the service keeps it."""
        body: dict[str, Any] = self.body(ConfirmBody)
        related_model = body.get("related_model")
        if related_model is not None and not paths.is_installed(related_model):
            raise exceptions.FormatInvalidException(_("There is no such model on this server."))
        confirmed = uploads.confirm(
            token,
            upload_to=body.get("upload_to"),
            related_model=related_model,
            document_expiration_policy=body.get("document_expiration_policy") or None,
            metadata=body.get("metadata"),
        )
        quota.forget([confirmed])
        return Response({"uuid": confirmed}, status=201)
