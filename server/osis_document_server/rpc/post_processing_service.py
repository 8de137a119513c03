"""PostProcessingService."""

from collections.abc import Iterator

import grpc

from osis.document.v1 import post_processing_service_pb2 as pb
from osis.document.v1 import post_processing_service_pb2_grpc
from osis_document_server.domain.names import parse_id
from osis_document_server.rpc import convert
from osis_document_server.rpc.callers import close_with, current_caller
from osis_document_server.usecases.job_imports import ImportJobs
from osis_document_server.usecases.job_listing import ListJobs
from osis_document_server.usecases.post_processing import PostProcessings
from osis_document_server.usecases.watching import Watching


class PostProcessingServicer(post_processing_service_pb2_grpc.PostProcessingServiceServicer):
    """Converts in, calls the use case, converts out."""

    def __init__(self, post_processings: PostProcessings, imports: ImportJobs, listing: ListJobs, watching: Watching) -> None:
        self._post_processings = post_processings
        self._imports = imports
        self._listing = listing
        self._watching = watching

    def StartPostProcessing(
        self, request: pb.StartPostProcessingRequest, context: grpc.ServicerContext
    ) -> pb.StartPostProcessingResponse:
        caller, document_ids = current_caller(), convert.ids(request.document_ids, field="document_ids")
        actions = [convert.from_action(action) for action in request.actions]
        request_id = convert.request_id(request.request_id)
        if request.HasField("imported"):
            imported = convert.from_imported_job(request.imported, actions)
            job = self._imports.record(caller, document_ids, actions, imported)
        else:
            job = self._post_processings.start(caller, document_ids, actions, request_id=request_id)
        return pb.StartPostProcessingResponse(post_processing=convert.to_post_processing(job))

    def GetPostProcessing(
        self, request: pb.GetPostProcessingRequest, context: grpc.ServicerContext
    ) -> pb.GetPostProcessingResponse:
        job = self._post_processings.find(parse_id(request.post_processing_id, field="post_processing_id"))
        return pb.GetPostProcessingResponse(post_processing=convert.to_post_processing(job))

    def CancelPostProcessing(
        self, request: pb.CancelPostProcessingRequest, context: grpc.ServicerContext
    ) -> pb.CancelPostProcessingResponse:
        job = self._post_processings.cancel(parse_id(request.post_processing_id, field="post_processing_id"))
        return pb.CancelPostProcessingResponse(post_processing=convert.to_post_processing(job))

    def ListPostProcessings(
        self, request: pb.ListPostProcessingsRequest, context: grpc.ServicerContext
    ) -> pb.ListPostProcessingsResponse:
        page = self._listing.page(
            convert.from_list_post_processings(request), page_size=request.page_size, token=request.page_token
        )
        return pb.ListPostProcessingsResponse(
            post_processings=[convert.to_post_processing(job) for job in page.jobs], next_page_token=page.next_page_token
        )

    def WatchPostProcessing(
        self, request: pb.WatchPostProcessingRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchPostProcessingResponse]:
        watch = self._watching.watch(parse_id(request.post_processing_id, field="post_processing_id"))
        close_with(context, watch.close)
        for job in watch:
            if job is None:
                yield pb.WatchPostProcessingResponse(heartbeat=pb.Heartbeat())
            else:
                yield pb.WatchPostProcessingResponse(post_processing=convert.to_post_processing(job))
