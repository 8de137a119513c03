"""DocumentService."""

from itertools import accumulate

import grpc

from osis.document.v1 import document_pb2, document_service_pb2_grpc
from osis.document.v1 import document_service_pb2 as pb
from osis_document_server.domain.names import parse_id
from osis_document_server.errors import ArgumentInvalid
from osis_document_server.rpc import convert
from osis_document_server.rpc.callers import close_with, current_caller
from osis_document_server.usecases.confirmation import ConfirmUploads
from osis_document_server.usecases.content_changes import ContentChanges
from osis_document_server.usecases.documents import Documents
from osis_document_server.usecases.duplication import DuplicateDocuments
from osis_document_server.usecases.finalizing import FinalizeDocuments
from osis_document_server.usecases.lifecycle import Lifecycle
from osis_document_server.usecases.listing import ListDocuments
from osis_document_server.usecases.metadata import UpdateMetadata

#: What a page may come to: gRPC's clients take answers of 4 MiB, unless they are told otherwise.
_PAGE_BYTES = 3 * 1024 * 1024


class DocumentServicer(document_service_pb2_grpc.DocumentServiceServicer):
    """Converts in, calls the use case, converts out."""

    def __init__(
        self,
        *,
        documents: Documents,
        listing: ListDocuments,
        confirmation: ConfirmUploads,
        finalizing: FinalizeDocuments,
        metadata: UpdateMetadata,
        changes: ContentChanges,
        duplication: DuplicateDocuments,
        lifecycle: Lifecycle,
    ) -> None:
        self._documents = documents
        self._listing = listing
        self._confirmation = confirmation
        self._finalizing = finalizing
        self._metadata = metadata
        self._changes = changes
        self._duplication = duplication
        self._lifecycle = lifecycle

    def ConfirmUploads(self, request: pb.ConfirmUploadsRequest, context: grpc.ServicerContext) -> pb.ConfirmUploadsResponse:
        documents = self._confirmation.confirm(
            [convert.from_confirm_upload(upload) for upload in request.uploads],
            request_id=convert.request_id(request.request_id),
            hold=convert.from_hold(request.hold) if request.HasField("hold") else None,
        )
        return pb.ConfirmUploadsResponse(documents=[convert.to_document(document) for document in documents])

    def FinalizeDocuments(
        self, request: pb.FinalizeDocumentsRequest, context: grpc.ServicerContext
    ) -> pb.FinalizeDocumentsResponse:
        results = self._finalizing.finalize(convert.ids(request.document_ids, field="document_ids"))
        return pb.FinalizeDocumentsResponse(results=[convert.to_document_result(result) for result in results])

    def GetDocument(self, request: pb.GetDocumentRequest, context: grpc.ServicerContext) -> pb.GetDocumentResponse:
        _require_key_for_ids(request.document)
        found = self._documents.describe(convert.from_document_ref(request.document, field="document"))
        return pb.GetDocumentResponse(document=convert.to_document(found.document), for_modified=found.for_modified)

    def BatchGetDocuments(
        self, request: pb.BatchGetDocumentsRequest, context: grpc.ServicerContext
    ) -> pb.BatchGetDocumentsResponse:
        _require_key_for_ids(*request.documents)
        refs = [
            convert.from_document_ref(document, field=f"documents[{index}]") for index, document in enumerate(request.documents)
        ]
        results = self._documents.describe_all(refs)
        return pb.BatchGetDocumentsResponse(results=[convert.to_get_document_result(result) for result in results])

    def ListDocuments(self, request: pb.ListDocumentsRequest, context: grpc.ServicerContext) -> pb.ListDocumentsResponse:
        page = self._listing.page(convert.from_list_documents(request), page_size=request.page_size, token=request.page_token)
        documents = _fitting([convert.to_document(document) for document in page.documents])
        return pb.ListDocumentsResponse(documents=documents, next_page_token=page.first(len(documents)).next_page_token)

    def UpdateMetadata(self, request: pb.UpdateMetadataRequest, context: grpc.ServicerContext) -> pb.UpdateMetadataResponse:
        document = self._metadata.update(request.token, convert.from_update_metadata(request))
        return pb.UpdateMetadataResponse(document=convert.to_document(document))

    def RotateImage(self, request: pb.RotateImageRequest, context: grpc.ServicerContext) -> pb.RotateImageResponse:
        pending = self._changes.rotate(request.token, request.degrees, request_id=convert.request_id(request.request_id))
        close_with(context, pending.close)
        changed = pending.wait()
        return pb.RotateImageResponse(
            document=convert.to_document(changed.document),
            token=changed.token.text,
            token_expire_time=convert.timestamp(changed.token.claims.expires_at),
        )

    def SaveEdit(self, request: pb.SaveEditRequest, context: grpc.ServicerContext) -> pb.SaveEditResponse:
        pending = self._changes.save_edit(
            request.token,
            request.edited_upload_token,
            dict(request.rotations),
            request_id=convert.request_id(request.request_id),
        )
        close_with(context, pending.close)
        changed = pending.wait()
        return pb.SaveEditResponse(
            document=convert.to_document(changed.document),
            token=changed.token.text,
            token_expire_time=convert.timestamp(changed.token.claims.expires_at),
        )

    def DuplicateDocuments(
        self, request: pb.DuplicateDocumentsRequest, context: grpc.ServicerContext
    ) -> pb.DuplicateDocumentsResponse:
        results = self._duplication.duplicate(
            current_caller(),
            [convert.from_duplicate_document(item, index=index) for index, item in enumerate(request.documents)],
            with_modified=request.with_modified,
        )
        return pb.DuplicateDocumentsResponse(results=[convert.to_document_result(result) for result in results])

    def DeleteDocuments(self, request: pb.DeleteDocumentsRequest, context: grpc.ServicerContext) -> pb.DeleteDocumentsResponse:
        results = self._lifecycle.delete(convert.ids(request.document_ids, field="document_ids"))
        return pb.DeleteDocumentsResponse(results=[convert.to_document_result(result) for result in results])

    def UndeleteDocuments(
        self, request: pb.UndeleteDocumentsRequest, context: grpc.ServicerContext
    ) -> pb.UndeleteDocumentsResponse:
        results = self._lifecycle.undelete(convert.ids(request.document_ids, field="document_ids"))
        return pb.UndeleteDocumentsResponse(results=[convert.to_document_result(result) for result in results])

    def DeclareInfected(self, request: pb.DeclareInfectedRequest, context: grpc.ServicerContext) -> pb.DeclareInfectedResponse:
        match request.WhichOneof("target"):
            case "document_id":
                documents = self._lifecycle.declare_infected(parse_id(request.document_id, field="document_id"))
            case "path" if request.path:
                documents = self._lifecycle.declare_infected(convert.searched(request.path, field="path"))
            case _:
                raise ArgumentInvalid("Say which documents are infected: set document_id, or path.", field="target")
        return pb.DeclareInfectedResponse(documents=[convert.to_document(document) for document in documents])


def _require_key_for_ids(*refs: document_pb2.DocumentRef) -> None:
    """Raises ``ApiKeyMissing`` when a document is named by its id and the caller has sent no key."""
    if any(ref.WhichOneof("ref") == "document_id" for ref in refs):
        current_caller()


def _fitting(documents: list[document_pb2.Document]) -> list[document_pb2.Document]:
    """Returns the first of them that fit into an answer, one at least."""
    sizes = accumulate(document.ByteSize() for document in documents)
    return documents[: max(1, sum(size <= _PAGE_BYTES for size in sizes))]
