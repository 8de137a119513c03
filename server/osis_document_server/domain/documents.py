"""Documents and the blobs they refer to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from osis_document_server.errors import DocumentDeleted, DocumentInfected


class Status(StrEnum):
    """Where a document is in its life."""

    REQUESTED = "REQUESTED"
    UPLOADED = "UPLOADED"
    DELETED = "DELETED"
    INFECTED = "INFECTED"


class ExpirationPolicy(StrEnum):
    """How long a confirmed document is kept."""

    NONE = "NONE"
    EXPORT = "EXPORT"


@dataclass(frozen=True, kw_only=True)
class Blob:
    """Stored bytes that never change."""

    key: str
    size_bytes: int
    sha256: str
    #: As ``blocks.BlockChecksums.packed`` gives them.
    block_checksums: bytes
    corrupt: bool = False


@dataclass(frozen=True, kw_only=True)
class ModifiedCopy:
    """An edited copy beside the original."""

    blob: Blob
    mime_type: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Document:
    """One stored document, with its blobs."""

    id: UUID
    name: str
    mime_type: str
    blob: Blob
    status: Status
    revision: int
    path: str
    metadata: Mapping[str, Any]
    expiration_policy: ExpirationPolicy
    uploaded_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    hold_expires_at: datetime | None
    client: str
    #: The request that confirmed it.
    confirm_request_id: str | None
    #: The lease under which a worker uploaded it, until its task is complete.
    lease_id: UUID | None
    #: The status that undeleting brings back; None: not deleted.
    deleted_from: Status | None
    deleted_at: datetime | None
    modified: ModifiedCopy | None = None

    @property
    def is_open(self) -> bool:
        """True unless the document is deleted or infected."""
        return self.status not in {Status.DELETED, Status.INFECTED}

    def require_open(self) -> None:
        """Raises ``DocumentDeleted`` or ``DocumentInfected`` when the document is not to be had any more."""
        if self.status is Status.INFECTED:
            raise DocumentInfected(
                f"Document {self.id} was declared infected; nothing of it is handed out any more.", document_id=self.id
            )
        if self.status is Status.DELETED:
            raise DocumentDeleted(
                f"Document {self.id} is deleted. UndeleteDocuments may bring it back while its retention time lasts.",
                document_id=self.id,
            )
