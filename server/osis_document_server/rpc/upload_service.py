"""UploadService."""

from collections.abc import Iterator

import grpc

from osis.document.v1 import upload_service_pb2 as pb
from osis.document.v1 import upload_service_pb2_grpc
from osis_document_server.domain.names import parse_id
from osis_document_server.errors import ArgumentInvalid
from osis_document_server.rpc import convert
from osis_document_server.rpc.callers import current_caller
from osis_document_server.usecases.uploads import Chunk, Finished, Interrupted, Uploads


class UploadServicer(upload_service_pb2_grpc.UploadServiceServicer):
    """Converts in, calls the use case, converts out."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    def WriteUpload(
        self, request_iterator: Iterator[pb.WriteUploadRequest], context: grpc.ServicerContext
    ) -> pb.WriteUploadResponse:
        first = next(request_iterator, pb.WriteUploadRequest())
        outcome: Finished | Interrupted
        match first.WhichOneof("first_message"):
            case "upload_spec":
                spec = convert.from_upload_spec(first.upload_spec)
                outcome = self._uploads.write(current_caller(), spec, _chunks(first, request_iterator))
            case "upload_id":
                # Until uploads can be resumed, the only one that can be continued by its id is one that is finished.
                outcome = self._uploads.find(current_caller(), parse_id(first.upload_id, field="upload_id"))
            case _:
                raise ArgumentInvalid(
                    "The first message of an upload names it: set upload_spec, or upload_id to continue.", field="first_message"
                )
        if isinstance(outcome, Finished):
            return pb.WriteUploadResponse(result=convert.to_upload_result(outcome))
        return pb.WriteUploadResponse(persisted_size=outcome.persisted_size)


def _chunks(first: pb.WriteUploadRequest, rest: Iterator[pb.WriteUploadRequest]) -> Iterator[Chunk]:
    yield convert.from_write_upload(first)
    for message in rest:
        if message.WhichOneof("first_message"):
            raise ArgumentInvalid("Only the first message of a stream names the upload.", field="first_message")
        yield convert.from_write_upload(message)
