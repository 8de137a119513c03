"""Starting post-processings, and following them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from osis_document import exceptions
from osis_document.enums import PostProcessingStatus, PostProcessingWanted
from osis_document.gateway import answers
from osis_document.gateway.base import BrowserView, KeyView
from osis_document.gateway.bodies import PostProcessingBody, ProgressBody
from osis_document.gateway.description import described
from osis_document.gateway.keys import ApiKeyRequired, has_key
from osis_document.services import post_processing, tokens


class PostProcessingView(KeyView):
    """Starts post-processings."""

    statuses: ClassVar[dict[type[exceptions.OsisDocumentException], int]] = {exceptions.UploadNotFound: 400}

    @described(
        operation_id="post_processing",
        request=PostProcessingBody,
        responses={
            201: OpenApiResponse(answers.PostProcessed, "It is done."),
            202: OpenApiResponse(answers.Started, "It goes on by itself."),
            400: OpenApiResponse(answers.Error, "It cannot be done."),
            403: answers.Detail,
        },
    )
    def post(self, request: Request) -> Response:
        """Converts documents to PDF, merges them, or both; waits for it unless it is asynchronous."""
        body = self.body(PostProcessingBody)
        asynchronous = body.get("async_post_processing", False)
        result = post_processing.launch(
            body["files_uuid"],
            body["post_process_types"],
            params=body.get("post_process_params"),
            asynchronous=asynchronous,
        )
        return Response(result, status=202 if asynchronous else 201)


class KeyOrSignatureRequired(ApiKeyRequired):
    """Lets callers in who have the key, or the signed link to this job."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True when the request carries the shared secret, or the link's signature."""
        query = request.query_params
        job_id = str(view.kwargs["uuid"])
        return has_key(request) or post_processing.link_is_genuine(
            job_id, query.get("signature", ""), document_id=query.get("document", "")
        )


_PARAMETERS = [
    OpenApiParameter("wanted_post_process", enum=list(PostProcessingWanted.values)),
    OpenApiParameter("signature", OpenApiTypes.STR, description="In place of the API key: of the link that a 206 answer has."),
    OpenApiParameter("document", OpenApiTypes.UUID, description="Part of that link."),
]
_RESPONSES = {202: answers.Progress, 400: answers.Error, 403: answers.Detail}


class ProgressView(BrowserView):
    """Follows post-processings."""

    permission_classes = (KeyOrSignatureRequired,)
    statuses: ClassVar[dict[type[exceptions.OsisDocumentException], int]] = {exceptions.JobNotFound: 400}

    @described(operation_id="get_progress", parameters=_PARAMETERS, responses=_RESPONSES)
    def get(self, request: Request, uuid: UUID) -> Response:
        """Tells how far a job is; over the signed link, when it is done, also a token for what it made."""
        return self._progress(request, str(uuid), request.query_params.dict())

    @described(operation_id="post_progress", parameters=_PARAMETERS, request=ProgressBody, responses=_RESPONSES)
    def post(self, request: Request, uuid: UUID) -> Response:
        """The same, with what is wanted in the body."""
        sent = request.data if isinstance(request.data, dict) else {}
        return self._progress(request, str(uuid), {**request.query_params.dict(), **sent})

    def _progress(self, request: Request, job_id: str, values: dict[str, Any]) -> Response:
        serializer = ProgressBody(data=values)
        serializer.is_valid(raise_exception=True)
        wanted = serializer.validated_data.get("wanted_post_process") or None
        body = post_processing.progress(job_id, wanted_post_process=wanted)
        if not has_key(request) and body["wanted_post_process_status"] == PostProcessingStatus.DONE.name:
            body |= _token_for(job_id, request.query_params.get("document", ""), wanted)
        return Response(body, status=202)


def _token_for(job_id: str, document_id: str, wanted: str | None) -> dict[str, str]:
    """A token for what the job made, for somebody who has only its link; nothing if it is not to be had any more."""
    if wanted == PostProcessingWanted.ORIGINAL.name:
        return {}  # the link is for the result
    answer = tokens.token(document_id or post_processing.job_inputs(job_id)[0], wanted_post_process=wanted)
    return {"token": answer.body["token"]} if answer.status == 201 else {}
