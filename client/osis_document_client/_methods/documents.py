"""Describing documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from google.protobuf.struct_pb2 import Struct

from osis.document.v1.document_pb2 import Document, DocumentRef, DocumentStatus
from osis.document.v1.document_service_pb2 import (
    BatchGetDocumentsRequest,
    DocumentOrder,
    GetDocumentRequest,
    ListDocumentsRequest,
    UpdateMetadataRequest,
)

from .._batches import MAX_DOCUMENTS, Results, document_or_error, in_batches
from .._errors import ServiceError
from .._paging import PAGE_SIZE, pages
from .._rpcs import Rpcs
from .._struct import optional_struct
from .._times import timestamp


def get_document(client: Rpcs, document_id: str | None = None, *, token: str | None = None) -> Document:
    """Describes one document, by its id (with a key) or by a token (without).

    Raises:
        ValueError: neither is given, or both.
        ServiceError: `DocumentNotFound`, `TokenExpired`, `DocumentDeleted` (by token) …
    """
    if (document_id is None) == (token is None):
        raise ValueError("give either document_id or token")
    reference = DocumentRef(token=token) if token is not None else DocumentRef(document_id=document_id or "")
    return client.documents.GetDocument(GetDocumentRequest(document=reference)).document


def get_documents(
    client: Rpcs, document_ids: Iterable[str] | None = None, *, tokens: Iterable[str] | None = None
) -> Results[Document]:
    """Describes many documents at once, by their ids (with a key) or by tokens (without).

    Returns:
        For each the document, or the error that `get_document` would have raised.

    Raises:
        ValueError: neither is given, or both.
        ServiceError: the call as a whole was refused.
    """
    if (document_ids is None) == (tokens is None):
        raise ValueError("give either document_ids or tokens")

    def call(items: list[str]) -> Iterable[Document | ServiceError]:
        references = [DocumentRef(token=item) if tokens is not None else DocumentRef(document_id=item) for item in items]
        return map(document_or_error, client.documents.BatchGetDocuments(BatchGetDocumentsRequest(documents=references)).results)

    return Results(in_batches(tokens if tokens is not None else document_ids or (), call, size=MAX_DOCUMENTS))


def list_documents(
    client: Rpcs,
    *,
    statuses: Iterable[DocumentStatus.ValueType] = (),
    mime_types: Iterable[str] = (),
    name_contains: str = "",
    path_prefix: str = "",
    uploaded_from: datetime | None = None,
    uploaded_before: datetime | None = None,
    held: bool | None = None,
    corrupt: bool | None = None,
    order: DocumentOrder.ValueType = DocumentOrder.DOCUMENT_ORDER_UPLOAD_TIME_DESC,
    page_size: int = PAGE_SIZE,
) -> Iterator[Document]:
    """Yields the documents for which all filters hold. Pages are asked for as the iteration comes to them.

    Args:
        statuses: of one of these. By default of any, so also deleted and infected ones.
        mime_types: of one of these media types. By default of any.
        name_contains: with this text in the name, whatever its case.
        path_prefix: with a path that starts with this text.
        uploaded_from: uploaded at this moment or later; it must know its time zone.
        uploaded_before: uploaded before this moment; it must know its time zone.
        held: held ones only (True), or only those that are not (False).
        corrupt: damaged ones only (True), or only sound ones (False).
        order: newest first by default.
        page_size: how many to ask for at once: 1 to 1,000.

    Raises:
        ValueError: a moment without a time zone.
        ServiceError: the service refused, while iterating.
    """
    request = ListDocumentsRequest(
        page_size=page_size,
        order=order,
        statuses=statuses,
        mime_types=mime_types,
        name_contains=name_contains,
        path_prefix=path_prefix,
        uploaded_from=timestamp(uploaded_from),
        uploaded_before=timestamp(uploaded_before),
        held=held,
        corrupt=corrupt,
    )
    return (document for page in pages(client, client.documents.ListDocuments, request) for document in page.documents)


def update_metadata(
    client: Rpcs,
    token: str,
    *,
    name: str | None = None,
    metadata: Mapping[str, Any] | Struct | None = None,
    remove_keys: Iterable[str] = (),
) -> Document:
    """Changes a document's name and the users' own keys. The token stays good.

    Args:
        token: a token that may write.
        name: the new name; unchanged by default.
        metadata: keys to set; those not named stay.
        remove_keys: keys to remove; unknown ones are ignored.

    Returns:
        The document as it is then.

    Raises:
        ServiceError: `TokenWrongPurpose`, `NameInvalid`, `MetadataInvalid`, `DocumentDeleted` …
    """
    request = UpdateMetadataRequest(token=token, name=name, metadata=optional_struct(metadata), remove_keys=remove_keys)
    return client.documents.UpdateMetadata(request).document
