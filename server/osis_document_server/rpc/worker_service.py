"""WorkerService."""

from collections.abc import Iterator
from uuid import UUID

import grpc

from osis.document.v1 import worker_service_pb2 as pb
from osis.document.v1 import worker_service_pb2_grpc
from osis.document.v1.download_service_pb2 import DownloadHeader
from osis_document_server.domain.blocks import BLOCK_SIZE
from osis_document_server.domain.jobs import MAX_ATTEMPTS
from osis_document_server.domain.names import parse_id
from osis_document_server.errors import ServiceError
from osis_document_server.rpc import convert
from osis_document_server.usecases.downloads import Downloads
from osis_document_server.usecases.task_inputs import TaskInputs
from osis_document_server.usecases.tasks import Tasks


class WorkerServicer(worker_service_pb2_grpc.WorkerServiceServicer):
    """Converts in, calls the use case, converts out."""

    def __init__(self, tasks: Tasks, inputs: TaskInputs, downloads: Downloads) -> None:
        self._tasks = tasks
        self._inputs = inputs
        self._downloads = downloads

    def ClaimTask(self, request: pb.ClaimTaskRequest, context: grpc.ServicerContext) -> pb.ClaimTaskResponse:
        task = self._tasks.claim(
            parse_id(request.task_id, field="task_id"),
            lease_id=parse_id(request.lease_id, field="lease_id"),
            worker=request.worker,
        )
        return pb.ClaimTaskResponse(task=None if task is None else convert.to_task(task, max_attempts=MAX_ATTEMPTS))

    def ReadInputs(self, request: pb.ReadInputsRequest, context: grpc.ServicerContext) -> Iterator[pb.ReadInputsResponse]:
        response, size = pb.ReadInputsResponse(), 0
        try:
            for block in self._blocks(parse_id(request.lease_id, field="lease_id")):
                response.blocks.append(block)
                size += block.ByteSize()
                if size >= BLOCK_SIZE:
                    yield response
                    response, size = pb.ReadInputsResponse(), 0
        except ServiceError:
            if response.blocks:  # they are sound
                yield response
            raise
        if response.blocks:
            yield response

    def _blocks(self, lease_id: UUID) -> Iterator[pb.InputBlock]:
        for content in self._inputs.contents(lease_id):
            header: DownloadHeader | None = convert.to_download_header(content)
            for part in self._downloads.read(content):
                yield pb.InputBlock(header=header, data=part.data, crc32c=part.crc32c)
                header = None

    def ExtendLease(self, request: pb.ExtendLeaseRequest, context: grpc.ServicerContext) -> pb.ExtendLeaseResponse:
        expires_at = self._tasks.extend(parse_id(request.lease_id, field="lease_id"))
        return pb.ExtendLeaseResponse(lease_expire_time=convert.timestamp(expires_at))

    def CompleteTask(self, request: pb.CompleteTaskRequest, context: grpc.ServicerContext) -> pb.CompleteTaskResponse:
        self._tasks.complete(
            parse_id(request.lease_id, field="lease_id"), convert.ids(request.output_upload_ids, field="output_upload_ids")
        )
        return pb.CompleteTaskResponse()

    def FailTask(self, request: pb.FailTaskRequest, context: grpc.ServicerContext) -> pb.FailTaskResponse:
        will_retry = self._tasks.fail(parse_id(request.lease_id, field="lease_id"), convert.from_failure(request.failure))
        return pb.FailTaskResponse(will_retry=will_retry)

    def GiveBackTask(self, request: pb.GiveBackTaskRequest, context: grpc.ServicerContext) -> pb.GiveBackTaskResponse:
        self._tasks.give_back(parse_id(request.lease_id, field="lease_id"))
        return pb.GiveBackTaskResponse()
