"""Puts the gRPC server together: threads, limits, servicers, health and reflection."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from osis.document.v1 import (
    document_service_pb2,
    document_service_pb2_grpc,
    download_service_pb2,
    download_service_pb2_grpc,
    post_processing_service_pb2,
    post_processing_service_pb2_grpc,
    token_service_pb2,
    token_service_pb2_grpc,
    upload_service_pb2,
    upload_service_pb2_grpc,
    worker_service_pb2,
    worker_service_pb2_grpc,
)
from osis_document_server.domain.access import ApiKeys
from osis_document_server.rpc.admission import Admission, Capacity
from osis_document_server.rpc.document_service import DocumentServicer
from osis_document_server.rpc.download_service import DownloadServicer
from osis_document_server.rpc.guard import Guard
from osis_document_server.rpc.post_processing_service import PostProcessingServicer
from osis_document_server.rpc.reaper import Reaper
from osis_document_server.rpc.token_service import TokenServicer
from osis_document_server.rpc.upload_service import UploadServicer
from osis_document_server.rpc.worker_service import WorkerServicer

#: Longest message that is taken, in bytes. Chunks are 1 MiB at most; this leaves room for what clients of other languages prefer.
_MESSAGE_LIMIT_BYTES = 4 * 1024 * 1024

OPTIONS = (
    ("grpc.max_receive_message_length", _MESSAGE_LIMIT_BYTES),
    # Two servers would silently share a port; a second one is to be told that the port is taken.
    ("grpc.so_reuseport", 0),
    # A vanished client is noticed within 40 s; the default is 2 h. Clients ping every 60 s at most often (grpc keepalive guide).
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 20_000),
)


class AddressUnavailableError(OSError):
    """The server cannot listen where it should."""


@dataclass(frozen=True, kw_only=True)
class Servicers:
    """What the server serves."""

    uploads: UploadServicer
    downloads: DownloadServicer
    tokens: TokenServicer
    documents: DocumentServicer
    post_processings: PostProcessingServicer
    workers: WorkerServicer


class RpcServer:
    """The gRPC server.

    Args:
        servicers: what it serves.
        keys: whom it serves.
        capacity: how much of it at once.
        idle_seconds: how long a stream's client may be quiet.
    """

    def __init__(self, servicers: Servicers, *, keys: ApiKeys, capacity: Capacity, idle_seconds: float) -> None:
        self._pool = _started_pool(capacity.threads)
        self._reaper = Reaper(idle_seconds=idle_seconds)
        self._server = grpc.server(self._pool, interceptors=[Guard(keys, Admission(capacity), self._reaper)], options=OPTIONS)
        upload_service_pb2_grpc.add_UploadServiceServicer_to_server(servicers.uploads, self._server)
        download_service_pb2_grpc.add_DownloadServiceServicer_to_server(servicers.downloads, self._server)
        token_service_pb2_grpc.add_TokenServiceServicer_to_server(servicers.tokens, self._server)
        document_service_pb2_grpc.add_DocumentServiceServicer_to_server(servicers.documents, self._server)
        post_processing_service_pb2_grpc.add_PostProcessingServiceServicer_to_server(servicers.post_processings, self._server)
        worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(servicers.workers, self._server)
        self._names = [
            module.DESCRIPTOR.services_by_name[name].full_name
            for module in (
                upload_service_pb2,
                download_service_pb2,
                token_service_pb2,
                document_service_pb2,
                post_processing_service_pb2,
                worker_service_pb2,
            )
            for name in module.DESCRIPTOR.services_by_name
        ]
        self._health = health.HealthServicer()
        self._health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection([*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server)

    def listen(self, address: str) -> int:
        """Binds ``host:port`` (port 0: any free one) or ``unix:path``, and returns the port, 0 for a socket file.

        Raises:
            AddressUnavailableError: it is taken, or cannot be had.
        """
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as exc:
            raise AddressUnavailableError(
                f"cannot listen on {address}: it is taken by another program, or not this host's"
            ) from exc
        return 0 if address.startswith("unix:") else int(port)

    def start(self) -> None:
        """Begins to serve; health checks fail until ``report_healthy``."""
        self._server.start()

    def report_healthy(self) -> None:
        """Tells load balancers that everything is in place."""
        for name in ["", *self._names]:
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def report_stopping(self) -> None:
        """Tells load balancers to send nothing more, for good."""
        self._health.enter_graceful_shutdown()

    def stop(self, *, grace_seconds: float) -> None:
        """Takes no new calls, gives those under way ``grace_seconds`` to end, and returns when all have."""
        self._server.stop(grace_seconds).wait()
        self._reaper.stop()
        self._pool.shutdown()


def _started_pool(threads: int) -> ThreadPoolExecutor:
    """Returns a pool whose threads all run: one that failed to start later would end grpcio's serving loop for good."""
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="rpc")
    everyone = threading.Barrier(threads + 1)
    for _ in range(threads):
        pool.submit(everyone.wait)
    everyone.wait()
    return pool
