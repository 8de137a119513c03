"""Listing documents, a page at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from peewee import Field, ModelSelect

from osis_document_server.domain.documents import Document
from osis_document_server.domain.listing import DocumentFilter, Order, after_all_with_prefix
from osis_document_server.models import rows
from osis_document_server.models.database import reading
from osis_document_server.models.tables import BlobRow, DocumentRow
from osis_document_server.usecases.paging import page_token, read_page_token, require_page_size
from osis_document_server.usecases.service import Service


@dataclass(frozen=True, kw_only=True)
class DocumentPage:
    """Some documents, and how to ask for those behind them."""

    documents: Sequence[Document]
    #: What was asked for.
    wanted: DocumentFilter
    #: Whether there are more behind them.
    has_more: bool

    @property
    def next_page_token(self) -> str:
        """Empty on the last page."""
        if not self.has_more:
            return ""
        last = self.documents[-1]
        return page_token(self.wanted, _place_of(last, self.wanted.order), last.id)

    def first(self, count: int) -> "DocumentPage":
        """Returns the page with its first documents alone, 1 at least; the next one begins behind them."""
        return replace(self, documents=self.documents[:count], has_more=self.has_more or count < len(self.documents))


class ListDocuments:
    """Lists documents."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def page(self, wanted: DocumentFilter, *, page_size: int = 0, token: str = "") -> DocumentPage:
        """Returns one page.

        Args:
            wanted: which documents, in which order.
            page_size: how many at most, 1 to 1,000; 0: 25.
            token: that of the page before, with the same filter and order; empty: the first page.

        Raises:
            ArgumentInvalid: a page size out of bounds; a foreign page token, or one of another filter.
        """
        size = require_page_size(page_size)
        query = _filtered(wanted)
        if token:
            query = query.where(_behind(wanted.order, *read_page_token(token, wanted, _PLACES[wanted.order])))
        sql, parameters = query.order_by(*_ordering(wanted.order)).limit(size + 1).sql()
        with reading(self._service.database):
            documents = rows.fetch_documents(self._service.database, sql, parameters)
        return DocumentPage(documents=documents[:size], wanted=wanted, has_more=len(documents) > size)


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


def _place_of(document: Document, order: Order) -> str:
    return document.path if order is Order.BY_PATH else document.uploaded_at.astimezone(UTC).isoformat()


#: How the place of each order is read.
_PLACES: dict[Order, Callable[[str], Any]] = {
    Order.NEWEST_FIRST: datetime.fromisoformat,
    Order.OLDEST_FIRST: datetime.fromisoformat,
    Order.BY_PATH: str,
}


def _behind(order: Order, value: Any, document_id: UUID) -> Any:
    """The condition that a document stands behind a place. The first half alone is what an index is entered with."""
    column: Field = DocumentRow.path if order is Order.BY_PATH else DocumentRow.uploaded_at
    if order is Order.NEWEST_FIRST:
        return (column <= value) & ((column < value) | (DocumentRow.id < document_id))
    return (column >= value) & ((column > value) | (DocumentRow.id > document_id))
