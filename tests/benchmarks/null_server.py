"""A null server: the contract's transfers with handlers that do nothing else. Prints its port and serves until it is ended.

    python null_server.py [FILE]      FILE is what it sends

A plain grpcio server with the service's own options and the default stubs. It knows nothing of keys, tokens or disks: what it
sends is in memory with its checksums before it serves.
"""

import hashlib
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import google_crc32c
import grpc

from osis.document.v1 import (
    document_pb2,
    document_service_pb2,
    document_service_pb2_grpc,
    download_service_pb2,
    download_service_pb2_grpc,
    upload_service_pb2,
    upload_service_pb2_grpc,
)
from osis_document_server.rpc import server as measured

#: Taken from the measured server, so that what is tuned there is tuned here too.
OPTIONS = measured.OPTIONS
_BLOCK_BYTES = 1024 * 1024


class _Uploads(upload_service_pb2_grpc.UploadServiceServicer):
    def WriteUpload(  # noqa: N802 - the contract's name
        self, request_iterator: Iterator[upload_service_pb2.WriteUploadRequest], context: grpc.ServicerContext
    ) -> upload_service_pb2.WriteUploadResponse:
        for _ in request_iterator:
            pass
        return upload_service_pb2.WriteUploadResponse(result=upload_service_pb2.UploadResult())


class _Downloads(download_service_pb2_grpc.DownloadServiceServicer):
    def __init__(self, content: Path | None) -> None:
        self._blocks: list[tuple[bytes, int]] = []
        digest = hashlib.sha256()
        if content is not None:
            with content.open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    self._blocks.append((block, google_crc32c.value(block)))
                    digest.update(block)
        size = sum(len(block) for block, _ in self._blocks)
        self._header = download_service_pb2.DownloadHeader(
            document=document_pb2.Document(name="null.pdf"),
            range=download_service_pb2.ContentRange(start=0, end=size, complete_size=size),
            sha256=digest.hexdigest(),
        )

    def Download(  # noqa: N802 - the contract's name
        self, request: download_service_pb2.DownloadRequest, context: grpc.ServicerContext
    ) -> Iterator[download_service_pb2.DownloadResponse]:
        yield download_service_pb2.DownloadResponse(header=self._header)
        for block, crc32c in self._blocks:
            yield download_service_pb2.DownloadResponse(data=block, crc32c=crc32c)


class _Documents(document_service_pb2_grpc.DocumentServiceServicer):
    def GetDocument(  # noqa: N802 - the contract's name
        self, request: document_service_pb2.GetDocumentRequest, context: grpc.ServicerContext
    ) -> document_service_pb2.GetDocumentResponse:
        return document_service_pb2.GetDocumentResponse()


def main(content: Path | None) -> None:
    """Serves until SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    server = grpc.server(ThreadPoolExecutor(max_workers=16), options=OPTIONS)
    upload_service_pb2_grpc.add_UploadServiceServicer_to_server(_Uploads(), server)
    download_service_pb2_grpc.add_DownloadServiceServicer_to_server(_Downloads(content), server)
    document_service_pb2_grpc.add_DocumentServiceServicer_to_server(_Documents(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    ended.wait()
    server.stop(0).wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
