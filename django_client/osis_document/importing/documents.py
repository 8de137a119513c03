"""Documents and modified copies of the existing product, as the service takes them."""

from __future__ import annotations

import os
import unicodedata
import uuid
from datetime import datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from django.utils import timezone

from osis.document.v1.document_pb2 import Document, DocumentStatus, ExpirationPolicy
from osis.document.v1.upload_service_pb2 import ImportSpec, UploadSpec
from osis_document_client import to_struct

from .. import conf
from ..services import times
from ..services.documents import SYSTEM_KEYS
from .outcomes import NotImported, Outcome
from .tables import OldCopy, OldDocument

#: What the existing product writes into the metadata for itself.
_ITS_OWN_KEYS = SYSTEM_KEYS | {"modified_hash", "post_processing"}
_NAME_LIMIT = 255
_CLOCK_LEEWAY = timedelta(milliseconds=1)


def is_over(document: OldDocument, *, now: datetime) -> bool:
    """True when the service would remove the document at once: it has expired, or nobody has confirmed it in time."""
    if document.status == "REQUESTED":
        latest = max(document.uploaded_at, document.modified_at)
        return latest < now - timedelta(seconds=conf.temp_upload_max_age())
    expires_at = _expiration(document)
    return document.status == "UPLOADED" and expires_at is not None and expires_at <= now


def document_spec(document: OldDocument, file: BinaryIO) -> UploadSpec:
    """What is said of a document before its bytes are sent.

    Raises:
        NotImported: its status or its metadata have no place in the service.
    """
    imported = ImportSpec(
        status=_status(document),
        path=document.file,
        upload_time=times.timestamp(document.uploaded_at),
        update_time=times.timestamp(document.modified_at),
    )
    expires_at = _expiration(document)
    if expires_at is not None:
        imported.expire_time.CopyFrom(times.timestamp(expires_at))
        imported.expiration_policy = ExpirationPolicy.EXPIRATION_POLICY_EXPORT
    try:
        own_keys = to_struct({key: value for key, value in document.metadata.items() if key not in _ITS_OWN_KEYS})
    except (TypeError, ValueError) as exc:
        raise NotImported(Outcome.REFUSED, str(exc)) from exc
    return UploadSpec(
        upload_id=str(document.id),
        name=name_of(document),
        size_bytes=_size_bytes(file),
        metadata=own_keys,
        imported=imported,
    )


def copy_spec(copy: OldCopy, file: BinaryIO) -> UploadSpec:
    """What is said of a modified copy. Its upload's id follows from the document's, so that another run goes on with it."""
    return UploadSpec(
        upload_id=str(uuid.uuid5(copy.document.id, "modified copy")),
        name=name_of(copy.document),
        size_bytes=_size_bytes(file),
        imported=ImportSpec(
            modified_copy_of=str(copy.document.id),
            upload_time=times.timestamp(copy.created_at),
            update_time=times.timestamp(copy.modified_at),
        ),
    )


def require_same_document(found: Document, document: OldDocument, *, sha256: str) -> None:
    """Raises `NotImported` unless the service's document is the one of the table, whatever was done to it there since."""
    if found.path != unicodedata.normalize("NFC", document.file):
        raise NotImported(Outcome.DIFFERENT, f"the service has a document with this id at {found.path!r}")
    if abs(times.moment(found.upload_time) - document.uploaded_at) > _CLOCK_LEEWAY:
        raise NotImported(Outcome.DIFFERENT, "the service has a document with this id that was uploaded at another time")
    if found.revision == 0 and found.sha256 != sha256:
        raise NotImported(Outcome.DIFFERENT, f"the service has a document with this id and the SHA-256 {found.sha256}")


def require_same_copy(found: Document, copy: OldCopy, *, sha256: str) -> None:
    """Raises `NotImported` unless the service's modified copy is the one of the table, or a later one of the same."""
    modified = found.modified
    changed_since = times.moment(modified.update_time) - copy.modified_at > _CLOCK_LEEWAY
    if modified.sha256 != sha256 and not changed_since:
        raise NotImported(Outcome.DIFFERENT, f"the service has a modified copy with the SHA-256 {modified.sha256}")


def declared_sha256(metadata: dict[str, Any], key: str) -> str:
    """The SHA-256 that the metadata have; empty if there is none."""
    declared = metadata.get(key)
    return declared if isinstance(declared, str) else ""


def name_of(document: OldDocument) -> str:
    """The name that people know the document by. What no file name may have becomes `_`; without one, it is that of the file."""
    name = document.metadata.get("name")
    if not isinstance(name, str) or not name.strip() or name.strip() in {".", ".."}:
        return PurePosixPath(document.file).name
    kept = "".join("_" if each in "/\\" or unicodedata.category(each) in {"Cc", "Cs"} else each for each in name)
    extension = PurePosixPath(kept).suffix
    return kept if len(kept) <= _NAME_LIMIT else kept[: _NAME_LIMIT - len(extension)] + extension


def _status(document: OldDocument) -> DocumentStatus.ValueType:
    try:
        return DocumentStatus.Value(f"DOCUMENT_STATUS_{document.status}")
    except ValueError:
        raise NotImported(Outcome.REFUSED, f"its status {document.status!r} is none that the service has") from None


def _expiration(document: OldDocument) -> datetime | None:
    """The beginning of the day on which it expires, in the project's time zone."""
    if document.expires_at is None:
        return None
    return timezone.make_aware(datetime.combine(document.expires_at, time.min), timezone.get_default_timezone())


def _size_bytes(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
