"""What the manifest tells of a document."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from osis.document.v1.document_pb2 import Document

from .._errors import DownloadDamaged
from .._struct import from_struct

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Wanted:
    """The content of a document that is wanted, and how the manifest describes it.

    Attributes:
        sha256: of the content, in hexadecimal.
        size_bytes: of the content.
        is_modified: it is the modified copy.
        entry: the description, as JSON without the file.
    """

    sha256: str
    size_bytes: int
    is_modified: bool
    entry: str


def wanted_of(document: Document, *, modified: bool) -> Wanted:
    """Chooses the content of a document: the original, or if that is said the modified copy, where there is one.

    Raises:
        DownloadDamaged: the description has an id or a checksum that is none.
    """
    is_modified = modified and document.HasField("modified")
    content = document.modified if is_modified else document
    if not (_ID.fullmatch(document.id) and _SHA256.fullmatch(content.sha256)):  # files are named after them
        raise DownloadDamaged(f"what the service says of document {document.id!r} cannot be; ask who runs it")
    entry = {
        "id": document.id,
        "path": document.path,
        "name": document.name,
        "content": "modified" if is_modified else "original",
        "mime_type": content.mime_type,
        "size_bytes": content.size_bytes,
        "sha256": content.sha256,
        "revision": document.revision,
        "upload_time": document.upload_time.ToJsonString(),
        "update_time": document.update_time.ToJsonString(),
        "metadata": from_struct(document.metadata),
    }
    if document.HasField("expire_time"):
        entry["expire_time"] = document.expire_time.ToJsonString()
    return Wanted(content.sha256, content.size_bytes, is_modified, json.dumps(entry))
