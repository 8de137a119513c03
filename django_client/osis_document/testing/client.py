"""The client over the fake: its methods are the real ones, its rpcs stay in this process."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, cast

from osis.document.v1.document_service_pb2_grpc import DocumentServiceStub
from osis.document.v1.download_service_pb2_grpc import DownloadServiceStub
from osis.document.v1.post_processing_service_pb2_grpc import PostProcessingServiceStub
from osis.document.v1.token_service_pb2_grpc import TokenServiceStub
from osis.document.v1.upload_service_pb2_grpc import UploadServiceStub
from osis.document.v1.worker_service_pb2_grpc import WorkerServiceStub
from osis_document_client import Backoff, Client, ClientConfig, ServiceError

from .documents import DocumentRpcs
from .jobs import JobRpcs
from .store import Store
from .tokens import TokenRpcs
from .uploads import DownloadRpcs, UploadRpcs


class Backend:
    """What answers the rpcs, and what tests can say and ask about that."""

    def __init__(self) -> None:
        self.store = Store()
        self.uploads = UploadRpcs(self.store)
        self.downloads = DownloadRpcs(self.store)
        self.tokens = TokenRpcs(self.store)
        self.documents = DocumentRpcs(self.store)
        self.post_processings = JobRpcs(self.store)
        self.calls: list[str] = []
        self.refusal: ServiceError | None = None

    def answer(self, name: str, method: Callable[[Any], Any], request: Any) -> Any:
        """Answers one call."""
        self.calls.append(name)
        if self.refusal is not None:
            raise self.refusal
        if name == "WriteUpload":  # its bytes may come from a slow browser: it takes the lock by itself
            return method(request)
        with self.store.lock:
            self.store.sweep()
            return method(request)


class FakeClient(Client):
    """`osis_document_client.Client` without a service."""

    def __init__(self, config: ClientConfig, *, backend: Backend) -> None:
        super().__init__(config, backoff=Backoff(attempts=1))  # nothing that fails here succeeds by waiting
        self._backend = backend

    @property
    def uploads(self) -> UploadServiceStub:
        """The rpcs of `UploadService`."""
        return cast("UploadServiceStub", _Stub(self._backend, self._backend.uploads))

    @property
    def downloads(self) -> DownloadServiceStub:
        """The rpcs of `DownloadService`."""
        return cast("DownloadServiceStub", _Stub(self._backend, self._backend.downloads))

    @property
    def tokens(self) -> TokenServiceStub:
        """The rpcs of `TokenService`."""
        return cast("TokenServiceStub", _Stub(self._backend, self._backend.tokens))

    @property
    def documents(self) -> DocumentServiceStub:
        """The rpcs of `DocumentService`."""
        return cast("DocumentServiceStub", _Stub(self._backend, self._backend.documents))

    @property
    def post_processings(self) -> PostProcessingServiceStub:
        """The rpcs of `PostProcessingService`."""
        return cast("PostProcessingServiceStub", _Stub(self._backend, self._backend.post_processings))

    @property
    def workers(self) -> WorkerServiceStub:
        """There are none: what jobs make is there when they are started."""
        raise NotImplementedError("the fake has no workers")


class _Stub:
    """The rpcs of one service under the contract's names: `GetDocument` is answered by `get_document`."""

    def __init__(self, backend: Backend, rpcs: object) -> None:
        self._backend = backend
        self._rpcs = rpcs

    def __getattr__(self, name: str) -> _Rpc:
        return _Rpc(self._backend, name, getattr(self._rpcs, method_name(name)))


class _Rpc:
    """One rpc, called as gRPC's stubs are."""

    def __init__(self, backend: Backend, name: str, method: Callable[[Any], Any]) -> None:
        self._backend = backend
        self._name = name
        self._method = method

    def __call__(self, request: Any, **_options: Any) -> Any:
        answer = self._backend.answer(self._name, self._method, request)
        return _Stream(answer) if isinstance(answer, Iterator) else answer

    def future(self, requests: Iterable[Any], **_options: Any) -> Future[Any]:
        """Answers a stream of requests in a thread of its own, as gRPC reads them."""
        ended: Future[Any] = Future()

        def run() -> None:
            try:
                ended.set_result(self._backend.answer(self._name, self._method, requests))
            except BaseException as exc:  # noqa: BLE001 - whoever waits for the result gets it
                ended.set_exception(exc)

        threading.Thread(target=run, name=f"fake {self._name}", daemon=True).start()
        return ended


class _Stream(Iterator[Any]):
    """The messages of a stream that is read."""

    def __init__(self, messages: Iterator[Any]) -> None:
        self._messages = messages

    def __next__(self) -> Any:
        return next(self._messages)

    def cancel(self) -> None:
        """Nothing: what is not read is not made."""


def method_name(rpc: str) -> str:
    """The method that answers an rpc."""
    return re.sub(r"(?<=.)([A-Z])", r"_\1", rpc).lower()
