"""Asking for documents."""

from osis.document.v1.document_pb2 import Document, DocumentRef
from osis.document.v1.document_service_pb2 import GetDocumentRequest
from tests.support.stubs import Stubs


def get(stubs: Stubs, document_id: str = "", *, token: str = "") -> Document:
    """Describes a document, by a token if one is given, else by its id."""
    reference = DocumentRef(token=token) if token else DocumentRef(document_id=document_id)
    document: Document = stubs.documents.GetDocument(GetDocumentRequest(document=reference)).document
    return document
