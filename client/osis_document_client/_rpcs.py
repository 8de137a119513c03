"""The channel of each process, and the rpcs of every service over it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Event
from types import TracebackType
from typing import Self

import grpc

from osis.document.v1.document_service_pb2_grpc import DocumentServiceStub
from osis.document.v1.download_service_pb2_grpc import DownloadServiceStub
from osis.document.v1.post_processing_service_pb2_grpc import PostProcessingServiceStub
from osis.document.v1.token_service_pb2_grpc import TokenServiceStub
from osis.document.v1.upload_service_pb2_grpc import UploadServiceStub
from osis.document.v1.worker_service_pb2_grpc import WorkerServiceStub

from ._backoff import Backoff
from ._channel import open_channel
from ._config import ClientConfig
from ._errors import Cancelled
from ._interceptor import require_open


class _Connection:
    """A channel and a stub of each service over it."""

    def __init__(self, config: ClientConfig, *, closed: Event) -> None:
        self.channel: grpc.Channel = open_channel(config, closed=closed)
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
        self._closed = Event()
        given = backoff or Backoff()
        self.backoff = replace(given, sleep=partial(self._pause, given.sleep or self._closed.wait))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.config!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes this process's channel; calls that are under way end with `Cancelled`. Does nothing the second time."""
        self._closed.set()
        connection = self._connections.pop(os.getpid(), None)
        if connection is not None:
            connection.channel.close()

    def _pause(self, sleep: Callable[[float], object], seconds: float) -> None:
        """Pauses before the next try; there is none once the client is closed.

        Raises:
            Cancelled: the client was closed, before or meanwhile.
        """
        sleep(seconds)
        if self._closed.is_set():
            raise Cancelled("the client was closed")

    def _connection(self) -> _Connection:
        require_open(self._closed)
        connection = self._connections.get(os.getpid())
        if connection is None:
            # No lock: a fork could copy one that is held. Of two threads that come here at once, one makes a channel in vain.
            made = _Connection(self.config, closed=self._closed)
            connection = self._connections.setdefault(os.getpid(), made)
            if connection is not made:
                made.channel.close()
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
