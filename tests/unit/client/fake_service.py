"""A real gRPC server in threads, with small servicers that do as they are told."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import google_crc32c
import grpc
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
from osis.document.v1.error_reason_pb2 import ErrorReason

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


@dataclass(frozen=True)
class Pause:
    """Sends so many bytes and then nothing, until the caller hangs up."""

    after: int


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
    requests: list[Any] = field(default_factory=list)
    read_offsets: list[int] = field(default_factory=list)
    outcomes: set[str] = field(default_factory=set)
    refusals: dict[str, document_pb2.ItemError] = field(default_factory=dict)
    item_errors: dict[str, document_pb2.ItemError] = field(default_factory=dict)
    gathering: int = 0
    most_at_once: int = 0
    at_once: int = 0
    gathered: threading.Condition = field(default_factory=threading.Condition)
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
        if callable(planned):
            planned()
        if isinstance(planned, Stall):
            context.add_callback(self.hung_up.set)
            self.reached.set()
            self.hung_up.wait(30)
        return planned

    def gather(self) -> None:
        """Holds a call until as many of its kind are under way at once as are to be gathered, once."""
        with self.gathered:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.gathered.notify_all()
            self.gathered.wait_for(lambda: self.most_at_once >= self.gathering, timeout=10)
            self.at_once -= 1

    def add_document(self, document_id: str, content: bytes, *, name: str = "report.pdf") -> document_pb2.Document:
        """Stores a document that the token `token.of.<id>` reads."""
        document = document_pb2.Document(
            id=document_id,
            name=name,
            mime_type="application/pdf",
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            status=document_pb2.DOCUMENT_STATUS_UPLOADED,
        )
        self.documents[document_id] = document
        self.contents[f"token.of.{document_id}"] = content
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
        result = upload_service_pb2.UploadResult(document=document, write_token=f"write.of.{upload_id}")
        self.service.results[upload_id] = result
        if lose_answer:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the wire was cut")
        return upload_service_pb2.WriteUploadResponse(result=result)

    def CancelUpload(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.see(context, "CancelUpload")
        self.service.uploads.pop(request.upload_id, None)
        return upload_service_pb2.CancelUploadResponse()

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
        self.service.gather()
        if request.token not in self.service.contents:
            Refusal("TOKEN_INVALID", grpc.StatusCode.UNAUTHENTICATED).abort(context)
        content = self.service.contents[request.token]
        sha256 = self.service.promised_sha256 or hashlib.sha256(content).hexdigest()
        if request.expected_sha256 and request.expected_sha256 != sha256:
            Refusal("CONTENT_CHANGED").abort(context)
        start = request.read_offset if request.read_offset >= 0 else max(0, len(content) + request.read_offset)
        end = min(len(content), start + request.read_limit) if request.read_limit else len(content)
        header = download_service_pb2.DownloadHeader(
            document=self.service.documents.get(request.token.removeprefix("token.of.")),
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
            if isinstance(planned, Pause) and sent >= planned.after:
                context.add_callback(self.service.hung_up.set)
                self.service.reached.set()
                self.service.hung_up.wait(30)
            data = content[offset : min(end, offset + 65536)]
            crc32c = google_crc32c.value(data)
            if isinstance(planned, Damage) and offset <= planned.at < offset + len(data):
                damaged = bytearray(data)
                damaged[planned.at - offset] ^= 1
                data = bytes(damaged)
            sent += len(data)
            yield download_service_pb2.DownloadResponse(data=data, crc32c=crc32c)
        self.service.finished_downloads += 1


def not_found(document_id: str) -> document_pb2.ItemError:
    """The error of an item that names no document."""
    return document_pb2.ItemError(
        reason=ErrorReason.ERROR_REASON_DOCUMENT_NOT_FOUND,
        message=f"there is no document {document_id}",
        metadata={"document_id": document_id},
    )


class Documents(document_service_pb2_grpc.DocumentServiceServicer):
    """Confirms anything, and describes what there is."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def ConfirmUploads(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.confirmed.append(request)
        self.service.see(context, "ConfirmUploads")
        response = document_service_pb2.ConfirmUploadsResponse()
        for upload in request.uploads:
            document = self.service.documents.get(upload.token.removeprefix("write.of."))
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

    def BatchGetDocuments(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.requests.append(request)
        self.service.see(context, "BatchGetDocuments")
        response = document_service_pb2.BatchGetDocumentsResponse()
        for reference in request.documents:
            document_id = reference.document_id or reference.token.removeprefix("token.of.")
            response.results.add(**self._result(document_id))
        return response

    def ListDocuments(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.requests.append(request)
        self.service.see(context, "ListDocuments")
        listed = [each for each in self.service.documents.values() if each.path.startswith(request.path_prefix)]
        start = int(request.page_token or 0)
        end = start + (request.page_size or 25)
        return document_service_pb2.ListDocumentsResponse(
            documents=listed[start:end], next_page_token=str(end) if end < len(listed) else ""
        )

    def UpdateMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.requests.append(request)
        self.service.see(context, "UpdateMetadata")
        document = self._find(document_pb2.DocumentRef(token=request.token), context)
        if request.HasField("name"):
            document.name = request.name
        for key, value in request.metadata.fields.items():
            document.metadata.fields[key].CopyFrom(value)
        for key in request.remove_keys:
            document.metadata.fields.pop(key, None)
        return document_service_pb2.UpdateMetadataResponse(document=document)

    def RotateImage(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.requests.append(request)
        planned = self.service.see(context, "RotateImage")
        document = self._changed(request, context)
        if planned == "lose the answer":
            context.abort(grpc.StatusCode.UNAVAILABLE, "the wire was cut")
        return document_service_pb2.RotateImageResponse(document=document, token="token.of.next")

    def SaveEdit(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.requests.append(request)
        self.service.see(context, "SaveEdit")
        return document_service_pb2.SaveEditResponse(document=self._changed(request, context), token="token.of.next")

    def _changed(self, request: Any, context: Any) -> document_pb2.Document:
        """The document with its content changed, once for each request id."""
        document = self._find(document_pb2.DocumentRef(token=request.token), context)
        if request.request_id not in self.service.outcomes:
            self.service.outcomes.add(request.request_id)
            document.revision += 1
        return document

    def FinalizeDocuments(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._each(request, context, "Finalize", document_pb2.DOCUMENT_STATUS_UPLOADED)

    def DeleteDocuments(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._each(request, context, "Delete", document_pb2.DOCUMENT_STATUS_DELETED)

    def UndeleteDocuments(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._each(request, context, "Undelete", document_pb2.DOCUMENT_STATUS_UPLOADED)

    def _each(self, request: Any, context: Any, verb: str, status: Any) -> Any:
        self.service.requests.append(request)
        self.service.see(context, f"{verb}Documents")
        response = getattr(document_service_pb2, f"{verb}DocumentsResponse")()
        for document_id in request.document_ids:
            if document_id in self.service.documents:
                self.service.documents[document_id].status = status
            response.results.add(**self._result(document_id))
        return response

    def DuplicateDocuments(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.requests.append(request)
        self.service.see(context, "DuplicateDocuments")
        response = document_service_pb2.DuplicateDocumentsResponse()
        for item in request.documents:
            original = self.service.documents.get(item.document_id)
            if original is not None:
                made = self.service.add_document(
                    item.new_document_id, self.service.contents[f"token.of.{original.id}"], name=original.name
                )
                made.path = item.path or original.path
                response.results.add(document=made)
            else:
                response.results.add(**self._result(item.document_id))
        return response

    def DeclareInfected(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.requests.append(request)
        self.service.see(context, "DeclareInfected")
        infected = [
            each for each in self.service.documents.values() if request.document_id == each.id or request.path == each.path != ""
        ]
        if not infected:
            Refusal("DOCUMENT_NOT_FOUND", grpc.StatusCode.NOT_FOUND).abort(context)
        for document in infected:
            document.status = document_pb2.DOCUMENT_STATUS_INFECTED
        return document_service_pb2.DeclareInfectedResponse(documents=infected)

    def _result(self, document_id: str) -> dict[str, Any]:
        if document_id in self.service.documents:
            return {"document": self.service.documents[document_id]}
        return {"error": not_found(document_id)}

    def _find(self, reference: Any, context: Any) -> document_pb2.Document:
        document_id = reference.document_id or reference.token.removeprefix("token.of.")
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
        outcome = self._outcome(request)
        if "error" in outcome:
            Refusal("DOCUMENT_NOT_FOUND", grpc.StatusCode.NOT_FOUND).abort(context)
        return token_service_pb2.CreateTokenResponse(**outcome)

    def BatchCreateTokens(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.requests.append(request)
        self.service.see(context, "BatchCreateTokens")
        return token_service_pb2.BatchCreateTokensResponse(results=[self._outcome(each) for each in request.requests])

    def _outcome(self, request: Any) -> dict[str, Any]:
        if request.document_id in self.service.jobs:
            return {"pending": self.service.jobs[request.document_id][0]}
        if request.document_id in self.service.item_errors:
            return {"error": self.service.item_errors[request.document_id]}
        if request.document_id not in self.service.documents:
            return {"error": not_found(request.document_id)}
        token = self._token(request.document_id, request.purpose)
        if request.for_modified:
            token.token = f"modified.of.{request.document_id}"
        return {"token": token}

    def _token(self, document_id: str, purpose: Any) -> token_service_pb2.Token:
        return token_service_pb2.Token(token=f"token.of.{document_id}", document_id=document_id, purpose=purpose)

    def InspectToken(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.see(context, "InspectToken")
        document_id = request.token.removeprefix("token.of.")
        if document_id not in self.service.documents:
            Refusal("TOKEN_INVALID", grpc.StatusCode.UNAUTHENTICATED).abort(context)
        response = token_service_pb2.InspectTokenResponse(
            token=self._token(document_id, token_service_pb2.TOKEN_PURPOSE_READ), revision=3, key_id="k1"
        )
        response.issue_time.FromSeconds(1_769_860_800)
        response.token.expire_time.FromSeconds(1_769_861_700)
        if document_id in self.service.refusals:
            response.refusal.CopyFrom(self.service.refusals[document_id])
        return response


class PostProcessings(post_processing_service_pb2_grpc.PostProcessingServiceServicer):
    """Starts jobs that go through the states in `Service.jobs`."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def StartPostProcessing(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.started.append(request)
        self.service.see(context, "StartPostProcessing")
        return post_processing_service_pb2.StartPostProcessingResponse(post_processing=self.service.jobs["job"][0])

    def CancelPostProcessing(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.see(context, "CancelPostProcessing")
        return post_processing_service_pb2.CancelPostProcessingResponse(
            post_processing=make_job(request.post_processing_id, state="CANCELLED")
        )

    def ListPostProcessings(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.service.requests.append(request)
        self.service.see(context, "ListPostProcessings")
        return post_processing_service_pb2.ListPostProcessingsResponse(
            post_processings=[states[0] for states in self.service.jobs.values()]
        )

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


def make_server(service: Service) -> grpc.Server:
    """Makes a server with all the servicers, to which a port has yet to be added."""
    server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
    upload_service_pb2_grpc.add_UploadServiceServicer_to_server(Uploads(service), server)
    download_service_pb2_grpc.add_DownloadServiceServicer_to_server(Downloads(service), server)
    document_service_pb2_grpc.add_DocumentServiceServicer_to_server(Documents(service), server)
    token_service_pb2_grpc.add_TokenServiceServicer_to_server(Tokens(service), server)
    post_processing_service_pb2_grpc.add_PostProcessingServiceServicer_to_server(PostProcessings(service), server)
    return server
