"""Handing out tokens."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from osis_document.gateway import answers
from osis_document.gateway.base import KeyView
from osis_document.gateway.bodies import TokenBody, TokensBody
from osis_document.gateway.description import described
from osis_document.services import tokens

_RESPONSES: dict[Any, Any] = {
    201: answers.Token,
    206: OpenApiResponse(answers.Pending, "What is wanted is still being made."),
    400: answers.Error,
    403: answers.Detail,
    404: answers.Detail,
    409: OpenApiResponse(answers.Error, "The stored bytes are damaged."),
    422: OpenApiResponse(answers.Failed, "What is wanted could not be made."),
    500: OpenApiResponse(answers.Detail, "INFECTED"),
}


class _TokenView(KeyView):
    write: ClassVar[bool]

    def post(self, request: Request, uuid: UUID) -> Response:
        """Answers a token of the document, or of what its post-processing made of it."""
        answer = tokens.token(str(uuid), write=self.write, **self.body(TokenBody))
        return Response(answer.body, status=answer.status)


class ReadTokenView(_TokenView):
    """Hands out read tokens."""

    write = False

    @described(operation_id="read_token", request=TokenBody, responses=_RESPONSES)
    def post(self, request: Request, uuid: UUID) -> Response:
        """Answers a token that reads the document, or what its post-processing made of it."""
        return super().post(request, uuid)


class WriteTokenView(_TokenView):
    """Hands out write tokens."""

    write = True

    @described(operation_id="write_token", request=TokenBody, responses=_RESPONSES)
    def post(self, request: Request, uuid: UUID) -> Response:
        """Answers a token that changes the document, or what its post-processing made of it."""
        return super().post(request, uuid)


class ReadTokensView(KeyView):
    """Hands out many read tokens."""

    @described(
        operation_id="read_tokens",
        request=TokensBody,
        responses={
            201: OpenApiResponse(OpenApiTypes.OBJECT, "By requested UUID: a token, or {error: {code, message}}."),
            206: OpenApiResponse(OpenApiTypes.OBJECT, "The same; something wanted is still being made."),
            400: answers.Error,
            403: answers.Detail,
            422: OpenApiResponse(OpenApiTypes.OBJECT, "The same; something could not be made, or is infected."),
        },
    )
    def post(self, request: Request) -> Response:
        """Answers a token for each document, or why there is none."""
        body = self.body(TokensBody)
        answer = tokens.tokens(body.pop("uuids"), **body)
        return Response(answer.body, status=answer.status)
