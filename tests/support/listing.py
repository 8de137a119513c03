"""Listing documents, page by page."""

from collections.abc import Iterator
from typing import Any

from osis.document.v1.document_pb2 import Document
from osis.document.v1.document_service_pb2 import ListDocumentsRequest, ListDocumentsResponse
from tests.support.stubs import Stubs


def page(stubs: Stubs, **fields: Any) -> ListDocumentsResponse:
    """One page."""
    answer: ListDocumentsResponse = stubs.documents.ListDocuments(ListDocumentsRequest(**fields))
    return answer


def pages(stubs: Stubs, **fields: Any) -> Iterator[list[Document]]:
    """All pages, each asked for when it is wanted."""
    token = ""
    while True:
        answer = page(stubs, page_token=token, **fields)
        yield list(answer.documents)
        token = answer.next_page_token
        if not token:
            return


def listed(stubs: Stubs, **fields: Any) -> list[Document]:
    """All documents of all pages."""
    return [document for documents in pages(stubs, **fields) for document in documents]


def ids(stubs: Stubs, **fields: Any) -> list[str]:
    """The ids of all documents of all pages."""
    return [document.id for document in listed(stubs, **fields)]
