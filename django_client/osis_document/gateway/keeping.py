"""What key holders do with kept documents: delete, condemn, duplicate."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from osis_document import exceptions
from osis_document.gateway import answers
from osis_document.gateway.base import KeyView
from osis_document.gateway.bodies import DeletedBody, DuplicateBody, InfectedBody
from osis_document.gateway.description import described
from osis_document.services import documents


class DeclareInfectedView(KeyView):
    """Condemns documents."""

    statuses: ClassVar[dict[type[exceptions.OsisDocumentException], int]] = {exceptions.UploadNotFound: 400}

    @described(
        operation_id="declare_file_as_infected",
        request=InfectedBody,
        responses={202: answers.Uuid, 400: answers.Error, 403: answers.Detail},
    )
    def post(self, request: Request) -> Response:
        """Declares a document, or all with a path, infected; nothing is read from them any more."""
        infected = documents.declare_infected(**self.body(InfectedBody))
        return Response({"uuid": infected[0]}, status=202)


class DeclareDeletedView(KeyView):
    """Deletes documents."""

    @described(
        operation_id="declare_files_as_deleted",
        request=DeletedBody,
        responses={204: None, 400: answers.Error, 403: answers.Detail},
    )
    def post(self, request: Request) -> Response:
        """Deletes documents; those that are gone already are passed over."""
        documents.delete(self.body(DeletedBody)["files"])
        return Response(status=204)


class DuplicateView(KeyView):
    """Duplicates documents."""

    @described(
        operation_id="duplicate",
        request=DuplicateBody,
        responses={
            201: OpenApiResponse(OpenApiTypes.OBJECT, "By UUID: {upload_id}, or {error: {code, message}}."),
            400: answers.Error,
            403: answers.Detail,
        },
    )
    def post(self, request: Request) -> Response:
        """Makes independent documents of the same content."""
        body = self.body(DuplicateBody)
        return Response(documents.duplicate(body.pop("uuids"), **body), status=201)
