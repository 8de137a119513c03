"""Duplicating, removing, and condemning documents."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from osis.document.v1.document_pb2 import Document
from osis.document.v1.document_service_pb2 import (
    DeclareInfectedRequest,
    DeleteDocumentsRequest,
    DuplicateDocument,
    DuplicateDocumentsRequest,
    UndeleteDocumentsRequest,
)

from .._batches import MAX_DOCUMENTS, Results, document_or_error, in_batches
from .._errors import ServiceError
from .._repeating import repeat
from .._rpcs import Rpcs


def duplicate(
    client: Rpcs, documents: Iterable[str | DuplicateDocument], *, path: str = "", with_modified: bool = False
) -> list[Document]:
    """Makes independent documents of the same content.

    Args:
        documents: ids, to which `path` applies; or `DuplicateDocument` messages. Who chooses each `new_document_id` can do all of
            it again without making more duplicates; where there is none, a random one is sent.
        path: the duplicates' logical path; one that ends in `/` is a folder. By default that of the original.
        with_modified: the modified copies are shared along.

    Returns:
        The duplicates, in the order of `documents`.

    Raises:
        BatchFailed: some could not be made (`DocumentNotFound`, `DocumentNotConfirmed`, `DocumentCorrupt` …).
        ServiceError: the call as a whole was refused.
    """

    def call(items: list[str | DuplicateDocument]) -> Iterable[Document | ServiceError]:
        request = DuplicateDocumentsRequest(with_modified=with_modified)
        for item in items:
            request.documents.append(item if not isinstance(item, str) else DuplicateDocument(document_id=item, path=path))
            request.documents[-1].new_document_id = request.documents[-1].new_document_id or str(uuid.uuid4())
        return map(document_or_error, repeat(client, client.documents.DuplicateDocuments, request).results)

    return Results(in_batches(documents, call, size=MAX_DOCUMENTS)).require_all()


def delete(client: Rpcs, document_ids: Iterable[str]) -> list[Document]:
    """Deletes documents, and what jobs made of them. `undelete` takes it back while the service's retention time lasts.

    Returns:
        The documents, in the order of the ids; one that was deleted before is no error.

    Raises:
        BatchFailed: some could not be deleted (`DocumentNotFound`, `DocumentInfected`).
        ServiceError: the call as a whole was refused.
    """

    def call(ids: list[str]) -> Iterable[Document | ServiceError]:
        return map(document_or_error, client.documents.DeleteDocuments(DeleteDocumentsRequest(document_ids=ids)).results)

    return Results(in_batches(document_ids, call, size=MAX_DOCUMENTS)).require_all()


def undelete(client: Rpcs, document_ids: Iterable[str]) -> list[Document]:
    """Takes deletions back.

    Returns:
        The documents, in the order of the ids; one that is not deleted is no error.

    Raises:
        BatchFailed: some could not be brought back (`DocumentNotFound`: removed for good, `DocumentInfected`).
        ServiceError: the call as a whole was refused.
    """

    def call(ids: list[str]) -> Iterable[Document | ServiceError]:
        return map(document_or_error, client.documents.UndeleteDocuments(UndeleteDocumentsRequest(document_ids=ids)).results)

    return Results(in_batches(document_ids, call, size=MAX_DOCUMENTS)).require_all()


def declare_infected(client: Rpcs, document_id: str | None = None, *, path: str | None = None) -> list[Document]:
    """Declares a document, or every document with a path, infected. This cannot be taken back.

    Returns:
        Every document that is infected by now: those named, then those that share their bytes, and all made from them.

    Raises:
        ValueError: neither is given, or both.
        DocumentNotFound: no document has that id, or that path.
    """
    if (document_id is None) == (path is None):
        raise ValueError("give either document_id or path")
    named = DeclareInfectedRequest(path=path) if path is not None else DeclareInfectedRequest(document_id=document_id or "")
    return list(client.documents.DeclareInfected(named).documents)
