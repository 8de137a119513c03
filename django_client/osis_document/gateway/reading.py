"""Reading documents: what is known of them, and their bytes."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from osis.document.v1.download_service_pb2 import DownloadHeader
from osis_document import channel, conf, cors, exceptions
from osis_document.gateway import answers, pages, ranges
from osis_document.gateway.base import BrowserView, KeyView
from osis_document.gateway.description import described
from osis_document.gateway.sending import ContentResponse
from osis_document.services import documents
from osis_document_client import ContentChanged, Download, OsisDocumentError, RangeNotSatisfiable

#: Browsers show these in the page without running anything of them. All else is saved: what is text to us may be HTML to them.
_SHOWN_TYPES = {"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff"}

#: Marks that turn the direction of text: with them `invoice\u202efdp.exe` reads as if it ended in .pdf (Unicode TR 36, 2.5).
_TURNING_MARKS = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


class MetadataView(BrowserView):
    """Describes a document."""

    @described(
        operation_id="metadata",
        responses={
            200: answers.Metadata,
            403: OpenApiResponse(answers.Detail, "The token has expired."),
            404: answers.Detail,
            409: OpenApiResponse(answers.Error, "The stored bytes are damaged."),
            500: OpenApiResponse(answers.Detail, "INFECTED"),
        },
    )
    def get(self, request: Request, token: str) -> Response:
        """Describes the document that the token opens."""
        return Response(documents.metadata(token))


class MetadataBatchView(KeyView):
    """Describes many documents."""

    @described(
        operation_id="metadata_batch",
        request=serializers.ListSerializer(child=serializers.CharField()),
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT, "By token: metadata, or {error: {code, message}}.")},
    )
    def post(self, request: Request) -> Response:
        """Describes the documents that the tokens of the body's list open."""
        tokens: Any = request.data
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise ParseError(_("Send a list of tokens."))
        return Response(documents.all_metadata(tokens))


class FileView(BrowserView):
    """Sends a document's bytes."""

    @described(
        operation_id="file",
        parameters=[
            OpenApiParameter("dl", OpenApiTypes.STR, description="1: have the browser save it under its name."),
            OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One range of bytes."),
            OpenApiParameter("If-Range", OpenApiTypes.STR, OpenApiParameter.HEADER),
            OpenApiParameter("If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER),
        ],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="The client has it already."),
            403: OpenApiResponse(answers.Detail, "The token has expired. Browsers get a page."),
            404: answers.Detail,
            409: OpenApiResponse(answers.Error, "The stored bytes are damaged."),
            416: OpenApiResponse(answers.Detail, "The range begins behind the end."),
            500: OpenApiResponse(answers.Detail, "INFECTED"),
        },
    )
    def get(self, request: Request, token: str) -> HttpResponseBase:
        """Sends the content of the document that the token opens, or one range of it."""
        http = request._request
        wanted = ranges.requested_range(http)
        try:
            download, partial = _open(token, wanted, only_header=http.method == "HEAD")
        except RangeNotSatisfiable as exc:
            return _not_satisfiable(exc.metadata.get("complete_size", "*"))
        try:
            return _content(http, download, partial=partial)
        except BaseException:
            download.close()
            raise

    def head(self, request: Request, token: str) -> HttpResponseBase:
        """What `get` would answer, without the content."""
        return self.get(request, token)

    def handle_exception(self, exc: Exception) -> Any:
        """Shows people a page."""
        refusal = super().handle_exception(exc)
        if not pages.wants_page(self.request._request):
            return refusal
        if isinstance(exc, OsisDocumentError):
            exc = exceptions.exception_for(exc)
        return pages.page_for(self.request._request, refusal, getattr(exc, "message", ""))


def _open(token: str, wanted: ranges.ByteRange, *, only_header: bool) -> tuple[Download, bool]:
    """Opens what is wanted; tells whether it is a part.

    Raises:
        RangeNotSatisfiable: the part begins behind the end.
        ServiceError: the service refuses the token.
    """
    open_download = partial(channel.client().open_download, token, timeout=conf.timeouts().transfer)
    if wanted.is_empty:
        with open_download(limit=1) as whole:
            raise RangeNotSatisfiable(metadata={"complete_size": str(whole.header.range.complete_size)})
    if wanted is ranges.WHOLE:
        return open_download(limit=1 if only_header else 0), False
    try:
        part = open_download(offset=wanted.offset, limit=wanted.limit, expected_sha256=wanted.only_of_sha256)
    except ContentChanged:
        return open_download(), False
    return part, True


def _content(request: HttpRequest, download: Download, *, partial: bool) -> HttpResponseBase:
    """Makes the answer to a request for content that is there."""
    header = download.header
    response: HttpResponseBase
    if ranges.is_current(request, header.sha256):
        download.close()
        response = HttpResponse(status=304)
        del response.headers["Content-Type"]
    elif request.method == "HEAD":
        download.close()
        response = HttpResponse(content_type=header.mime_type)
        response["Content-Length"] = str(header.range.complete_size)
    else:
        response = ContentResponse(request, download, status=206 if partial else 200, content_type=header.mime_type)
        response["Content-Length"] = str(header.range.end - header.range.start)
        if partial:
            span = header.range
            response["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{span.complete_size}"
    _describe(request, response, header)
    return response


def _describe(request: HttpRequest, response: HttpResponseBase, header: DownloadHeader) -> None:
    """Adds the headers that say what the content is, and that keep browsers from running it."""
    attached = request.GET.get("dl", "") not in {"", "0"} or header.mime_type not in _SHOWN_TYPES
    response["ETag"] = ranges.etag(header.sha256)
    response["Accept-Ranges"] = "bytes"
    name = header.document.name.translate(_TURNING_MARKS)
    response["Content-Disposition"] = content_disposition_header(attached, name) or "attachment"
    response["Content-Security-Policy"] = cors.frame_ancestors()
    response.xframe_options_exempt = True  # type: ignore[attr-defined]  # the policy says more than X-Frame-Options can


def _not_satisfiable(complete_size: str) -> Response:
    response = Response({"detail": _("The range begins behind the end of the file.")}, status=416)
    response["Content-Range"] = f"bytes */{complete_size}"
    response["Accept-Ranges"] = "bytes"
    return response
