"""Changing documents: their metadata, their content, their status."""

from collections.abc import Iterable, Mapping
from typing import Any

from osis.document.v1.document_pb2 import Document, DocumentResult
from osis.document.v1.document_service_pb2 import (
    DeclareInfectedRequest,
    DeleteDocumentsRequest,
    DuplicateDocument,
    DuplicateDocumentsRequest,
    RotateImageRequest,
    RotateImageResponse,
    SaveEditRequest,
    SaveEditResponse,
    UndeleteDocumentsRequest,
    UpdateMetadataRequest,
)
from osis.document.v1.error_reason_pb2 import ErrorReason
from tests.support.stubs import Stubs


def update(stubs: Stubs, token: str, **fields: Any) -> Document:
    """Changes the name and the users' own keys; answers the document."""
    document: Document = stubs.documents.UpdateMetadata(UpdateMetadataRequest(token=token, **fields)).document
    return document


def rotate(
    stubs: Stubs, token: str, degrees: int = 90, *, request_id: str = "", seconds: float | None = None
) -> RotateImageResponse:
    """Rotates an image."""
    request = RotateImageRequest(token=token, degrees=degrees, request_id=request_id)
    answer: RotateImageResponse = stubs.documents.RotateImage(request, timeout=seconds)
    return answer


def save_edit(
    stubs: Stubs,
    token: str,
    edited: str = "",
    *,
    rotations: Mapping[int, int] | None = None,
    request_id: str = "",
    seconds: float | None = None,
) -> SaveEditResponse:
    """Saves an edited PDF."""
    request = SaveEditRequest(token=token, edited_upload_token=edited, rotations=rotations or {}, request_id=request_id)
    answer: SaveEditResponse = stubs.documents.SaveEdit(request, timeout=seconds)
    return answer


def delete(stubs: Stubs, *document_ids: str) -> list[DocumentResult]:
    """Deletes documents; answers one result each."""
    return list(stubs.documents.DeleteDocuments(DeleteDocumentsRequest(document_ids=document_ids)).results)


def undelete(stubs: Stubs, *document_ids: str) -> list[DocumentResult]:
    """Takes deletions back; answers one result each."""
    return list(stubs.documents.UndeleteDocuments(UndeleteDocumentsRequest(document_ids=document_ids)).results)


def duplicate_all(stubs: Stubs, items: Iterable[DuplicateDocument], *, with_modified: bool = False) -> list[DocumentResult]:
    """Duplicates documents; answers one result each."""
    request = DuplicateDocumentsRequest(documents=items, with_modified=with_modified)
    return list(stubs.documents.DuplicateDocuments(request).results)


def duplicate(stubs: Stubs, document_id: str, *, with_modified: bool = False, **fields: Any) -> Document:
    """Duplicates one document."""
    item = DuplicateDocument(document_id=document_id, **fields)
    [result] = duplicate_all(stubs, [item], with_modified=with_modified)
    assert result.HasField("document"), result
    document: Document = result.document
    return document


def infect(stubs: Stubs, document_id: str = "", *, path: str = "") -> list[Document]:
    """Declares infected, by path if one is given, else by id; answers all documents that are."""
    request = DeclareInfectedRequest(path=path) if path else DeclareInfectedRequest(document_id=document_id)
    return list(stubs.documents.DeclareInfected(request).documents)


def reason_of(result: Any) -> str:
    """Why an item of a batch was refused, without the prefix; empty if it was not."""
    return ErrorReason.Name(result.error.reason).removeprefix("ERROR_REASON_") if result.HasField("error") else ""
