"""The headers of tus 1.0, read and written."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.utils.http import http_date
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
CHECKSUM_ALGORITHM = "sha256"
CONTENT_TYPE = "application/offset+octet-stream"

#: The write token of a finished upload.
TOKEN_HEADER = "Osis-Write-Token"  # noqa: S105  # a header's name

_SHA256_BYTES = 32

#: The address of an upload has it in it, and addresses cannot be of any length.
_MAX_KEPT_METADATA = 2_000

#: What fits into 64 bits for sure.
_MAX_DIGITS = 18


class VersionNotSupported(APIException):
    """The client speaks another version of the protocol."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = f"This is tus {VERSION}; send the header Tus-Resumable: {VERSION}."


class OffsetConflict(APIException):
    """The upload stands elsewhere than the client thinks."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "The upload has another offset; ask for it by HEAD and go on from there."


class ChecksumMismatch(APIException):
    """The bytes are not those that the client meant; none of them is kept."""

    status_code = 460
    default_detail = "The bytes do not have this checksum; ask for the offset by HEAD and send them again."


@dataclass(frozen=True, kw_only=True)
class Creation:
    """What a client says of a file that it is about to upload."""

    length: int
    metadata: str
    """`Upload-Metadata` as it was sent, so that it can be told again; of a long one the name alone."""

    name: str


def require_version(request: HttpRequest) -> None:
    """Raises `VersionNotSupported` unless the client speaks ours."""
    if request.headers.get("Tus-Resumable") != VERSION:
        raise VersionNotSupported


def read_creation(request: HttpRequest) -> Creation:
    """Reads length and metadata of a creation.

    Raises:
        ParseError: they are missing or cannot be read.
    """
    metadata = request.headers.get("Upload-Metadata", "")
    values = _decoded(metadata)
    name = values.get("filename") or values.get("name") or ""
    # Only its last part: a name is never a path.
    name = name.replace("\\", "/").rpartition("/")[2]
    if not name:
        raise ParseError("Send the file's name in Upload-Metadata, as filename.")
    if len(metadata) > _MAX_KEPT_METADATA:
        metadata = f"filename {base64.b64encode(name.encode()).decode()}"
    return Creation(length=_number(request, "Upload-Length"), metadata=metadata[:_MAX_KEPT_METADATA], name=name)


def read_offset(request: HttpRequest) -> int:
    """Reads where the body belongs.

    Raises:
        ParseError: that is missing or no number.
    """
    return _number(request, "Upload-Offset")


def read_length(request: HttpRequest) -> int:
    """Reads how long the body is; 0 if there is none."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError as exc:
        raise ParseError("Content-Length is no number.") from exc


def read_checksum(request: HttpRequest) -> str:
    """Reads the SHA-256 of the body, in hexadecimal; empty if none was sent.

    Raises:
        ParseError: it is of another kind, or cannot be read.
    """
    algorithm, _, encoded = request.headers.get("Upload-Checksum", "").strip().partition(" ")
    if not algorithm:
        return ""
    digest = _from_base64(encoded)
    if algorithm != CHECKSUM_ALGORITHM or len(digest) != _SHA256_BYTES:
        raise ParseError(f"Upload-Checksum must be {CHECKSUM_ALGORITHM} and the digest in base64.")
    return digest.hex()


def require_content_type(request: HttpRequest) -> None:
    """Raises `UnsupportedMediaType` unless the body is a part of a file."""
    if request.content_type != CONTENT_TYPE:
        raise UnsupportedMediaType(request.content_type or "")


def expires(moment: datetime) -> str:
    """A moment as `Upload-Expires` has it."""
    return http_date(moment.timestamp())


def _number(request: HttpRequest, header: str) -> int:
    text = request.headers.get(header, "")
    if not text.isascii() or not text.isdecimal() or len(text) > _MAX_DIGITS:
        raise ParseError(f"{header} is missing, or no number from 0.")
    return int(text)


def _decoded(metadata: str) -> dict[str, str]:
    pairs = (pair.strip().partition(" ") for pair in metadata.split(",") if pair.strip())
    return {key: _from_base64(value).decode("utf-8", errors="replace") for key, _, value in pairs}


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ParseError("A header has a value that is not base64.") from exc
