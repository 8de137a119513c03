"""Sending a file, and going on where the connection was lost."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from typing import cast

from osis.document.v1.upload_service_pb2 import (
    GetUploadStatusRequest,
    UploadResult,
    UploadSpec,
    WriteUploadRequest,
    WriteUploadResponse,
)
from osis.document.v1.upload_service_pb2_grpc import UploadServiceStub

from ._backoff import Backoff, Deadline, Tries, is_transient
from ._errors import OffsetGap, ServiceError, Unimplemented, UploadInterrupted, UploadNotFound, UploadSpecConflict
from ._interceptor import TypedCall
from ._source import Source

#: Called with the bytes handed to the transport so far and the bytes in all (None: not known): first with where the transfer
#: begins, and again with where it goes on, which may be further back, when a lost connection was replaced.
ProgressCallback = Callable[[int, int | None], None]

#: Messages of 256 KiB to 1 MiB go fastest; the service's limit is 4 MiB for the whole message.
DEFAULT_CHUNK_SIZE_BYTES = 1 << 20
MAX_CHUNK_SIZE_BYTES = (4 << 20) - (64 << 10)


class Upload:
    """One file on its way to the service, over as many streams as it takes."""

    def __init__(
        self,
        stub: UploadServiceStub,
        source: Source,
        *,
        spec: UploadSpec,
        sha256: str | None,
        chunk_size_bytes: int,
        progress: ProgressCallback | None,
        backoff: Backoff,
        deadline: Deadline,
    ) -> None:
        self.spec = spec
        self.source = source
        self.sha256 = sha256
        self.chunk_size_bytes = chunk_size_bytes
        self.progress = progress
        self._stub = stub
        self._deadline = deadline
        self._tries = Tries(backoff, deadline=deadline)
        self._persisted_size = 0
        self.sent_size = 0
        # gRPC's sending thread may still be reading for a stream that has failed while the next one is being set up.
        self.reading = threading.Lock()
        self.current: _Requests | None = None

    def run(self, *, ask_first: bool) -> UploadResult:
        """Sends the file.

        Args:
            ask_first: the upload may have been begun before; ask how far it came.

        Raises:
            UploadInterrupted: the connection stayed lost.
            ServiceError: the service refused the upload.
            OSError: the source cannot be read.
        """
        ask = ask_first
        while True:
            error: ServiceError | None = None
            try:
                outcome = self._ask() if ask else 0
                if isinstance(outcome, int):
                    outcome = self._send(outcome)
                if isinstance(outcome, UploadResult):
                    return outcome
            except ServiceError as exc:
                # A gap, or an upload that went away, means that our idea of where it stands is out of date: ask again.
                if not is_transient(exc) and not isinstance(exc, OffsetGap | UploadNotFound):
                    raise
                error = exc
            ask = True
            if not self._tries.pause(error):
                raise self._interrupted(error) from error

    def _ask(self) -> UploadResult | int:
        """Asks how far the upload came: its result, or the offset to go on from."""
        try:
            response = self._stub.GetUploadStatus(GetUploadStatusRequest(upload_id=self.spec.upload_id))
        except (UploadNotFound, Unimplemented):
            return 0  # nothing is kept, or the service cannot resume: from the start, under the same id
        if response.WhichOneof("outcome") == "result":
            self._require_same_content(response.result)
            return response.result
        if response.persisted_size > self._persisted_size:
            self._persisted_size = response.persisted_size
            self._tries.got_on()
        return response.persisted_size

    def _require_same_content(self, result: UploadResult) -> None:
        """Raises `UploadSpecConflict` when the upload that is finished under this id was of another file."""
        document = result.document
        try:
            self.source.go_to(document.size_bytes)
            is_longer = bool(self.source.read(1))
            sha256 = self.sha256 or self.source.sha256()
        except io.UnsupportedOperation:
            return  # it cannot be read again: the caller's word has to do
        except ValueError:
            is_longer, sha256 = False, "shorter"
        if document.revision == 0 and (is_longer or (sha256 and sha256 != document.sha256)):
            raise UploadSpecConflict(
                f"upload {document.id} was finished with another file (SHA-256 {document.sha256}); "
                "a new file needs a new upload id",
                metadata={"upload_id": document.id, "field": "sha256"},
            )

    def _send(self, offset: int) -> UploadResult | int:
        """Streams the file from `offset`: answers its result, or how much is safe when the stream ended before its end."""
        requests = _Requests(self, offset=offset)
        with self.reading:
            self.current = requests
            if self.progress is not None:
                self.progress(offset, self.source.size_bytes)
            try:
                self.source.go_to(offset)
            except io.UnsupportedOperation as exc:
                raise self._interrupted(None, why=str(exc)) from exc
        call = cast("TypedCall", self._stub.WriteUpload.future(requests, timeout=self._deadline.remaining_seconds()))
        try:
            response: WriteUploadResponse = call.result()
        except ServiceError:
            if requests.fault is None:
                raise
        except BaseException:  # Ctrl-C above all: nothing may go on sending behind the caller's back
            call.cancel()
            raise
        if requests.fault is not None:
            raise requests.fault
        return response.result if response.WhichOneof("outcome") == "result" else response.persisted_size

    def _interrupted(self, error: ServiceError | None, *, why: str = "") -> UploadInterrupted:
        size = self.source.size_bytes
        of = f" of {size}" if size is not None else ""
        safe = (
            f"{self._persisted_size}{of} bytes are safe" if self._persisted_size or not self.sent_size else "what arrived is safe"
        )
        why = why or (error.message if error is not None else "the service ended the stream before its end")
        return UploadInterrupted(
            f"the upload of {self.spec.name!r} was interrupted; {safe}: {why}. "
            f"To go on from there, upload it again with the upload id {self.spec.upload_id}",
            upload_id=self.spec.upload_id,
            persisted_size=self._persisted_size,
            size_bytes=size,
            sent_size=self.sent_size,
        )


class _Requests(Iterator[WriteUploadRequest]):
    """The messages of one stream. gRPC asks for the next one, in a thread of its own, when it has room for it."""

    def __init__(self, upload: Upload, *, offset: int) -> None:
        self._upload = upload
        self._offset = offset
        self._started = False
        self._finished = False
        self.fault: Exception | None = None

    def __next__(self) -> WriteUploadRequest:
        with self._upload.reading:
            if self._finished or self._upload.current is not self:
                raise StopIteration
            try:
                return self._next()
            except Exception as exc:
                # Raised here it would only be logged by gRPC. The stream ends unfinished, which the service takes for an
                # interruption, and the calling thread raises the fault.
                self.fault = exc
                self._finished = True
                raise StopIteration from exc

    def _next(self) -> WriteUploadRequest:
        upload = self._upload
        if self._started:  # gRPC asks for another message once the transport has taken the one before
            upload.sent_size = max(upload.sent_size, self._offset)
            if upload.progress is not None:
                upload.progress(self._offset, upload.source.size_bytes)
        data = upload.source.read(upload.chunk_size_bytes)
        message = WriteUploadRequest(write_offset=self._offset, data=data)
        if not self._started:
            message.upload_spec.CopyFrom(upload.spec)  # continues an upload that was begun with the same
            self._started = True
        if not data:
            message.finish_write = True
            message.sha256 = upload.sha256 or upload.source.sha256()
            self._finished = True
        self._offset += len(data)
        return message
