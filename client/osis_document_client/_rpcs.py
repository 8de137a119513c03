"""The channel of each process, and the rpcs of every service over it."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

import grpc

from osis.document.v1.document_service_pb2_grpc import DocumentServiceStub
from osis.document.v1.download_service_pb2_grpc import DownloadServiceStub
from osis.document.v1.post_processing_service_pb2_grpc import PostProcessingServiceStub
from osis.document.v1.token_service_pb2_grpc import TokenServiceStub
from osis.document.v1.upload_service_pb2_grpc import UploadServiceStub
from osis.document.v1.worker_service_pb2_grpc import WorkerServiceStub

from ._backoff import Backoff, ClientBackoff
from ._channel import open_channel
from ._config import ClientConfig
from ._lifetime import Lifetime


class _Connection:
    """A channel and a stub of each service over it."""

    def __init__(self, config: ClientConfig, *, lifetime: Lifetime) -> None:
        self.channel: grpc.Channel = open_channel(config, lifetime=lifetime)
        self.uploads = UploadServiceStub(self.channel)
        self.downloads = DownloadServiceStub(self.channel)
        self.tokens = TokenServiceStub(self.channel)
        self.documents = DocumentServiceStub(self.channel)
        self.post_processings = PostProcessingServiceStub(self.channel)
        self.workers = WorkerServiceStub(self.channel)


class Rpcs:
    """The rpcs as the contract has them, over a channel that is opened when it is first used, in each process anew.

    Attributes:
        config: where the service is, and the key.
        backoff: how interrupted transfers, watches and calls are tried again.
    """

    def __init__(self, config: ClientConfig, *, backoff: Backoff | None = None) -> None:
        """Prepares a client; nothing is connected yet.

        Args:
            config: where the service is, and the key.
            backoff: how interrupted transfers, watches and calls are tried again.
        """
        self.config = config
        # By process id. A connection inherited from a parent process is neither used nor closed, so it stays in here.
        self._connections: dict[int, _Connection] = {}
        self._lifetime = Lifetime()
        self.backoff: Backoff = ClientBackoff(**vars(backoff or Backoff()) | {"lifetime": self._lifetime})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.config!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes this process's channel; calls that are under way end with `Cancelled`, transfers with its `ClientClosed`.

        Does nothing the second time.
        """
        self._lifetime.end()
        connection = self._connections.pop(os.getpid(), None)
        if connection is not None:
            connection.channel.close()

    def _connection(self) -> _Connection:
        self._lifetime.require_open()
        connection = self._connections.get(os.getpid())
        if connection is None:
            # No lock: a fork could copy one that is held. Of two threads that come here at once, one makes a channel in vain.
            made = _Connection(self.config, lifetime=self._lifetime)
            connection = self._connections.setdefault(os.getpid(), made)
            if connection is not made:
                made.channel.close()
            if self._lifetime.has_ended:  # by another thread, which could not see this connection
                self.close()
                self._lifetime.require_open()
        return connection

    @property
    def uploads(self) -> UploadServiceStub:
        """The rpcs of `UploadService`."""
        return self._connection().uploads

    @property
    def downloads(self) -> DownloadServiceStub:
        """The rpcs of `DownloadService`."""
        return self._connection().downloads

    @property
    def tokens(self) -> TokenServiceStub:
        """The rpcs of `TokenService`."""
        return self._connection().tokens

    @property
    def documents(self) -> DocumentServiceStub:
        """The rpcs of `DocumentService`."""
        return self._connection().documents

    @property
    def post_processings(self) -> PostProcessingServiceStub:
        """The rpcs of `PostProcessingService`."""
        return self._connection().post_processings

    @property
    def workers(self) -> WorkerServiceStub:
        """The rpcs of `WorkerService`; they need a worker's key."""
        return self._connection().workers
