"""Resumable uploads by tus 1.0 (https://tus.io): creation, creation-with-upload, termination, checksum, expiration."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from google.protobuf.timestamp_pb2 import Timestamp
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from osis_document import exceptions
from osis_document.exceptions import FileTooLarge
from osis_document.gateway import answers, quota, tus_headers, tus_uploads
from osis_document.gateway.base import BrowserView
from osis_document.gateway.description import described
from osis_document.gateway.throttling import UploadThrottle
from osis_document.gateway.tus_uploads import Address, Progress
from osis_document.services import times

_VERSION = OpenApiParameter("Tus-Resumable", enum=[tus_headers.VERSION], location=OpenApiParameter.HEADER, required=True)
_OFFSET = OpenApiParameter("Upload-Offset", OpenApiTypes.INT64, OpenApiParameter.HEADER, required=True)
_CHECKSUM = OpenApiParameter("Upload-Checksum", OpenApiTypes.STR, OpenApiParameter.HEADER, description="sha256 and base64.")
_PART = {tus_headers.CONTENT_TYPE: OpenApiTypes.BINARY}
_GONE = {404: answers.Detail, 412: OpenApiResponse(answers.Detail, "Another version of tus.")}


class _TusView(BrowserView):
    reads_body_as_it_arrives = True

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Lets clients that can only POST say which method they mean."""
        meant = request.headers.get("X-HTTP-Method-Override", "").upper()
        if request.method == "POST" and meant in {"PATCH", "DELETE", "HEAD"}:
            request.method = meant
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuses other versions before anything else."""
        if request.method != "OPTIONS":
            tus_headers.require_version(request._request)
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Says which version this is."""
        response["Tus-Resumable"] = tus_headers.VERSION
        if response.status_code == 412:
            response["Tus-Version"] = tus_headers.VERSION
        return super().finalize_response(request, response, *args, **kwargs)


class UploadsView(_TusView):
    """Where uploads are created."""

    throttle_classes = (UploadThrottle,)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Says what is understood here."""
        response = super().options(request, *args, **kwargs)
        response["Tus-Version"] = tus_headers.VERSION
        response["Tus-Extension"] = tus_headers.EXTENSIONS
        response["Tus-Checksum-Algorithm"] = tus_headers.CHECKSUM_ALGORITHM
        limit = quota.quota_for(request).max_size_bytes
        if limit is not None:
            response["Tus-Max-Size"] = str(limit)
        return response

    @described(
        operation_id="create_upload",
        parameters=[
            _VERSION,
            OpenApiParameter("Upload-Length", OpenApiTypes.INT64, OpenApiParameter.HEADER, required=True),
            OpenApiParameter(
                "Upload-Metadata", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True, description="filename, in base64."
            ),
            _CHECKSUM,
        ],
        request=_PART,
        responses={
            201: OpenApiResponse(
                description="Location has the upload's address; Osis-Write-Token, when all is there, its token."
            ),
            400: answers.Error,
            412: _GONE[412],
            413: answers.Error,
            429: answers.Detail,
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Creates an upload, with its first bytes if they are sent along."""
        http = request._request
        creation = tus_headers.read_creation(http)
        limits = quota.quota_for(request)
        limits.require_size(creation.length)
        if not creation.length:
            raise exceptions.FileRefused(exceptions.text_for_reason("EMPTY_FILE"))
        reservation = limits.reserve(creation.length)
        try:
            address, started = tus_uploads.start(creation)
        except BaseException:
            reservation.release()
            raise
        reservation.settle(address.upload_id)
        response = HttpResponse(status=201)
        response["Location"] = http.build_absolute_uri(reverse("osis_document:upload", args=[address.text()]))
        _say_expiry(response, started.expire_time)
        if http.content_type == tus_headers.CONTENT_TYPE:
            _say_progress(response, _append(http, address, offset=0))
        return response


class UploadView(_TusView):
    """One upload."""

    def head(self, request: Request, upload: str) -> HttpResponse:
        """Tells how far the upload is, and its write token when it is finished."""
        address = Address.read(upload)
        status = tus_uploads.status_of(address)
        finished = status.WhichOneof("outcome") == "result"
        response = HttpResponse(status=200)
        response["Cache-Control"] = "no-store"
        response["Upload-Length"] = str(address.length)
        response["Upload-Metadata"] = address.metadata
        offset = address.length if finished else status.persisted_size
        _say_progress(response, Progress(offset=offset, result=status.result if finished else None))
        _say_expiry(response, status.expire_time)
        return response

    @described(
        operation_id="append_to_upload",
        parameters=[_VERSION, _OFFSET, _CHECKSUM],
        request=_PART,
        responses={
            204: OpenApiResponse(
                description="Upload-Offset has the new offset; Osis-Write-Token, with the last bytes, the token."
            ),
            400: answers.Error,
            409: OpenApiResponse(answers.Error, "The offset is another, or the content does not match the extension."),
            413: answers.Error,
            415: answers.Detail,
            460: OpenApiResponse(answers.Detail, "The checksum is another."),
            **_GONE,
        },
    )
    def patch(self, request: Request, upload: str) -> HttpResponse:
        """Appends bytes to the upload. HEAD tells how far it is, and the token of a finished one."""
        http = request._request
        tus_headers.require_content_type(http)
        address = Address.read(upload)
        offset = tus_headers.read_offset(http)
        status = tus_uploads.status_of(address)
        finished = status.WhichOneof("outcome") == "result"
        if offset != (address.length if finished else status.persisted_size):
            raise tus_headers.OffsetConflict
        response = HttpResponse(status=204)
        if finished:
            _say_progress(response, Progress(offset=offset, result=status.result))
        else:
            _say_progress(response, _append(http, address, offset=offset))
            _say_expiry(response, status.expire_time)
        return response

    @described(
        operation_id="cancel_upload", parameters=[_VERSION], request=None, responses={204: None, 409: answers.Error, **_GONE}
    )
    def delete(self, request: Request, upload: str) -> HttpResponse:
        """Removes the upload."""
        address = Address.read(upload)
        tus_uploads.status_of(address)  # one that is gone is told so
        tus_uploads.cancel(address)
        quota.forget([address.upload_id])
        return HttpResponse(status=204)


def _append(request: HttpRequest, address: Address, *, offset: int) -> Progress:
    length = tus_headers.read_length(request)
    if offset + length > address.length:
        raise FileTooLarge
    if request.META.get("CONTENT_LENGTH") in {None, ""}:
        raise ParseError("Send the length of the body as Content-Length.")
    progress = tus_uploads.append(address, request, offset=offset, length=length, sha256=tus_headers.read_checksum(request))
    if progress.result is not None:
        quota.remember(address.upload_id)
    return progress


def _say_progress(response: HttpResponse, progress: Progress) -> None:
    response["Upload-Offset"] = str(progress.offset)
    if progress.result is not None and progress.result.write_token:
        response[tus_headers.TOKEN_HEADER] = progress.result.write_token


def _say_expiry(response: HttpResponse, moment: Timestamp) -> None:
    if moment.seconds:
        response["Upload-Expires"] = tus_headers.expires(times.moment(moment))
