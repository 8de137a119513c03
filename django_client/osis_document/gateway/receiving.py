"""A file in a multipart body, sent on to the service while it arrives: never in memory as a whole, never in a temporary file.

Under ASGI this is so with the handler of `gateway.asgi`. Django's own reads every body to its end before any view is called, what
is larger than FILE_UPLOAD_MAX_MEMORY_SIZE into a temporary file: uploads work, but reach the service when all of them is there.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.request import Request

from osis.document.v1.upload_service_pb2 import CancelUploadRequest, UploadResult, UploadSpec
from osis_document import channel
from osis_document.exceptions import FormatInvalidException, OsisDocumentException, exception_for
from osis_document.gateway.quota import Quota, Reservation, remember
from osis_document.gateway.write_stream import MESSAGE_BYTES, WriteStream
from osis_document_client import OsisDocumentError

_FIELD = "file"

#: What a form may have beside the file's bytes: boundaries, headers, other fields.
_FORM_BYTES = 64 << 10


class LengthRequired(APIException):
    """The body's length was not announced."""

    status_code = 411
    default_detail = "Send the length of the body as Content-Length."


class Interrupted(APIException):
    """The body ended before its end."""

    status_code = 400
    default_detail = "The body ended before its announced end; send it again."


@dataclass(frozen=True, kw_only=True)
class Received:
    """A form that was read to its end: the file has left for the service, and waits to be finished there."""

    stream: WriteStream
    fields: dict[str, str]

    def finish(self) -> UploadResult:
        """Makes a document of the file.

        Raises:
            ServiceError: the service refused the content.
        """
        return self.stream.finish()


@contextmanager
def receiving(request: Request, quota: Quota, *, name: str | None = None) -> Iterator[Received]:
    """Reads a form with one file and streams the file to the service.

    Leaving the block by an error, or without `finish`, removes the upload there.

    Args:
        request: the request; nothing may have read its body before.
        quota: what its caller may upload.
        name: the document's name; by default the one that the client gives.

    Raises:
        OsisDocumentException: the file is refused.
        APIException: the body is no such form.
    """
    http = request._request
    length = _announced_length(http)
    _require_form(http)
    body = CountedBody(http)
    handler = _ServiceUploadHandler(http, quota=quota, name=name)
    try:
        handler.reservation = _reserve(quota, length)
        fields = _parse(http, body, handler)
        if handler.fault is not None:
            raise handler.fault
        if body.count < length:
            raise Interrupted
        if handler.stream is None:
            raise FormatInvalidException(_("Send the file as the form field %(name)s.") % {"name": _FIELD})
        yield Received(stream=handler.stream, fields=fields)
        handler.keep()
    except OsisDocumentError as exc:
        raise exception_for(exc) from exc
    finally:
        handler.tear_down()


class CountedBody:
    """The body of a request, whose bytes are counted as they are read."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        """Reads up to `size` bytes; none at the end, or where the client went away."""
        try:
            data = self._request.read(size)
        except UnreadablePostError:
            return b""
        self.count += len(data)
        return data


def _announced_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or "")
    except ValueError as exc:
        raise LengthRequired from exc


def _require_form(request: HttpRequest) -> None:
    if request.content_type != "multipart/form-data":
        raise UnsupportedMediaType(request.content_type or "")


def _reserve(quota: Quota, length: int) -> Reservation:
    quota.require_size(length - _FORM_BYTES)
    return quota.reserve(length)


def _parse(request: HttpRequest, body: CountedBody, handler: _ServiceUploadHandler) -> dict[str, str]:
    """Reads the form: its file goes to the handler, its other fields are answered."""
    try:
        parser = MultiPartParser(request.META, cast("Any", body), [handler], request.encoding or settings.DEFAULT_CHARSET)
        fields, _files = parser.parse()
    except MultiPartParserError as exc:
        raise ParseError(_("The body is no form that can be read: %(problem)s") % {"problem": exc}) from exc
    return {key: str(value) for key, value in fields.items()}


class _ServiceUploadHandler(FileUploadHandler):
    """Sends the form's file on as it comes. Other files of the form are passed over."""

    chunk_size = MESSAGE_BYTES

    def __init__(self, request: HttpRequest, *, quota: Quota, name: str | None) -> None:
        super().__init__(request)
        self._quota = quota
        self._name = name
        self._upload_id = str(uuid.uuid4())
        self._kept = False
        self.stream: WriteStream | None = None
        self.reservation: Reservation | None = None
        self.fault: OsisDocumentException | None = None

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        """Opens the upload."""
        super().new_file(field_name, file_name, *args, **kwargs)
        if field_name != _FIELD or self.stream is not None:
            raise SkipFile
        spec = UploadSpec(upload_id=self._upload_id, name=self._name or file_name)
        self.stream = WriteStream(channel.client(), spec)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Sends bytes on, and stops the transfer when the service has refused them."""
        assert self.stream is not None
        try:
            self._quota.require_size(start + len(raw_data))
            self.stream.write(raw_data)
        except OsisDocumentException as exc:
            self._stop(exc)
        except OsisDocumentError as exc:
            self._stop(exception_for(exc))

    def file_complete(self, file_size: int) -> None:
        """Nothing yet: that the part ended does not say that the body did."""

    def keep(self) -> None:
        """The file has become a document: it stays, and is counted by its real length until it is confirmed."""
        self._kept = True
        if self.stream is not None and self.reservation is not None:
            self.reservation.settle(self._upload_id, self.stream.size_bytes)
            remember(self._upload_id)

    def tear_down(self) -> None:
        """Removes what did not become a document."""
        if self._kept:
            return
        if self.reservation is not None:
            self.reservation.release()
        if self.stream is not None:
            self.stream.abort()
            with suppress(OsisDocumentError):  # what stays is removed when its time is over
                channel.client().uploads.CancelUpload(CancelUploadRequest(upload_id=self._upload_id))

    def _stop(self, fault: OsisDocumentException) -> None:
        self.fault = fault
        raise StopUpload(connection_reset=True)
