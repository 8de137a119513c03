"""What all views of the gateway have in common."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView, exception_handler

from osis_document import cors, exceptions
from osis_document.gateway import faults
from osis_document.gateway.description import GatewaySchema
from osis_document.gateway.json_bodies import BodyTooLarge, BoundedJSONParser
from osis_document.gateway.keys import ApiKeyRequired
from osis_document_client import OsisDocumentError

logger = logging.getLogger(__name__)

_DRAINED_BYTES = 32 << 20
_DRAINED_AT_ONCE_BYTES = 1 << 20


class JsonAlways(BaseContentNegotiation):
    """Answers JSON whatever the client says it accepts."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """The parser for the body's media type, or None."""
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None) -> Any:
        """The one renderer there is."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class GatewayView(APIView):
    """A view for whoever holds the token in its path. It sees no cookies, and no settings of the host's for REST views."""

    authentication_classes = ()
    permission_classes: Sequence[type[BasePermission]] = ()
    throttle_classes: Sequence[type[BaseThrottle]] = ()
    parser_classes = (BoundedJSONParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = JsonAlways
    versioning_class = None
    schema = GatewaySchema()

    #: Under ASGI, the body is read from the connection when the view asks for it (`gateway.asgi`), as it is under WSGI.
    reads_body_as_it_arrives: ClassVar[bool] = False

    #: HTTP statuses of refusals where this path has others than the table of `faults`.
    statuses: ClassVar[dict[type[exceptions.OsisDocumentException], int]] = {}

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The view, outside of any transaction: a connection must not be held while bytes move."""
        view = super().as_view(**initkwargs)
        for alias in connections:
            view = transaction.non_atomic_requests(alias)(view)
        return view

    def perform_authentication(self, request: Request) -> None:
        """Nobody is logged in here."""

    def body(self, kind: type[Serializer[Any]]) -> dict[str, Any]:
        """Reads the JSON body. Unknown keys are passed over, and a null counts as not given.

        Raises:
            ValidationError: it is not of the form that `kind` describes.
        """
        serializer: BaseSerializer[Any] = kind(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return {key: value for key, value in serializer.validated_data.items() if value is not None}

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Says which methods there are."""
        return HttpResponse(status=204, headers=self.default_response_headers)

    def handle_exception(self, exc: Exception) -> Response:
        """Makes the answer to a request that cannot be served."""
        exc = _as_refusal(exc)
        if isinstance(exc, exceptions.OsisDocumentException):
            response = faults.answer(exc, code=self._own_status(exc))
            self._log(exc, response.status_code)
        elif isinstance(exc, drf.APIException) and exc.status_code in faults.SAY_ERROR:
            response = Response(faults.body(exc.status_code, faults.first_text(exc.detail)), status=exc.status_code)
        else:
            answer = exception_handler(exc, self.get_exception_handler_context())
            if answer is None:
                raise exc
            response = answer
        response.exception = True
        _drain(self.request._request)
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Adds the headers that every answer has."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers.setdefault("Cache-Control", "private, no-store")
        final.headers["Referrer-Policy"] = "no-referrer"
        final.headers["X-Content-Type-Options"] = "nosniff"
        # Django would log the path of each refusal, and the token in it.
        final._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark
        return final

    def _own_status(self, fault: exceptions.OsisDocumentException) -> int | None:
        return next((code for kind, code in self.statuses.items() if isinstance(fault, kind)), None)

    def _log(self, fault: exceptions.OsisDocumentException, code: int) -> None:
        level = logging.ERROR if code > 500 else logging.INFO
        logger.log(level, "%s answered %d: %s", type(self).__name__, code, fault.reason or type(fault).__name__)

    def get_exception_handler_context(self) -> dict[str, Any]:
        """What REST framework's own handler is told."""
        return {"view": self, "args": (), "kwargs": {}, "request": self.request}


def _drain(request: HttpRequest) -> None:
    """Reads what is left of a body, up to a point, so that clients which send first and read then see why it was refused."""
    left = _DRAINED_BYTES
    with suppress(UnreadablePostError):
        while left > 0 and (data := request.read(_DRAINED_AT_ONCE_BYTES)):
            left -= len(data)


def _as_refusal(exc: Exception) -> Exception:
    """Makes of what others raise for a request that cannot be served what we raise for it."""
    if isinstance(exc, OsisDocumentError):
        return exceptions.exception_for(exc)
    if isinstance(exc, RequestDataTooBig):
        return BodyTooLarge()
    if isinstance(exc, UnicodeError | SuspiciousOperation):  # half a character; too many fields
        return drf.ParseError(_("The request has something in it that cannot be read."))
    return exc


class BrowserView(GatewayView):
    """A view that scripts of the listed sites may use."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Adds the CORS headers."""
        final = super().finalize_response(request, response, *args, **kwargs)
        cors.add_headers(request._request, final)
        return final


class KeyView(GatewayView):
    """A view for callers with the API key."""

    permission_classes = (ApiKeyRequired,)
