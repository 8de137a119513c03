"""Reading a document's bytes, and going on where the connection was lost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self, cast

import google_crc32c

from osis.document.v1.download_service_pb2 import DownloadHeader, DownloadRequest, DownloadResponse
from osis.document.v1.download_service_pb2_grpc import DownloadServiceStub

from ._backoff import Backoff, Deadline, Tries, is_transient
from ._errors import Cancelled, DownloadDamaged, DownloadInterrupted, ServiceError
from ._interceptor import TypedCall


class Download(Iterator[bytes]):
    """The content of a document, or a range of it, block by block. Use it as a context manager, or call `close()`.

    Every block is checked against its CRC32C and, when the whole content is read to its end, the whole against its SHA-256. A
    lost connection is replaced and reading goes on behind the last byte received.

    Attributes:
        header: the document, the range that follows, and the SHA-256 of the whole content.
    """

    def __init__(
        self,
        stub: DownloadServiceStub,
        *,
        token: str,
        offset: int,
        limit: int,
        expected_sha256: str,
        backoff: Backoff,
        deadline: Deadline,
    ) -> None:
        """Asks for the content and waits for the header.

        Raises:
            ServiceError: the service refused (`TokenExpired`, `DocumentDeleted`, `RangeNotSatisfiable` …).
            DownloadInterrupted: nobody answered in any of the tries.
        """
        self._stub = stub
        self._token = token
        self._deadline = deadline
        self._tries = Tries(backoff, deadline=deadline)
        self._call: TypedCall | None = None
        self._position = offset
        self._sha256 = expected_sha256
        self._checked_to_end = False
        self._closed = False
        self.header = self._open(
            DownloadRequest(token=token, read_offset=offset, read_limit=limit, expected_sha256=expected_sha256)
        )
        self._position = self.header.range.start
        self._sha256 = self.header.sha256
        whole = self.header.range.start == 0 and self.header.range.end == self.header.range.complete_size
        self._hasher = hashlib.sha256() if whole and self.header.sha256 else None

    def __next__(self) -> bytes:
        """The next block, at most 1 MiB.

        Raises:
            DownloadDamaged: what arrived is not what was sent.
            DownloadInterrupted: the connection stayed lost.
            Cancelled: `close()` was called.
            ServiceError: the service refused to go on (`DocumentCorrupt`, `ContentChanged`, `TokenExpired` …).
        """
        while self._position < self.header.range.end:
            error: ServiceError | None = None
            self._require_open()
            try:
                if self._call is None:
                    self._reopen()
                    continue  # it may have been closed meanwhile
                message = cast("DownloadResponse | None", next(self._call, None))
            except ServiceError as exc:
                self._require_open()
                if not is_transient(exc):
                    raise
                error, message = exc, None
            if message is not None and message.data:
                return self._checked(message)
            if message is None:
                self._pause(error)
        self._check_end()
        raise StopIteration

    def close(self) -> None:
        """Stops the transfer for good, from whichever thread. Does nothing when it is over."""
        self._closed = True
        self._hang_up()

    def _require_open(self) -> None:
        if self._closed:
            self._hang_up()
            raise Cancelled(f"the download of {self.header.document.name!r} was closed before its end")

    def _hang_up(self) -> None:
        """Lets go of the stream, if there is one."""
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _open(self, request: DownloadRequest) -> DownloadHeader:
        """Opens a stream and answers its header, trying again while nobody answers."""
        while True:
            error: ServiceError | None = None
            try:
                return self._start(request)
            except ServiceError as exc:
                if not is_transient(exc):
                    raise
                error = exc
            self._pause(error)

    def _start(self, request: DownloadRequest) -> DownloadHeader:
        call = cast("TypedCall", self._stub.Download(request, timeout=self._deadline.remaining_seconds()))
        try:
            message = cast("DownloadResponse | None", next(call, None))
        except BaseException:
            call.cancel()
            raise
        if message is None or not message.HasField("header"):
            call.cancel()
            raise DownloadDamaged("the service's first message has no header; it is of another version, or no document service")
        self._call = call
        return message.header

    def _reopen(self) -> None:
        self._start(
            DownloadRequest(
                token=self._token,
                read_offset=self._position,
                read_limit=self.header.range.end - self._position,
                expected_sha256=self._sha256,
            )
        )

    def _pause(self, error: ServiceError | None) -> None:
        """Lets go of a stream that broke off and pauses before the next one."""
        self._hang_up()
        if not self._tries.pause(error):
            why = error.message if error is not None else "the stream ended before its last byte"
            raise DownloadInterrupted(
                f"the download was interrupted at byte {self._position}: {why}", offset=self._position, sha256=self._sha256
            ) from error

    def _checked(self, message: DownloadResponse) -> bytes:
        data = message.data
        end = self._position + len(data)
        if google_crc32c.value(data) != message.crc32c or end > self.header.range.end:
            self.close()
            raise DownloadDamaged(
                f"bytes {self._position} to {end} of {self.header.document.name!r} were damaged on the way; download it again"
            )
        if self._hasher is not None:
            self._hasher.update(data)
        self._position = end
        self._tries.got_on()
        return data

    def _check_end(self) -> None:
        if self._checked_to_end:
            return
        self._checked_to_end = True
        if self._call is not None:
            with suppress(ServiceError):  # every byte is here: how the stream ends does not matter any more
                next(cast("Iterator[DownloadResponse]", self._call), None)
        self.close()
        if self._hasher is not None and self._hasher.hexdigest() != self.header.sha256:
            raise DownloadDamaged(
                f"the content of {self.header.document.name!r} has the SHA-256 {self._hasher.hexdigest()} and not the "
                f"{self.header.sha256} that the service promised; download it again"
            )
