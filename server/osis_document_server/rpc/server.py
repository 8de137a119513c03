"""Puts the gRPC server together: threads, limits, servicers, health and reflection."""

import threading
from collections.abc import Callable
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
from osis_document_server.operation.addresses import AddressUnavailableError
from osis_document_server.rpc.admission import Admission, Capacity
from osis_document_server.rpc.document_service import DocumentServicer
from osis_document_server.rpc.download_service import DownloadServicer
from osis_document_server.rpc.guard import Guard
from osis_document_server.rpc.post_processing_service import PostProcessingServicer
from osis_document_server.rpc.reaper import Reaper
from osis_document_server.rpc.token_service import TokenServicer
from osis_document_server.rpc.tools import Tools
from osis_document_server.rpc.upload_service import UploadServicer
from osis_document_server.rpc.worker_service import WorkerServicer

#: Longest message that is taken, in bytes. Chunks are 1 MiB at most; this leaves room for what clients of other languages prefer.
_MESSAGE_LIMIT_BYTES = 4 * 1024 * 1024

#: Seconds between two looks at whether somebody wants the server to stop at once.
_LOOK_SECONDS = 0.1

OPTIONS = (
    ("grpc.max_receive_message_length", _MESSAGE_LIMIT_BYTES),
    # Who connects and says nothing is let go; the default is two minutes.
    ("grpc.server_handshake_timeout_ms", 20_000),
    # A vanished client is noticed within 40 s; the default is 2 h. Clients ping every 60 s at most often (grpc keepalive guide).
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 20_000),
)


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
        shares_port: whether other processes listen on the same port. Otherwise two servers are not to share one by accident.
    """

    def __init__(
        self, servicers: Servicers, *, keys: ApiKeys, capacity: Capacity, idle_seconds: float, shares_port: bool = False
    ) -> None:
        self._pool, self._tool_pool = _started_pool(capacity.threads), _started_pool(capacity.tool_threads)
        self._reaper = Reaper(idle_seconds=idle_seconds)
        admission = Admission(capacity)
        self._tools = Tools(self._tool_pool, admission, self._reaper)
        self._server = grpc.server(
            self._pool,
            interceptors=[Guard(keys, admission, self._reaper, self._tools)],
            options=(*OPTIONS, ("grpc.so_reuseport", int(shares_port))),
            # Calls that come faster than they can be refused wait for a thread; this many, then they are not even looked at.
            maximum_concurrent_rpcs=2 * capacity.threads,
        )
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

    def listen(self, address: str, *, credentials: grpc.ServerCredentials | None = None) -> str:
        """Listens on ``host:port`` (port 0: any free one) or ``unix:path``, and returns the address with the port that it got.

        Args:
            address: where.
            credentials: for TLS; None: plain text.

        Raises:
            AddressUnavailableError: it is taken, or cannot be had.
        """
        try:
            if credentials is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, credentials)
        except RuntimeError as exc:
            raise AddressUnavailableError(f"cannot listen on {address}: another program does, or it is not this host's") from exc
        return address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"

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

    def stop(self, *, grace_seconds: float, is_hurried: Callable[[], bool]) -> None:
        """Takes no new calls, gives those under way ``grace_seconds`` to end, or until hurried, and returns when all have."""
        stopped = self._server.stop(grace_seconds)
        self._tools.end_streams()
        while not stopped.wait(_LOOK_SECONDS):
            if is_hurried():
                self._server.stop(None)
        self._reaper.stop()
        self._pool.shutdown()
        self._tool_pool.shutdown()


def _started_pool(threads: int) -> ThreadPoolExecutor:
    """Returns a pool whose threads all run: one that failed to start later would end grpcio's serving loop for good."""
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="rpc")
    everyone = threading.Barrier(threads + 1)
    for _ in range(threads):
        pool.submit(everyone.wait)
    everyone.wait()
    return pool
