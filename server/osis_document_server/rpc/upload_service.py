"""UploadService."""

from collections.abc import Iterator
from uuid import UUID

import grpc

from osis.document.v1 import upload_service_pb2 as pb
from osis.document.v1 import upload_service_pb2_grpc
from osis_document_server.domain.names import parse_id
from osis_document_server.domain.uploads import Chunk, Finished, UploadSpec
from osis_document_server.errors import ArgumentInvalid
from osis_document_server.rpc import convert
from osis_document_server.rpc.callers import current_caller
from osis_document_server.usecases.uploads import Uploads


class UploadServicer(upload_service_pb2_grpc.UploadServiceServicer):
    """Converts in, calls the use case, converts out."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    def StartUpload(self, request: pb.StartUploadRequest, context: grpc.ServicerContext) -> pb.StartUploadResponse:
        outcome = self._uploads.start(current_caller(), convert.from_upload_spec(request.upload_spec))
        if isinstance(outcome, Finished):
            return pb.StartUploadResponse(result=convert.to_upload_result(outcome))
        return pb.StartUploadResponse(persisted_size=outcome.persisted_size, expire_time=convert.timestamp(outcome.expires_at))

    def WriteUpload(
        self, request_iterator: Iterator[pb.WriteUploadRequest], context: grpc.ServicerContext
    ) -> pb.WriteUploadResponse:
        first = next(request_iterator, pb.WriteUploadRequest())
        target: UploadSpec | UUID
        match first.WhichOneof("first_message"):
            case "upload_spec":
                target = convert.from_upload_spec(first.upload_spec)
            case "upload_id":
                target = parse_id(first.upload_id, field="upload_id")
            case _:
                raise ArgumentInvalid(
                    "The first message of an upload names it: set upload_spec, or upload_id to continue.", field="first_message"
                )
        outcome = self._uploads.write(current_caller(), target, _chunks(first, request_iterator))
        if isinstance(outcome, Finished):
            return pb.WriteUploadResponse(result=convert.to_upload_result(outcome))
        return pb.WriteUploadResponse(persisted_size=outcome.persisted_size)

    def GetUploadStatus(self, request: pb.GetUploadStatusRequest, context: grpc.ServicerContext) -> pb.GetUploadStatusResponse:
        outcome = self._uploads.status(current_caller(), parse_id(request.upload_id, field="upload_id"))
        if isinstance(outcome, Finished):
            return pb.GetUploadStatusResponse(
                result=convert.to_upload_result(outcome), size_bytes=outcome.document.blob.size_bytes
            )
        return pb.GetUploadStatusResponse(
            persisted_size=outcome.persisted_size,
            expire_time=convert.timestamp(outcome.expires_at),
            size_bytes=outcome.size_bytes,
        )

    def CancelUpload(self, request: pb.CancelUploadRequest, context: grpc.ServicerContext) -> pb.CancelUploadResponse:
        self._uploads.cancel(current_caller(), parse_id(request.upload_id, field="upload_id"))
        return pb.CancelUploadResponse()


def _chunks(first: pb.WriteUploadRequest, rest: Iterator[pb.WriteUploadRequest]) -> Iterator[Chunk]:
    yield convert.from_write_upload(first)
    for message in rest:
        if message.WhichOneof("first_message"):
            raise ArgumentInvalid("Only the first message of a stream names the upload.", field="first_message")
        yield convert.from_write_upload(message)
