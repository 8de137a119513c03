"""What the service accepts: names, paths, sizes and kinds of files. Its limits are those of the host's own settings."""

from __future__ import annotations

import json
import unicodedata
from pathlib import PurePosixPath
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from osis_document import conf
from osis_document_client import (
    BatchTooLarge,
    EmptyFile,
    ExtensionNotAllowed,
    FileTooLarge,
    MetadataInvalid,
    MimeMismatch,
    NameInvalid,
    PathInvalid,
)

PDF, TEXT, UNKNOWN = "application/pdf", "text/plain", "application/octet-stream"
IMAGES = {"image/jpeg", "image/png"}
_OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ODT = "application/vnd.oasis.opendocument.text"
_TYPES = {
    "pdf": PDF,
    "txt": TEXT,
    "docx": _OFFICE,
    "doc": "application/msword",
    "odt": _ODT,
    "png": "image/png",
    "jpg": "image/jpeg",
}
#: What is made PDFs of.
CONVERTIBLE = frozenset(_TYPES.values()) - {PDF}
_BEGINNINGS = {
    b"%PDF-": PDF,
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": _TYPES["doc"],
    b"{\\rtf": _TYPES["doc"],
    b"GIF8": "image/gif",
}
_BATCH, _NAME, _PATH, _METADATA_BYTES = 1_000, 255, 1_024, 64 << 10


def require_name(name: str) -> str:
    """Answers a name as it is kept, if it can be one."""
    name = unicodedata.normalize("NFC", name)
    if not name.strip() or len(name) > _NAME or name in {".", ".."} or _has_control(name) or set("/\\") & set(name):
        raise NameInvalid(f"The file name {name[:80]!r} cannot be one.", metadata={"name": name[:80]})
    return name


def require_extension(name: str) -> None:
    """Refuses names with an extension that is not accepted."""
    extension, allowed = extension_of(name), conf.allowed_extensions()
    if extension not in allowed:
        message = f"The service does not accept files with the extension .{extension}."
        raise ExtensionNotAllowed(message, metadata={"extension": extension, "allowed": " ".join(allowed)})


def require_size(size_bytes: int, *, name: str = "") -> None:
    """Refuses empty files and those that are too large."""
    limit = conf.max_upload_size()
    if size_bytes == 0:
        raise EmptyFile(f"The file {name!r} has no bytes.", metadata={"name": name})
    if limit is not None and size_bytes > limit:
        metadata = {"limit_bytes": str(limit), "size_bytes": str(size_bytes)}
        raise FileTooLarge(f"The file has {size_bytes} bytes; the service accepts {limit}.", metadata=metadata)


def require_metadata(metadata: Struct) -> None:
    """Refuses own keys that are too large."""
    size = len(json.dumps(own_keys(metadata)).encode())
    if size > _METADATA_BYTES:
        values = {"size_bytes": str(size), "limit_bytes": str(_METADATA_BYTES)}
        raise MetadataInvalid(f"The metadata takes {size} bytes as JSON.", metadata=values)


def require_batch(count: int) -> None:
    """Refuses batches of nothing, and of too much."""
    if not 1 <= count <= _BATCH:
        metadata = {"count": str(count), "limit": str(_BATCH)}
        raise BatchTooLarge(f"The batch has {count} items; send 1 to {_BATCH} in one call.", metadata=metadata)


def own_keys(metadata: Struct) -> dict[str, Any]:
    """What a Struct has, as JSON writes it."""
    said: dict[str, Any] = MessageToDict(metadata)
    return said


def path_of(path: str, name: str) -> str:
    """The logical path of a document called so."""
    resolved = unicodedata.normalize("NFC", path + name if path.endswith("/") or not path else path)
    parts = resolved.split("/")
    if len(resolved) > _PATH or {"", ".", ".."} & set(parts) or "\\" in resolved or _has_control(resolved):
        raise PathInvalid(f"The path {resolved[:80]!r} cannot be one.", metadata={"path": resolved[:80]})
    return resolved


def mime_type_of(content: bytes, name: str) -> str:
    """The kind of file that some content is, by a short look."""
    for beginning, mime_type in _BEGINNINGS.items():
        if content.startswith(beginning):
            return mime_type
    if content.startswith(b"PK\x03\x04"):
        return _ODT if _ODT.encode() in content[:200] else _OFFICE if b"word/" in content else "application/zip"
    if extension_of(name) == "txt":
        return TEXT
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return UNKNOWN
    return "text/html" if text.lstrip().lower().startswith(("<!doctype html", "<html")) else UNKNOWN if "\0" in text else TEXT


def require_agreement(name: str, detected: str) -> None:
    """Refuses names whose extension says something else than the content, unless the host's settings have it otherwise."""
    extension = extension_of(name)
    if conf.mimetype_validation_enabled() and detected != _TYPES.get(extension, detected):
        metadata = {"extension": extension, "detected": detected}
        raise MimeMismatch(f"{name!r} looks like {detected}, not like .{extension}.", metadata=metadata)


def extension_of(name: str) -> str:
    """The extension without its dot, in lower case; `jpg` for `jpeg`."""
    extension = PurePosixPath(name).suffix[1:].lower()
    return "jpg" if extension == "jpeg" else extension


def _has_control(text: str) -> bool:
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
