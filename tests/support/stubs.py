"""The contract's stubs over a plain channel: what is on the wire, without the client library."""

from collections.abc import Callable
from typing import Any, NamedTuple

import grpc

from osis.document.v1.document_service_pb2_grpc import DocumentServiceStub
from osis.document.v1.download_service_pb2_grpc import DownloadServiceStub
from osis.document.v1.post_processing_service_pb2_grpc import PostProcessingServiceStub
from osis.document.v1.token_service_pb2_grpc import TokenServiceStub
from osis.document.v1.upload_service_pb2_grpc import UploadServiceStub
from osis.document.v1.worker_service_pb2_grpc import WorkerServiceStub

#: The deadline of calls that name none: far beyond what any should take.
DEFAULT_TIMEOUT_SECONDS = 60

_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
]


class _Details(NamedTuple):
    method: str
    timeout: float | None
    metadata: list[tuple[str, str | bytes]]
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class _Caller(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamUnaryClientInterceptor):
    """Adds the key and a deadline."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def _call(self, continuation: Callable[..., Any], details: grpc.ClientCallDetails, request: Any) -> Any:
        metadata = list(details.metadata or ())
        if self._key is not None:
            metadata.append(("x-api-key", self._key))
        timeout = DEFAULT_TIMEOUT_SECONDS if details.timeout is None else details.timeout
        changed = _Details(details.method, timeout, metadata, details.credentials, details.wait_for_ready, details.compression)
        return continuation(changed, request)

    intercept_unary_unary = _call
    intercept_unary_stream = _call
    intercept_stream_unary = _call


class Stubs:
    """A channel of its own and a stub of each service over it."""

    def __init__(self, target: str, *, key: str | None) -> None:
        self._plain = grpc.insecure_channel(target, options=_OPTIONS)
        self.channel = grpc.intercept_channel(self._plain, _Caller(key))
        self.uploads = UploadServiceStub(self.channel)
        self.downloads = DownloadServiceStub(self.channel)
        self.tokens = TokenServiceStub(self.channel)
        self.documents = DocumentServiceStub(self.channel)
        self.post_processings = PostProcessingServiceStub(self.channel)
        self.workers = WorkerServiceStub(self.channel)

    def close(self) -> None:
        """Closes the channel; calls under way are cancelled."""
        self._plain.close()
