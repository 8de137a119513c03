"""A real gRPC server in threads, with small servicers that do as they are told, and a relay that can cut connections."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google_crc32c
import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from osis.document.v1 import (
    document_pb2,
    document_service_pb2,
    document_service_pb2_grpc,
    download_service_pb2,
    download_service_pb2_grpc,
    post_processing_pb2,
    post_processing_service_pb2,
    post_processing_service_pb2_grpc,
    token_service_pb2,
    token_service_pb2_grpc,
    upload_service_pb2,
    upload_service_pb2_grpc,
)
from osis_document_client import Backoff, Client, ClientConfig

API_KEY = "correct-horse"
MEBIBYTE = 1 << 20

CODES = {code.name: code for code in grpc.StatusCode}


@dataclass(frozen=True)
class Refusal:
    """An error as the service answers it."""

    reason: str
    code: grpc.StatusCode = grpc.StatusCode.FAILED_PRECONDITION
    message: str = "refused, because the test says so; change the test"
    metadata: dict[str, str] = field(default_factory=dict)
    retry_after_seconds: int | None = None
    fields: dict[str, str] = field(default_factory=dict)
    domain: str = "document.osis"

    def abort(self, context: grpc.ServicerContext) -> None:
        """Ends the call with this error and its details."""
        details: list[Any] = [error_details_pb2.ErrorInfo(reason=self.reason, domain=self.domain, metadata=self.metadata)]
        if self.retry_after_seconds is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.seconds = self.retry_after_seconds
            details.append(retry)
        if self.fields:
            request = error_details_pb2.BadRequest()
            for name, description in self.fields.items():
                request.field_violations.add(field=name, description=description)
            details.append(request)
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        for detail in details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        context.abort_with_status(rpc_status.to_status(status))


@dataclass(frozen=True)
class Drop:
    """Breaks a stream off after so many bytes (or events), as a lost connection does."""

    after: int
    code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE


@dataclass(frozen=True)
class EndEarly:
    """Ends a stream with OK after so many bytes (or events)."""

    after: int


@dataclass(frozen=True)
class Damage:
    """Changes a byte of the block that holds this offset, after its checksum was taken."""

    at: int


@dataclass(frozen=True)
class Stall:
    """Does nothing until the caller hangs up."""


@dataclass
class Service:
    """What the servicers know and have seen. `plan` holds what goes wrong with the next streams, one item for each."""

    plan: deque[Any] = field(default_factory=deque)
    calls: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    deadlines: list[float | None] = field(default_factory=list)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    specs: dict[str, upload_service_pb2.UploadSpec] = field(default_factory=dict)
    results: dict[str, upload_service_pb2.UploadResult] = field(default_factory=dict)
    sent_offsets: list[list[int]] = field(default_factory=list)
    sent_hashes: list[str] = field(default_factory=list)
    resumable: bool = True
    contents: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, document_pb2.Document] = field(default_factory=dict)
    promised_sha256: str | None = None
    jobs: dict[str, list[post_processing_pb2.PostProcessing]] = field(default_factory=dict)
    started: list[Any] = field(default_factory=list)
    confirmed: list[Any] = field(default_factory=list)
    token_requests: list[Any] = field(default_factory=list)
    read_offsets: list[int] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    finished_downloads: int = 0
    hung_up: threading.Event = field(default_factory=threading.Event)

    def see(self, context: grpc.ServicerContext, name: str) -> Any:
        """Notes a call; answers what is planned for it, after having refused it if that is the plan."""
        self.calls.append(name)
        self.keys.append(dict(context.invocation_metadata()).get("x-api-key"))
        remaining = context.time_remaining()
        self.deadlines.append(None if remaining is None or remaining > 1e6 else remaining)
        planned = self.plan.popleft() if self.plan else None
        if isinstance(planned, Refusal):
            planned.abort(context)
        if isinstance(planned, Stall):
            context.add_callback(self.hung_up.set)
            self.reached.set()
            self.hung_up.wait(30)
        return planned

    def add_document(self, document_id: str, content: bytes, *, name: str = "report.pdf") -> document_pb2.Document:
        """Stores a document that the token `token-of-<id>` reads."""
        document = document_pb2.Document(
            id=document_id,
            name=name,
            mime_type="application/pdf",
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            status=document_pb2.DOCUMENT_STATUS_UPLOADED,
        )
        self.documents[document_id] = document
        self.contents[f"token-of-{document_id}"] = content
        return document


class Uploads(upload_service_pb2_grpc.UploadServiceServicer):
    """Keeps what was received in memory; resumes if `resumable`."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def WriteUpload(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802
        planned = self.service.see(context, "WriteUpload")
        offsets: list[int] = []
        self.service.sent_offsets.append(offsets)
        received = 0
        upload_id = ""
        content = bytearray()
        for request in request_iterator:
            if request.WhichOneof("first_message") == "upload_spec":
                upload_id = request.upload_spec.upload_id
                if self.service.specs.get(upload_id, request.upload_spec) != request.upload_spec:
                    Refusal("UPLOAD_SPEC_CONFLICT").abort(context)
                if upload_id not in self.service.uploads or not self.service.resumable:
                    self.service.uploads[upload_id] = bytearray()
                self.service.specs[upload_id] = request.upload_spec
                content = self.service.uploads[upload_id]
            offsets.append(request.write_offset)
            if request.write_offset > len(content):
                Refusal("OFFSET_GAP", grpc.StatusCode.OUT_OF_RANGE).abort(context)
            content += request.data[len(content) - request.write_offset :]
            received += len(request.data)
            if isinstance(planned, Drop | EndEarly) and received >= planned.after:
                if isinstance(planned, Drop):
                    context.abort(planned.code, "the wire was cut")
                return upload_service_pb2.WriteUploadResponse(persisted_size=len(content))
            if request.finish_write:
                return self._finish(upload_id, request, context, lose_answer=planned == "lose the answer")
            self.service.reached.set()
        return upload_service_pb2.WriteUploadResponse(persisted_size=len(content))

    def _finish(self, upload_id: str, request: Any, context: Any, *, lose_answer: bool) -> Any:
        content = bytes(self.service.uploads[upload_id])
        spec = self.service.specs[upload_id]
        self.service.sent_hashes.append(request.sha256)
        if not content:
            Refusal("EMPTY_FILE", grpc.StatusCode.INVALID_ARGUMENT).abort(context)
        if spec.HasField("size_bytes") and spec.size_bytes != len(content):
            Refusal("SIZE_MISMATCH", grpc.StatusCode.INVALID_ARGUMENT).abort(context)
        if request.sha256 != hashlib.sha256(content).hexdigest():
            Refusal("HASH_MISMATCH", grpc.StatusCode.INVALID_ARGUMENT).abort(context)
        document = self.service.add_document(upload_id, content, name=spec.name)
        document.metadata.CopyFrom(spec.metadata)
        document.status = document_pb2.DOCUMENT_STATUS_REQUESTED
        result = upload_service_pb2.UploadResult(document=document, write_token=f"write-{upload_id}")
        self.service.results[upload_id] = result
        if lose_answer:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the wire was cut")
        return upload_service_pb2.WriteUploadResponse(result=result)

    def GetUploadStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.calls.append("GetUploadStatus")
        if not self.service.resumable:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!")
        if request.upload_id in self.service.results:
            return upload_service_pb2.GetUploadStatusResponse(result=self.service.results[request.upload_id])
        if request.upload_id not in self.service.uploads:
            Refusal("UPLOAD_NOT_FOUND", grpc.StatusCode.NOT_FOUND).abort(context)
        return upload_service_pb2.GetUploadStatusResponse(persisted_size=len(self.service.uploads[request.upload_id]))


class Downloads(download_service_pb2_grpc.DownloadServiceServicer):
    """Streams `Service.contents` in blocks of 64 KiB."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def Download(self, request: Any, context: Any) -> Any:  # noqa: N802
        planned = self.service.see(context, "Download")
        self.service.read_offsets.append(request.read_offset)
        if request.token not in self.service.contents:
            Refusal("TOKEN_INVALID", grpc.StatusCode.UNAUTHENTICATED).abort(context)
        content = self.service.contents[request.token]
        sha256 = self.service.promised_sha256 or hashlib.sha256(content).hexdigest()
        if request.expected_sha256 and request.expected_sha256 != sha256:
            Refusal("CONTENT_CHANGED").abort(context)
        start = request.read_offset if request.read_offset >= 0 else max(0, len(content) + request.read_offset)
        end = min(len(content), start + request.read_limit) if request.read_limit else len(content)
        header = download_service_pb2.DownloadHeader(
            document=self.service.documents.get(request.token.removeprefix("token-of-")),
            sha256=sha256,
            mime_type="application/pdf",
        )
        header.range.start, header.range.end, header.range.complete_size = start, end, len(content)
        yield download_service_pb2.DownloadResponse(header=header)
        sent = 0
        for offset in range(start, end, 65536):
            if isinstance(planned, Drop | EndEarly) and sent >= planned.after:
                if isinstance(planned, Drop):
                    context.abort(planned.code, "the wire was cut")
                return
            if isinstance(planned, tuple) and sent >= planned[0]:
                planned[1].abort(context)
            data = content[offset : min(end, offset + 65536)]
            crc32c = google_crc32c.value(data)
            if isinstance(planned, Damage) and offset <= planned.at < offset + len(data):
                damaged = bytearray(data)
                damaged[planned.at - offset] ^= 1
                data = bytes(damaged)
            sent += len(data)
            yield download_service_pb2.DownloadResponse(data=data, crc32c=crc32c)
        self.service.finished_downloads += 1


class Documents(document_service_pb2_grpc.DocumentServiceServicer):
    """Confirms anything, and describes what there is."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def ConfirmUploads(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.confirmed.append(request)
        self.service.see(context, "ConfirmUploads")
        response = document_service_pb2.ConfirmUploadsResponse()
        for upload in request.uploads:
            document = self.service.documents.get(upload.token.removeprefix("write-"))
            if document is None:
                Refusal("TOKEN_SPENT", message="the token was used before; upload the file again", metadata={"index": "0"}).abort(
                    context
                )
                raise AssertionError
            document.status = document_pb2.DOCUMENT_STATUS_UPLOADED
            document.path = upload.path + document.name if upload.path.endswith("/") else upload.path
            response.documents.append(document)
        return response

    def GetDocument(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.see(context, "GetDocument")
        return document_service_pb2.GetDocumentResponse(document=self._find(request.document, context))

    def _find(self, reference: Any, context: Any) -> document_pb2.Document:
        document_id = reference.document_id or reference.token.removeprefix("token-of-")
        if document_id not in self.service.documents:
            Refusal(
                "DOCUMENT_NOT_FOUND",
                grpc.StatusCode.NOT_FOUND,
                message=f"there is no document {document_id}",
                metadata={"document_id": document_id},
            ).abort(context)
        return self.service.documents[document_id]


class Tokens(token_service_pb2_grpc.TokenServiceServicer):
    """Makes a token of any document there is; `pending` for a document that has a job."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def CreateToken(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.token_requests.append(request)
        self.service.see(context, "CreateToken")
        if request.document_id in self.service.jobs:
            return token_service_pb2.CreateTokenResponse(pending=self.service.jobs[request.document_id][0])
        if request.document_id not in self.service.documents:
            Refusal("DOCUMENT_NOT_FOUND", grpc.StatusCode.NOT_FOUND).abort(context)
        token = token_service_pb2.Token(
            token=f"token-of-{request.document_id}", document_id=request.document_id, purpose=request.purpose
        )
        return token_service_pb2.CreateTokenResponse(token=token)


class PostProcessings(post_processing_service_pb2_grpc.PostProcessingServiceServicer):
    """Starts jobs that go through the states in `Service.jobs`."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def StartPostProcessing(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.started.append(request)
        self.service.see(context, "StartPostProcessing")
        return post_processing_service_pb2.StartPostProcessingResponse(post_processing=self.service.jobs["job"][0])

    def WatchPostProcessing(self, request: Any, context: Any) -> Any:  # noqa: N802
        planned = self.service.see(context, "WatchPostProcessing")
        states = self.service.jobs.get(request.post_processing_id)
        if states is None:
            Refusal("POST_PROCESSING_NOT_FOUND", grpc.StatusCode.NOT_FOUND).abort(context)
            return
        for number, state in enumerate(list(states)):
            if isinstance(planned, Drop | EndEarly) and number >= planned.after:
                if isinstance(planned, Drop):
                    context.abort(planned.code, "the wire was cut")
                return
            if number:
                yield post_processing_service_pb2.WatchPostProcessingResponse(heartbeat=post_processing_service_pb2.Heartbeat())
            states[:] = states[states.index(state) :]  # time passes: the next watch begins with what is the case then
            yield post_processing_service_pb2.WatchPostProcessingResponse(post_processing=state)


def make_job(
    job_id: str = "job", *, state: str, done: int = 0, total: int = 2, **values: Any
) -> post_processing_pb2.PostProcessing:
    """Makes a job as the service describes one."""
    return post_processing_pb2.PostProcessing(
        id=job_id,
        state=post_processing_pb2.PostProcessingState.Value(f"POST_PROCESSING_STATE_{state}"),
        tasks_done=done,
        tasks_total=total,
        **values,
    )


class Relay:
    """Passes bytes between a client and the server, and cuts the wire after so many bytes if it is told to."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.cuts: deque[int] = deque()
        self.connections = 0
        self._sockets: list[socket.socket] = []
        self._spawn(self._accept)

    def _spawn(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(("127.0.0.1", self._server_port))
            self._sockets += [near, far]
            passed = [0]  # in both directions together
            cut_after = self.cuts.popleft() if self.cuts else None
            self._spawn(self._pump, near, far, passed, cut_after)
            self._spawn(self._pump, far, near, passed, cut_after)

    def _pump(self, source: socket.socket, target: socket.socket, passed: list[int], cut_after: int | None) -> None:
        try:
            while data := source.recv(65536):
                passed[0] += len(data)
                if cut_after is not None and passed[0] > cut_after:
                    break
                target.sendall(data)
        except OSError:
            pass
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cuts everything and waits for the threads."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for each in self._sockets:
            each.close()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine, and no service of the working folder, reaches a test."""
    for name in ("TARGET", "API_KEY", "CLIENT_TLS_CA", "CLIENT_TLS_CERT", "CLIENT_TLS_KEY"):
        monkeypatch.delenv(f"OSIS_DOCUMENT_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def service() -> Service:
    """What the server knows and has seen."""
    return Service()


@pytest.fixture
def port(service: Service) -> Iterator[int]:
    """The port of a running server."""
    server = make_server(service)
    number = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield number
    service.hung_up.set()
    server.stop(0).wait(10)


def make_server(service: Service) -> grpc.Server:
    """Makes a server with all the servicers, to which a port has yet to be added."""
    server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
    upload_service_pb2_grpc.add_UploadServiceServicer_to_server(Uploads(service), server)
    download_service_pb2_grpc.add_DownloadServiceServicer_to_server(Downloads(service), server)
    document_service_pb2_grpc.add_DocumentServiceServicer_to_server(Documents(service), server)
    token_service_pb2_grpc.add_TokenServiceServicer_to_server(Tokens(service), server)
    post_processing_service_pb2_grpc.add_PostProcessingServiceServicer_to_server(PostProcessings(service), server)
    return server


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the client would have made between tries."""
    return []


@pytest.fixture
def backoff(pauses: list[float]) -> Backoff:
    """Pauses that take no time and leave nothing to chance."""
    return Backoff(attempts=4, initial_seconds=1, maximum_seconds=5, sleep=pauses.append, jitter=lambda: 1.0)


@pytest.fixture
def client(port: int, backoff: Backoff) -> Iterator[Client]:
    """A client of the running server."""
    with Client(ClientConfig(target=f"127.0.0.1:{port}", api_key=API_KEY), backoff=backoff) as client:
        yield client


@pytest.fixture
def relay(port: int) -> Iterator[Relay]:
    """A wire to the server that can be cut."""
    relay = Relay(port)
    yield relay
    relay.close()


@pytest.fixture
def relayed_client(relay: Relay, backoff: Backoff) -> Iterator[Client]:
    """A client that reaches the server over the relay."""
    with Client(ClientConfig(target=f"127.0.0.1:{relay.port}", api_key=API_KEY), backoff=backoff) as client:
        yield client
