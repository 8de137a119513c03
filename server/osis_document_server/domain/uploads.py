"""Uploads: what is said of them, what arrives, what becomes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from osis_document_server.domain.documents import Document, ExpirationPolicy, Status
from osis_document_server.domain.tokens import SignedToken


@dataclass(frozen=True, kw_only=True)
class Import:
    """What an import keeps of an existing document."""

    status: Status = Status.UPLOADED
    path: str = ""
    uploaded_at: datetime | None = None
    updated_at: datetime | None = None
    expires_at: datetime | None = None
    expiration_policy: ExpirationPolicy = ExpirationPolicy.NONE
    #: If set, the bytes become the modified copy of this document.
    modified_copy_of: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class UploadSpec:
    """What the caller says of a file before sending it."""

    upload_id: UUID
    name: str
    size_bytes: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: The lease under which a worker uploads a task's output.
    lease_id: UUID | None = None
    imported: Import | None = None


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """One message of an upload's stream."""

    offset: int
    data: bytes
    finish: bool = False
    #: With ``finish``: what the caller says the SHA-256 is; empty if it does not.
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """An upload that became a document."""

    document: Document
    #: None when the document is confirmed already.
    token: SignedToken | None


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """An upload that waits for more."""

    persisted_size: int
    expires_at: datetime
    #: What was declared, if anything was.
    size_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Session:
    """The right to write to an upload, until somebody takes it over."""

    spec: UploadSpec
    #: When the upload was registered: an id that was cancelled may be in use again, with its epochs beginning anew.
    started_at: datetime
    epoch: int
    #: This writer's, unlike that of any other that ever wrote to an upload with this id.
    number: int
    #: Offset at which this writer begins.
    start: int
    #: Keys under which this writer and those before it store the whole of it, the newest last.
    blob_keys: tuple[str, ...]
