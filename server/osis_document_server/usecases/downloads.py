"""Handing a document's bytes out, each block checked before it leaves."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from osis_document_server.domain import blocks
from osis_document_server.domain.blocks import BLOCK_SIZE
from osis_document_server.domain.documents import Blob, Document
from osis_document_server.errors import ArgumentInvalid, ContentChanged, RangeNotSatisfiable
from osis_document_server.models import rows
from osis_document_server.models.database import reading, unit_of_work
from osis_document_server.models.tables import BlobRow
from osis_document_server.storage.base import BlobMissing
from osis_document_server.usecases import access, storage_identity
from osis_document_server.usecases.service import Service

_log = structlog.get_logger(__name__)

#: Seconds after which a download that is under way looks whether its document is still to be had.
LOOK_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Content:
    """What is about to be sent: a part of a document's content, or of its modified copy's."""

    document: Document
    blob: Blob
    mime_type: str
    modified: bool
    start: int
    #: Behind the last byte.
    end: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """The next bytes, with their CRC32C."""

    data: bytes
    crc32c: int


def whole(document: Document, *, modified: bool) -> Content:
    """Returns all of a document's content, or of its modified copy's if it has one and that is wanted."""
    source = document.modified if modified and document.modified is not None else document
    return Content(
        document=document, blob=source.blob, mime_type=source.mime_type, modified=modified, start=0, end=source.blob.size_bytes
    )


class Downloads:
    """Hands documents out."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def find(self, token: str, *, offset: int = 0, limit: int = 0, expected_sha256: str = "") -> Content:
        """Returns what a token, an offset (negative: from the end) and a limit (0: to the end) stand for.

        Raises:
            TokenInvalid, TokenExpired, DocumentNotFound, DocumentDeleted, DocumentInfected, DocumentCorrupt,
            ModifiedCopyNotFound: the token opens nothing.
            RangeNotSatisfiable: the range starts at or behind the end.
            ContentChanged: the content is not the expected one.
        """
        claims = access.verify(self._service, token)
        content = whole(access.readable_document(self._service, claims), modified=claims.modified)
        document, blob = content.document, content.blob
        if expected_sha256 and expected_sha256 != blob.sha256:
            raise ContentChanged(
                f"Document {document.id} has other content by now. Start the download again from its beginning.",
                field="expected_sha256",
                expected_sha256=expected_sha256,
                sha256=blob.sha256,
            )
        if limit < 0:
            raise ArgumentInvalid(f"read_limit is {limit}; it cannot be negative.", field="read_limit", value=limit)
        start = max(0, blob.size_bytes + offset) if offset < 0 else offset
        if start >= blob.size_bytes:
            raise RangeNotSatisfiable(
                f"read_offset is {offset}, but the content ends at {blob.size_bytes}.",
                field="read_offset",
                read_offset=offset,
                complete_size=blob.size_bytes,
            )
        return replace(content, start=start, end=min(blob.size_bytes, start + limit) if limit else blob.size_bytes)

    def read(self, content: Content) -> Iterator[Part]:
        """Yields the bytes, a block of the blob at a time, none of which has not been checked.

        Raises:
            DocumentDeleted, DocumentInfected, DocumentNotFound: the document was closed or removed meanwhile.
            DocumentCorrupt: a block is damaged or missing; the blob is marked, so that every later read says so at once.
            StorageUnavailable: the storage reports an error, or is not there as a whole.
        """
        checksums = blocks.unpack(content.blob.block_checksums)
        first, last = content.start // BLOCK_SIZE, (content.end - 1) // BLOCK_SIZE
        looked_at = time.monotonic()
        try:
            with self._service.storage.open(content.blob.key, start=first * BLOCK_SIZE, end=(last + 1) * BLOCK_SIZE) as reader:
                for number in range(first, last + 1):
                    if time.monotonic() - looked_at >= LOOK_SECONDS:
                        self._require_open(content.document.id)
                        looked_at = time.monotonic()
                    begins = number * BLOCK_SIZE
                    data = reader.read(begins, BLOCK_SIZE)
                    if (
                        len(data) != min(BLOCK_SIZE, content.blob.size_bytes - begins)
                        or blocks.checksum(data) != checksums[number]
                    ):
                        self._mark_corrupt(content.document.id, content.blob.key, block=number)
                        raise access.corrupt(content.document.id, block=number)
                    if begins < content.start or content.end < begins + len(data):
                        data = data[max(0, content.start - begins) : content.end - begins]
                        yield Part(data=data, crc32c=blocks.checksum(data))
                    else:
                        yield Part(data=data, crc32c=checksums[number])
        except BlobMissing:
            if self._is_replaced(content):
                raise ContentChanged(
                    f"Document {content.document.id} has got other content just now. Start the download again.",
                    document_id=content.document.id,
                ) from None
            storage_identity.require_present(self._service)
            self._mark_corrupt(content.document.id, content.blob.key, block=None)
            raise access.corrupt(content.document.id) from None

    def _require_open(self, document_id: UUID) -> None:
        with reading(self._service.database):
            access.require_open(rows.find_document(self._service.database, document_id), document_id)

    def _is_replaced(self, content: Content) -> bool:
        with reading(self._service.database):
            document = rows.find_document(self._service.database, content.document.id)
        if document is None:
            return True
        return content.blob.key not in {document.blob.key, document.modified.blob.key if document.modified else ""}

    def _mark_corrupt(self, document_id: UUID, key: str, *, block: int | None) -> None:
        _log.error("blob damaged", document_id=str(document_id), blob=key, block=block)
        with unit_of_work(self._service.database):
            BlobRow.update(corrupt=True).where(BlobRow.key == key).execute()
