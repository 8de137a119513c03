"""One `WriteUpload` stream that is fed as the bytes come in."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

from osis.document.v1.upload_service_pb2 import UploadResult, UploadSpec, WriteUploadRequest, WriteUploadResponse
from osis_document import conf
from osis_document_client import Client, ServiceError

#: How much one message carries at most, and how many messages wait for the transport at most: what an upload has in memory.
MESSAGE_BYTES = 1 << 20
_WAITING_MESSAGES = 4


class WriteStream:
    """Sends what is written to it, block by block, and never holds more than a few blocks.

    `finish` or `pause` ends it; `abort` (also when its block is left by an error) tears it down.
    """

    def __init__(self, client: Client, upload: UploadSpec | str, *, offset: int = 0, hashed: bool = True) -> None:
        """Opens the stream.

        Args:
            client: the way to the service.
            upload: what is uploaded, or the id of an upload to go on with.
            offset: where in the file the first byte belongs.
            hashed: compute the SHA-256 on the way, so that the service refuses what was damaged; only from offset 0.
        """
        self._upload: UploadSpec | str | None = upload
        self._offset = offset
        self._hasher = hashlib.sha256() if hashed and offset == 0 else None
        self._block = bytearray()
        self._waiting: deque[WriteUploadRequest] = deque()
        self._closed = False
        self._changed = threading.Condition()
        self.size_bytes = 0
        # The interceptor's call: it raises the library's errors.
        self._call: Any = client.uploads.WriteUpload.future(self._messages(), timeout=conf.timeouts().transfer)
        self._call.add_done_callback(lambda _: self._close())

    def write(self, data: bytes) -> None:
        """Sends bytes; waits while the service is slower than they come.

        Raises:
            ServiceError: the service has refused the upload, or is gone.
        """
        self.size_bytes += len(data)
        if self._hasher is not None:
            self._hasher.update(data)
        self._block += data
        while len(self._block) >= MESSAGE_BYTES:
            self._send(bytes(self._block[:MESSAGE_BYTES]))
            del self._block[:MESSAGE_BYTES]

    def finish(self, *, sha256: str = "") -> UploadResult:
        """Sends what is left and makes it a document.

        Raises:
            ServiceError: the service refused the content.
        """
        known = sha256 or (self._hasher.hexdigest() if self._hasher is not None else "")
        self._send(bytes(self._block), finish_write=True, sha256=known)
        return self._outcome().result

    def pause(self) -> int:
        """Ends the stream without finishing the upload, and answers how many bytes of the file are safe.

        Raises:
            ServiceError: the service refused them.
        """
        self._send(bytes(self._block))
        self._close()
        outcome = self._outcome()
        return outcome.persisted_size

    def abort(self) -> None:
        """Breaks the stream off. The upload stays as far as it came, until it is cancelled or its time is over."""
        self._close()
        self._call.cancel()

    def _outcome(self) -> WriteUploadResponse:
        return cast("WriteUploadResponse", self._call.result())

    def _send(self, data: bytes, *, finish_write: bool = False, sha256: str = "") -> None:
        message = WriteUploadRequest(write_offset=self._offset, data=data, finish_write=finish_write, sha256=sha256)
        if isinstance(self._upload, UploadSpec):
            message.upload_spec.CopyFrom(self._upload)
        elif self._upload is not None:
            message.upload_id = self._upload
        self._upload = None
        self._offset += len(data)
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._waiting) < _WAITING_MESSAGES)
            if not self._closed:
                self._waiting.append(message)
                self._closed = finish_write
                self._changed.notify_all()
                return
        error = self._call.exception()
        if isinstance(error, ServiceError):
            raise error

    def _close(self) -> None:
        """Lets whoever waits go on: nothing more is to be sent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _messages(self) -> Iterator[WriteUploadRequest]:
        """What gRPC sends, asked for in a thread of its own."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or bool(self._waiting))
                if not self._waiting:
                    return
                message = self._waiting.popleft()
                self._changed.notify_all()
            yield message
