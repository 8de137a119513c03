"""What the fake has in memory, and how a token opens it."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from osis.document.v1.document_pb2 import Document, DocumentResult, DocumentStatus, ItemError
from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.post_processing_pb2 import PostProcessing
from osis.document.v1.upload_service_pb2 import UploadSpec
from osis_document import conf
from osis_document_client import (
    DocumentCorrupt,
    DocumentDeleted,
    DocumentInfected,
    DocumentNotFound,
    ModifiedCopyNotFound,
    ServiceError,
    TokenExpired,
    TokenSpent,
    TokenWrongPurpose,
)

from ..services import times
from .signing import Claims, Signer

REQUESTED = DocumentStatus.DOCUMENT_STATUS_REQUESTED
UPLOADED = DocumentStatus.DOCUMENT_STATUS_UPLOADED
DELETED = DocumentStatus.DOCUMENT_STATUS_DELETED
INFECTED = DocumentStatus.DOCUMENT_STATUS_INFECTED


@dataclass(kw_only=True)
class Stored:
    """A document: what the service says of it, and its bytes."""

    document: Document
    content: bytes
    blob: str = field(default_factory=lambda: str(uuid.uuid4()))
    """The same for documents that share their bytes: duplicates, and PDFs that passed through a conversion."""

    modified: bytes | None = None
    confirmed_by: str = ""
    deleted_from: DocumentStatus.ValueType = UPLOADED
    made_from: frozenset[str] = frozenset()


@dataclass(kw_only=True)
class Begun:
    """An upload that is not finished."""

    spec: UploadSpec
    data: bytearray = field(default_factory=bytearray)


class Store:
    """All documents, uploads and jobs, in the order in which they came."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.signer = Signer()
        self.documents: dict[str, Stored] = {}
        self.uploads: dict[str, Begun] = {}
        self.jobs: dict[str, PostProcessing] = {}
        self.requests: dict[str, object] = {}
        self.passed = timedelta(0)

    def now(self) -> datetime:
        """The time, as far as the fake is concerned."""
        return datetime.now(UTC) + self.passed

    def add(self, name: str, content: bytes, *, mime_type: str, document_id: str = "", path: str = "") -> Stored:
        """Keeps a document."""
        now = times.timestamp(self.now())
        document = Document(
            id=document_id or str(uuid.uuid4()),
            name=name,
            mime_type=mime_type,
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            status=UPLOADED,
            path=path,
            upload_time=now,
            update_time=now,
            client="fake",
        )
        self.documents[document.id] = Stored(document=document, content=content)
        return self.documents[document.id]

    def sweep(self) -> None:
        """Removes what nobody confirmed or finalised in time, and what has expired."""
        now = self.now()
        unconfirmed_until = now - timedelta(seconds=conf.temp_upload_max_age())
        for found in list(self.documents.values()):
            document = found.document
            ends = [times.moment(end) for name in ("hold_expire_time", "expire_time") if (end := _optional(document, name))]
            late = document.status == REQUESTED and times.moment(document.upload_time) < unconfirmed_until
            if late or any(end <= now for end in ends):
                del self.documents[document.id]

    def find(self, document_id: str) -> Stored:
        """Finds a document.

        Raises:
            DocumentNotFound: there is none.
        """
        found = self.documents.get(document_id)
        if found is None:
            raise DocumentNotFound(f"There is no document {document_id}.", metadata={"document_id": document_id})
        return found

    def find_open(self, document_id: str) -> Stored:
        """Finds a document that is neither deleted nor infected."""
        found = self.find(document_id)
        if found.document.status in {DELETED, INFECTED}:
            error = DocumentInfected if found.document.status == INFECTED else DocumentDeleted
            raise error(f"Document {document_id} is not to be had any more.", metadata={"document_id": document_id})
        return found

    def find_readable(self, claims: Claims) -> Stored:
        """Finds what a token reads."""
        found = self.find_open(claims.document)
        require_sound(found, modified=claims.modified)
        return found

    def sign(self, found: Stored, purpose: str, *, ttl: timedelta | None = None, modified: bool = False) -> tuple[str, Claims]:
        """Makes a token for a document."""
        now = self.now()
        claims = Claims(
            document=found.document.id,
            purpose=purpose,
            revision=found.document.revision,
            modified=modified,
            iat=int(now.timestamp()),
            exp=int((now + (ttl or timedelta(seconds=conf.token_max_age()))).timestamp()),
        )
        return self.signer.sign(claims), claims

    def verify(self, token: str, *purposes: str) -> Claims:
        """Reads a token that is good now, and for one of these purposes."""
        claims = self.signer.read(token)
        if self.now().timestamp() >= claims.exp:
            ended = datetime.fromtimestamp(claims.exp, UTC).isoformat().replace("+00:00", "Z")
            raise TokenExpired(f"The token expired at {ended}.", metadata={"expire_time": ended})
        if purposes and claims.purpose not in purposes:
            metadata = {"purpose": claims.purpose, "needed": " or ".join(purposes)}
            raise TokenWrongPurpose(f"This is a {claims.purpose} token.", metadata=metadata)
        return claims


def require_unspent(found: Stored, claims: Claims) -> None:
    """Refuses a token whose one change of content is done."""
    confirmed = claims.purpose == "upload" and found.document.status != REQUESTED
    if confirmed or claims.revision != found.document.revision:
        raise spent(found)


def require_sound(found: Stored, *, modified: bool) -> None:
    """Refuses content that is damaged, or a modified copy that does not exist."""
    metadata = {"document_id": found.document.id}
    if modified and found.modified is None:
        raise ModifiedCopyNotFound(f"Document {found.document.id} has no modified copy.", metadata=metadata)
    if found.document.corrupt and not modified:
        raise DocumentCorrupt(f"Stored bytes of document {found.document.id} are damaged.", metadata=metadata)


def spent(found: Stored) -> TokenSpent:
    """The error for a token that has no change left."""
    return TokenSpent(f"The token of document {found.document.id} was used.", metadata={"document_id": found.document.id})


def item_error(error: ServiceError) -> ItemError:
    """An error as an item of a batch has it."""
    return ItemError(reason=ErrorReason.Value(f"ERROR_REASON_{error.reason}"), message=error.message, metadata=error.metadata)


def results(items: Iterable[str], act: Callable[[str], Stored]) -> Iterator[DocumentResult]:
    """What becomes of each of these documents."""
    for item in items:
        try:
            yield DocumentResult(document=act(item).document)
        except ServiceError as exc:
            yield DocumentResult(error=item_error(exc))


def _optional(document: Document, name: str) -> Timestamp | None:
    found: Timestamp = getattr(document, name)
    return found if document.HasField(name) else None  # type: ignore[arg-type]  # both names are the document's
