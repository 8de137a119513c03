"""The client: one channel per process, the raw rpcs, and the few operations that take more than one rpc."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct

from osis.document.v1.document_pb2 import Document, DocumentRef, ExpirationPolicy
from osis.document.v1.document_service_pb2 import ConfirmUpload, ConfirmUploadsRequest, GetDocumentRequest, Hold
from osis.document.v1.document_service_pb2_grpc import DocumentServiceStub
from osis.document.v1.download_service_pb2 import DownloadHeader
from osis.document.v1.download_service_pb2_grpc import DownloadServiceStub
from osis.document.v1.post_processing_pb2 import Action, PostProcessing, PostProcessingState
from osis.document.v1.post_processing_service_pb2 import StartPostProcessingRequest
from osis.document.v1.post_processing_service_pb2_grpc import PostProcessingServiceStub
from osis.document.v1.token_service_pb2 import CreateTokenRequest, CreateTokenResponse, TokenPurpose, WantedPostProcess
from osis.document.v1.token_service_pb2_grpc import TokenServiceStub
from osis.document.v1.upload_service_pb2 import UploadResult, UploadSpec
from osis.document.v1.upload_service_pb2_grpc import UploadServiceStub
from osis.document.v1.worker_service_pb2_grpc import WorkerServiceStub

from ._backoff import Backoff, Deadline, Tries
from ._channel import open_channel
from ._config import ClientConfig
from ._download import Download
from ._errors import PostProcessingFailed, Unavailable
from ._source import name_of, open_source
from ._struct import to_struct
from ._target import open_target
from ._upload import DEFAULT_CHUNK_SIZE_BYTES, MAX_CHUNK_SIZE_BYTES, ProgressCallback, Upload
from ._watch import watch

_T = TypeVar("_T")


class _Connection:
    """A channel and a stub of each service over it."""

    def __init__(self, config: ClientConfig) -> None:
        self.channel: grpc.Channel = open_channel(config)
        self.uploads = UploadServiceStub(self.channel)
        self.downloads = DownloadServiceStub(self.channel)
        self.tokens = TokenServiceStub(self.channel)
        self.documents = DocumentServiceStub(self.channel)
        self.post_processings = PostProcessingServiceStub(self.channel)
        self.workers = WorkerServiceStub(self.channel)


class Client:
    """Talks to a document service.

        with Client(ClientConfig.from_environment()) as client:
            [document] = client.confirm([client.upload("id-card.pdf")])

    One instance serves all threads of a process, and processes forked from it: each makes a channel of its own when it first
    makes a call. (Make calls only after forking; gRPC itself does not survive a fork in the middle of things.)

    Every method, the raw rpcs included, sends the API key, has a deadline if it is unary (`ClientConfig.timeout_seconds`
    unless `timeout=` says otherwise), and raises `ServiceError` or one of its subclasses, also while a stream is read.
    """

    def __init__(self, config: ClientConfig, *, backoff: Backoff | None = None) -> None:
        """Prepares a client; nothing is connected yet.

        Args:
            config: where the service is, and the key.
            backoff: how interrupted transfers and watches are tried again.
        """
        self.config = config
        self._backoff = backoff or Backoff()
        # By process id. A connection inherited from a parent process is neither used nor closed, so it stays in here.
        self._connections: dict[int, _Connection] = {}
        self._closed = False

    def __repr__(self) -> str:
        return f"Client({self.config!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes this process's channel; calls that are under way end with `Cancelled`. Does nothing the second time."""
        self._closed = True
        connection = self._connections.pop(os.getpid(), None)
        if connection is not None:
            connection.channel.close()

    def _connection(self) -> _Connection:
        if self._closed:
            raise RuntimeError("this client is closed; make another one")
        connection = self._connections.get(os.getpid())
        if connection is None:
            # No lock: a fork could copy one that is held. Of two threads that come here at once, one makes a channel in vain.
            made = _Connection(self.config)
            connection = self._connections.setdefault(os.getpid(), made)
            if connection is not made:
                made.channel.close()
        return connection

    # ---- the rpcs as the contract has them ------------------------------------------------------------------------------

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

    # ---- uploads --------------------------------------------------------------------------------------------------------

    def upload(
        self,
        source: str | Path | BinaryIO,
        *,
        name: str | None = None,
        upload_id: str | None = None,
        metadata: Mapping[str, Any] | Struct | None = None,
        sha256: str | None = None,
        lease_id: str = "",
        chunk_size_bytes: int = DEFAULT_CHUNK_SIZE_BYTES,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> UploadResult:
        """Streams a file to the service; it is never in memory as a whole.

        A lost connection is replaced and sending goes on behind the last byte that is safe there.

        Args:
            source: a path, or a file open for reading bytes, sent from where it stands. Only one that is seekable can always
                be gone on with.
            name: the document's name. By default the file's own.
            upload_id: a UUID that becomes the document's id; a random one by default. The id of an interrupted upload goes on
                with it (the name, the metadata and the file must be the same).
            metadata: the users' own keys (see `to_struct`).
            sha256: the file's SHA-256 in hexadecimal, if it is known; otherwise it is computed on the way. The service refuses
                other content.
            lease_id: workers only: the lease that the output is uploaded under.
            chunk_size_bytes: how much each message carries.
            progress: called with the bytes handed over so far and the bytes in all (None: not known), from the sending thread.
                What it raises ends the upload.
            timeout: seconds for all of it; no limit by default.

        Returns:
            The document, and the write token that confirms it.

        Raises:
            UploadInterrupted: the connection stayed lost, or the time was over; says how far it came and how to go on.
            ServiceError: the service refused the file (`UploadError`), the key (`AuthenticationError`) …
            OSError: the source cannot be read.
            ValueError: an argument cannot be used.
        """
        if not 0 < chunk_size_bytes <= MAX_CHUNK_SIZE_BYTES:
            raise ValueError(f"chunk_size_bytes is {chunk_size_bytes}; it must be from 1 to {MAX_CHUNK_SIZE_BYTES}")
        spec = UploadSpec(
            upload_id=upload_id or str(uuid.uuid4()),
            name=name if name is not None else name_of(source),
            metadata=_struct(metadata),
            lease_id=lease_id,
        )
        with open_source(source, hashed=not sha256) as opened:
            if opened.size_bytes:  # an empty file is not declared: the service has an error of its own for it
                spec.size_bytes = opened.size_bytes
            upload = Upload(
                self.uploads,
                opened,
                spec=spec,
                sha256=sha256,
                chunk_size_bytes=chunk_size_bytes,
                progress=progress,
                backoff=self._backoff,
                deadline=Deadline(timeout),
            )
            return upload.run(ask_first=upload_id is not None)

    def confirm(
        self,
        uploads: Iterable[ConfirmUpload | UploadResult | str],
        *,
        path: str = "",
        metadata: Mapping[str, Any] | Struct | None = None,
        expiration_policy: ExpirationPolicy.ValueType = ExpirationPolicy.EXPIRATION_POLICY_UNSPECIFIED,
        hold: Hold | timedelta | None = None,
        request_id: str | None = None,
    ) -> list[Document]:
        """Confirms finished uploads, all or none; from then on the service keeps them. Tried again while nobody answers.

        Args:
            uploads: write tokens, or results of `upload`, to which the keyword arguments apply; or `ConfirmUpload` messages,
                sent as they are. At most 1,000.
            path: the logical path; one that ends in `/` is a folder, to which each document's name is added.
            metadata: the users' own keys, added to those given at upload.
            expiration_policy: how long to keep the documents; for ever by default.
            hold: keep them only for so long (`Hold()`: as long as the service sees fit) unless they are made final.
            request_id: a UUID for this logical call, to be given again when it is repeated. By default a random one.

        Returns:
            The confirmed documents, in the order of `uploads`.

        Raises:
            ServiceError: one of them cannot be confirmed (`TokenSpent`, `PathInvalid` …); `metadata["index"]` says which.
        """
        if isinstance(uploads, str):
            raise TypeError("uploads is one text; give a list of tokens")
        struct = _struct(metadata)
        request = ConfirmUploadsRequest(request_id=request_id or str(uuid.uuid4()))
        for upload in uploads:
            if isinstance(upload, ConfirmUpload):
                request.uploads.append(upload)
                continue
            token = upload.write_token if isinstance(upload, UploadResult) else upload
            request.uploads.add(token=token, path=path, metadata=struct, expiration_policy=expiration_policy)
        if hold is not None:
            request.hold.CopyFrom(hold if isinstance(hold, Hold) else Hold(duration=_duration(hold)))
        return list(self._repeat(lambda: self.documents.ConfirmUploads(request)).documents)

    # ---- tokens and documents -------------------------------------------------------------------------------------------

    def create_token(
        self,
        document_id: str,
        *,
        write: bool = False,
        ttl_seconds: float | None = None,
        wanted_post_process: WantedPostProcess.ValueType = WantedPostProcess.WANTED_POST_PROCESS_UNSPECIFIED,
        for_modified: bool = False,
    ) -> CreateTokenResponse:
        """Creates a token for a document, or for what post-processing made of it.

        Args:
            document_id: the document.
            write: the token may change the document too.
            ttl_seconds: how long it is good for; as the service is configured (15 minutes) by default.
            wanted_post_process: which result is wanted; by default the newest job's, or the document itself if there is none.
            for_modified: the modified copy is wanted.

        Returns:
            `token`, or `pending` or `failed` with the job that was to make what is wanted.

        Raises:
            ServiceError: `DocumentNotFound`, `DocumentDeleted`, `ArgumentInvalid` (a ttl that is too long) …
        """
        request = CreateTokenRequest(
            document_id=document_id,
            purpose=TokenPurpose.TOKEN_PURPOSE_WRITE if write else TokenPurpose.TOKEN_PURPOSE_READ,
            ttl=_duration(timedelta(seconds=ttl_seconds)) if ttl_seconds is not None else None,
            wanted_post_process=wanted_post_process,
            for_modified=for_modified,
        )
        return self.tokens.CreateToken(request)

    def get_document(self, document_id: str | None = None, *, token: str | None = None) -> Document:
        """Describes one document, by its id (with a key) or by a token (without).

        Raises:
            ValueError: neither is given, or both.
            ServiceError: `DocumentNotFound`, `TokenExpired`, `DocumentDeleted` (by token) …
        """
        if (document_id is None) == (token is None):
            raise ValueError("give either document_id or token")
        reference = DocumentRef(token=token) if token is not None else DocumentRef(document_id=document_id or "")
        return self.documents.GetDocument(GetDocumentRequest(document=reference)).document

    # ---- downloads ------------------------------------------------------------------------------------------------------

    def open_download(
        self, token: str, *, offset: int = 0, limit: int = 0, expected_sha256: str = "", timeout: float | None = None
    ) -> Download:
        """Opens a document's content, or a range of it, for reading.

            with client.open_download(token) as download:
                for block in download: …

        Args:
            token: any token of the document.
            offset: the first byte; negative: so many bytes before the end.
            limit: how many bytes at most; 0: up to the end.
            expected_sha256: refuse any other content (`ContentChanged`); of the whole, in hexadecimal.
            timeout: seconds for all of it; no limit by default.

        Raises:
            ServiceError: `TokenExpired`, `DocumentDeleted`, `DocumentCorrupt`, `RangeNotSatisfiable`, `ContentChanged` …
            DownloadInterrupted: nobody answers.
        """
        return Download(
            self.downloads,
            token=token,
            offset=offset,
            limit=limit,
            expected_sha256=expected_sha256,
            backoff=self._backoff,
            deadline=Deadline(timeout),
        )

    def download(
        self,
        token: str,
        target: str | Path | BinaryIO,
        *,
        progress: ProgressCallback | None = None,
        timeout: float | None = None,
    ) -> DownloadHeader:
        """Writes a document's content to a file. Under a path's name there is the whole content or what was there before.

        Args:
            token: any token of the document.
            target: a path, or a file open for writing bytes.
            progress: called with the bytes written so far and the bytes in all.
            timeout: seconds for all of it; no limit by default.

        Raises:
            OSError: the target cannot be written.
            DownloadInterrupted, DownloadDamaged, ServiceError: as `open_download` and `Download`.
        """
        with self.open_download(token, timeout=timeout) as download, open_target(target) as file:
            size = download.header.range.end
            done = 0
            for block in download:
                file.write(block)
                done += len(block)
                if progress is not None:
                    progress(done, size)
            return download.header

    # ---- post-processing ------------------------------------------------------------------------------------------------

    def start(self, document_ids: Iterable[str], actions: Iterable[Action], *, request_id: str | None = None) -> PostProcessing:
        """Starts a post-processing job and answers at once. Tried again while nobody answers.

        Args:
            document_ids: the documents in order, at most 1,000; duplicates allowed.
            actions: what to do with them, in order (see `convert` and `merge`); a merge ends the list.
            request_id: a UUID for this logical call, to be given again when it is repeated. By default a random one.

        Raises:
            ServiceError: `DocumentNotFound`, `TypeNotConvertible`, `MergeInputNotPdf` …
        """
        if isinstance(document_ids, str):
            raise TypeError("document_ids is one text; give a list of ids")
        request = StartPostProcessingRequest(
            document_ids=document_ids, actions=actions, request_id=request_id or str(uuid.uuid4())
        )
        return self._repeat(lambda: self.post_processings.StartPostProcessing(request)).post_processing

    def watch(self, job_id: str, *, timeout: float | None = None) -> Iterator[PostProcessing]:
        """Yields the job as it stands, then each change, and ends with its terminal state.

        Args:
            job_id: the job's id.
            timeout: seconds to watch; no limit by default.

        Raises:
            DeadlineExceeded: the time was over before the job. The job goes on.
            ServiceError: `PostProcessingNotFound` …
        """
        return watch(self.post_processings, job_id, backoff=self._backoff, deadline=Deadline(timeout))

    def wait(
        self, job_id: str, *, timeout: float | None = None, progress: Callable[[PostProcessing], None] | None = None
    ) -> PostProcessing:
        """Waits for a job to succeed and answers it as it ended.

        Args:
            job_id: the job's id.
            timeout: seconds to wait; no limit by default.
            progress: called with the job as it stands, and after each change.

        Raises:
            PostProcessingFailed: the job ended FAILED or CANCELLED.
            DeadlineExceeded: the time was over before the job. The job goes on.
            ServiceError: `PostProcessingNotFound` …
        """
        job = PostProcessing(id=job_id)
        for job in self.watch(job_id, timeout=timeout):
            if progress is not None:
                progress(job)
        if job.state != PostProcessingState.POST_PROCESSING_STATE_DONE:
            failed = PostProcessingFailed(job)
            raise failed from failed.error
        return job

    def _repeat(self, call: Callable[[], _T]) -> _T:
        """Makes a call that its `request_id` makes safe to repeat, again while nobody answers."""
        tries = Tries(self._backoff, deadline=Deadline(None))
        while True:
            try:
                return call()
            except Unavailable as exc:
                if not tries.pause(exc):
                    raise


def _struct(metadata: Mapping[str, Any] | Struct | None) -> Struct | None:
    return metadata if metadata is None or isinstance(metadata, Struct) else to_struct(metadata)


def _duration(delta: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(delta)
    return duration
