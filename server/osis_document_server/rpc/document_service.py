"""DocumentService."""

import grpc

from osis.document.v1 import document_service_pb2 as pb
from osis.document.v1 import document_service_pb2_grpc
from osis_document_server.domain.names import parse_id
from osis_document_server.errors import ArgumentInvalid
from osis_document_server.rpc import convert
from osis_document_server.rpc.callers import current_caller
from osis_document_server.usecases.confirmation import ConfirmUploads
from osis_document_server.usecases.documents import Documents
from osis_document_server.usecases.finalizing import FinalizeDocuments


class DocumentServicer(document_service_pb2_grpc.DocumentServiceServicer):
    """Converts in, calls the use case, converts out."""

    def __init__(self, documents: Documents, confirmation: ConfirmUploads, finalizing: FinalizeDocuments) -> None:
        self._documents = documents
        self._confirmation = confirmation
        self._finalizing = finalizing

    def ConfirmUploads(self, request: pb.ConfirmUploadsRequest, context: grpc.ServicerContext) -> pb.ConfirmUploadsResponse:
        documents = self._confirmation.confirm(
            [convert.from_confirm_upload(upload) for upload in request.uploads],
            request_id=request.request_id,
            hold=convert.from_hold(request.hold) if request.HasField("hold") else None,
        )
        return pb.ConfirmUploadsResponse(documents=[convert.to_document(document) for document in documents])

    def FinalizeDocuments(
        self, request: pb.FinalizeDocumentsRequest, context: grpc.ServicerContext
    ) -> pb.FinalizeDocumentsResponse:
        results = self._finalizing.finalize(convert.ids(request.document_ids, field="document_ids"))
        return pb.FinalizeDocumentsResponse(results=[convert.to_document_result(result) for result in results])

    def GetDocument(self, request: pb.GetDocumentRequest, context: grpc.ServicerContext) -> pb.GetDocumentResponse:
        match request.document.WhichOneof("ref"):
            case "token":
                document, for_modified = self._documents.by_token(request.document.token)
                return pb.GetDocumentResponse(document=convert.to_document(document), for_modified=for_modified)
            case "document_id":
                current_caller()
                document = self._documents.by_id(parse_id(request.document.document_id, field="document.document_id"))
                return pb.GetDocumentResponse(document=convert.to_document(document))
            case _:
                raise ArgumentInvalid("document says which document: set token or document_id.", field="document")
