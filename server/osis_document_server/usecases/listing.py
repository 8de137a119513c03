"""Listing documents, a page at a time.

A page begins behind the last document of the one before, found by its place in the order (keyset pagination): so a page costs the
same wherever it is, and documents that come and go meanwhile neither shift nor repeat the others.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from peewee import Field, ModelSelect

from osis_document_server.domain.documents import Document
from osis_document_server.domain.listing import (
    DEFAULT_PAGE_SIZE,
    PAGE_SIZE_LIMIT,
    DocumentFilter,
    Order,
    after_all_with_prefix,
)
from osis_document_server.errors import ArgumentInvalid
from osis_document_server.models import rows
from osis_document_server.models.database import reading
from osis_document_server.models.tables import BlobRow, DocumentRow
from osis_document_server.usecases.service import Service


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some documents, and how to ask for those behind them."""

    documents: Sequence[Document]
    #: Empty on the last page.
    next_page_token: str


class ListDocuments:
    """Lists documents."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def page(self, wanted: DocumentFilter, *, page_size: int = 0, page_token: str = "") -> Page:
        """Returns one page.

        Args:
            wanted: which documents, in which order.
            page_size: how many at most, 1 to 1,000; 0: 25.
            page_token: that of the page before, with the same filter and order; empty: the first page.

        Raises:
            ArgumentInvalid: a page size out of bounds; a foreign page token, or one of another filter.
        """
        if not 0 <= page_size <= PAGE_SIZE_LIMIT:
            raise ArgumentInvalid(
                f"page_size is {page_size}; ask for 1 to {PAGE_SIZE_LIMIT}.", field="page_size", value=page_size
            )
        size = page_size or DEFAULT_PAGE_SIZE
        query = _filtered(wanted)
        if page_token:
            query = query.where(_behind(wanted.order, _read_token(page_token, wanted)))
        sql, parameters = query.order_by(*_ordering(wanted.order)).limit(size + 1).sql()
        with reading(self._service.database):
            documents = rows.fetch_documents(self._service.database, sql, parameters)
        token = _token_of(documents[size - 1], wanted) if len(documents) > size else ""
        return Page(documents=documents[:size], next_page_token=token)


def _filtered(wanted: DocumentFilter) -> "ModelSelect[DocumentRow]":
    query = rows.select_documents()
    if wanted.statuses:
        query = query.where(DocumentRow.status.in_(sorted(wanted.statuses)))
    if wanted.mime_types:
        query = query.where(DocumentRow.mime_type.in_(sorted(wanted.mime_types)))
    if wanted.name_contains:
        query = query.where(DocumentRow.folded_name.contains(wanted.name_contains.casefold()))
    if wanted.path_prefix:
        query = query.where(DocumentRow.path >= wanted.path_prefix)
        if behind := after_all_with_prefix(wanted.path_prefix):
            query = query.where(DocumentRow.path < behind)
    if wanted.uploaded_from is not None:
        query = query.where(DocumentRow.uploaded_at >= wanted.uploaded_from)
    if wanted.uploaded_before is not None:
        query = query.where(DocumentRow.uploaded_at < wanted.uploaded_before)
    if wanted.held is not None:
        query = query.where(DocumentRow.hold_expires_at.is_null(not wanted.held))
    if wanted.corrupt is not None:
        damaged = BlobRow.select(BlobRow.key).where(BlobRow.corrupt)
        is_damaged = DocumentRow.blob.in_(damaged) | (
            DocumentRow.modified_blob.is_null(False) & DocumentRow.modified_blob.in_(damaged)
        )
        query = query.where(is_damaged if wanted.corrupt else ~is_damaged)
    return query


def _ordering(order: Order) -> tuple[Any, ...]:
    match order:
        case Order.NEWEST_FIRST:
            return DocumentRow.uploaded_at.desc(), DocumentRow.id.desc()
        case Order.OLDEST_FIRST:
            return DocumentRow.uploaded_at.asc(), DocumentRow.id.asc()
        case Order.BY_PATH:
            return DocumentRow.path.asc(), DocumentRow.id.asc()


def _behind(order: Order, place: tuple[Any, UUID]) -> Any:
    """The condition that a document stands behind a place. The first half alone is what an index is entered with."""
    value, document_id = place
    column: Field = DocumentRow.path if order is Order.BY_PATH else DocumentRow.uploaded_at
    if order is Order.NEWEST_FIRST:
        return (column <= value) & ((column < value) | (DocumentRow.id < document_id))
    return (column >= value) & ((column > value) | (DocumentRow.id > document_id))


def _token_of(last: Document, wanted: DocumentFilter) -> str:
    value = last.path if wanted.order is Order.BY_PATH else last.uploaded_at.astimezone(UTC).isoformat()
    content = json.dumps([_digest(wanted), value, last.id.hex], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _read_token(token: str, wanted: DocumentFilter) -> tuple[Any, UUID]:
    try:
        digest, value, document_id = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        place = (str(value) if wanted.order is Order.BY_PATH else datetime.fromisoformat(value), UUID(hex=document_id))
    except (ValueError, TypeError, AttributeError):
        digest = None
    if digest != _digest(wanted):
        raise ArgumentInvalid(
            "The page_token is none of this list's. Send back next_page_token as it was, with the same filters and order.",
            field="page_token",
        )
    return place


def _digest(wanted: DocumentFilter) -> str:
    """Tells lists apart, so that a page token is good for its own alone."""
    said = [[name, sorted(value) if isinstance(value, frozenset) else str(value)] for name, value in sorted(vars(wanted).items())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
