"""DownloadService."""

from collections.abc import Iterator

import grpc

from osis.document.v1 import download_service_pb2 as pb
from osis.document.v1 import download_service_pb2_grpc
from osis_document_server.rpc import convert
from osis_document_server.usecases.downloads import Downloads


class DownloadServicer(download_service_pb2_grpc.DownloadServiceServicer):
    """Converts in, calls the use case, converts out."""

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads

    def Download(self, request: pb.DownloadRequest, context: grpc.ServicerContext) -> Iterator[pb.DownloadResponse]:
        content = self._downloads.find(
            request.token,
            offset=request.read_offset,
            limit=request.read_limit,
            expected_sha256=convert.sha256(request.expected_sha256, field="expected_sha256"),
        )
        yield pb.DownloadResponse(header=convert.to_download_header(content))
        for part in self._downloads.read(content):
            yield pb.DownloadResponse(data=part.data, crc32c=part.crc32c)
