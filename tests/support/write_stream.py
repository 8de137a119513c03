"""A stream of `WriteUpload` whose messages are sent one by one, when the test says so."""

from queue import SimpleQueue

import grpc

from osis.document.v1.upload_service_pb2 import UploadSpec, WriteUploadRequest, WriteUploadResponse
from tests.support.outcomes import is_lost
from tests.support.refusals import Refusal, refusal_of
from tests.support.stubs import Stubs


class WriteStream:
    """Begins with a message that names the upload and carries no bytes; `close` ends what is left of it."""

    def __init__(self, stubs: Stubs, upload: UploadSpec | str, *, offset: int = 0, timeout: float = 60) -> None:
        self._messages: SimpleQueue[WriteUploadRequest | None] = SimpleQueue()
        first = WriteUploadRequest(write_offset=offset)
        if isinstance(upload, str):
            first.upload_id = upload
        else:
            first.upload_spec.CopyFrom(upload)
        self._messages.put(first)
        self._call = stubs.uploads.WriteUpload.future(iter(self._messages.get, None), timeout=timeout)

    def write(self, offset: int, data: bytes) -> None:
        """Sends bytes."""
        self._messages.put(WriteUploadRequest(write_offset=offset, data=data))

    def finish(self, offset: int, *, sha256: str = "") -> WriteUploadResponse | Refusal:
        """Says that this was all, and returns the answer."""
        self._messages.put(WriteUploadRequest(write_offset=offset, finish_write=True, sha256=sha256))
        return self.end()

    def end(self) -> WriteUploadResponse | Refusal:
        """Ends the stream, without saying that this was all, and returns the answer."""
        self._messages.put(None)
        return self.answer()

    def answer(self) -> WriteUploadResponse | Refusal:
        """Waits for the answer.

        Raises:
            grpc.RpcError: the call broke off without a reason of the service.
        """
        try:
            answer: WriteUploadResponse = self._call.result()
        except grpc.RpcError as exc:
            if is_lost(exc):
                raise
            return refusal_of(exc)
        finally:
            self._messages.put(None)
        return answer

    def close(self) -> None:
        """Breaks off what has not ended, as a client does that goes away."""
        self._call.cancel()
        self._messages.put(None)
