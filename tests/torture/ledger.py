"""What a service has acknowledged of an upload, and whether it is so: the promise is kept through every crash."""

import hashlib
import io
import random
import time
from collections.abc import Callable
from typing import Any

import grpc

from osis.document.v1.document_pb2 import Document
from osis.document.v1.document_service_pb2 import ConfirmUpload, ConfirmUploadsRequest
from osis.document.v1.upload_service_pb2 import CancelUploadRequest, GetUploadStatusRequest, UploadResult, UploadSpec
from osis_document_client import Client, OsisDocumentError, Unavailable, UploadInterrupted
from tests.support import files
from tests.support.documents import get
from tests.support.downloads import content_of
from tests.support.outcomes import outcome_of, reason_of
from tests.support.resuming import rest, status
from tests.support.seeds import id_of
from tests.support.stubs import Stubs
from tests.support.uploads import MEBIBYTE

#: For so long a server may give no answer at all: it is started again in less.
_PATIENCE_SECONDS = 180


class Entry:
    """One upload: what is to become of it, and what was acknowledged so far. Every step is done again until it is answered.

    Args:
        luck: decides about it.
        number: which one it is.

    Every method raises AssertionError when the service answers otherwise than it has before.
    """

    def __init__(self, luck: random.Random, number: int) -> None:
        self.number = number
        self._luck = luck
        self._size = luck.choice(
            [luck.randint(100, 10_000), luck.randint(10_000, MEBIBYTE), luck.randint(MEBIBYTE, 3 * MEBIBYTE)]
        )
        self.spec = UploadSpec(upload_id=id_of(luck), name=f"scan-{number}.pdf", size_bytes=self._size)
        self._answered_at = time.monotonic()
        #: Bytes that the service has said are safe.
        self.safe = 0
        self.is_cancelled = False
        self.result: UploadResult | None = None
        self.confirmed: Document | None = None

    @property
    def content(self) -> bytes:
        """The file's bytes, made anew each time: there are many."""
        return files.pdf_of_size(self._size, seed=self.number)

    # ---- steps ----------------------------------------------------------------------------------------------------------

    def send_pieces(self, stubs: Stubs) -> None:
        """Sends some of it, in up to two streams that end without finishing."""
        content = self.content
        for end in sorted(self._luck.randint(1, self._size - 1) for _ in range(self._luck.randint(0, 2))):
            while self.safe < end:
                self._send(stubs, content, end=end)

    def finish(self, stubs: Stubs) -> None:
        """Sends the rest."""
        content = self.content
        while self.result is None:
            self._send(stubs, content, end=None)

    def finish_by_library(self, client: Client) -> None:
        """Has the client library send it, which goes on by itself, and is told to go on when it has given up."""
        while self.result is None:
            try:
                result = client.upload(io.BytesIO(self.content), name=self.spec.name, upload_id=self.spec.upload_id)
            except (UploadInterrupted, Unavailable):
                self._require_patience()
                continue
            except OsisDocumentError as exc:
                raise AssertionError(f"upload {self.number}: the library was refused: {exc!r}") from exc
            self._note_result(result)

    def confirm(self, stubs: Stubs) -> None:
        """Confirms it."""
        assert self.result is not None
        request = ConfirmUploadsRequest(uploads=[ConfirmUpload(token=self.result.write_token)], request_id=id_of(self._luck))
        answer = self._answer(stubs.documents.ConfirmUploads, request)
        assert not reason_of(answer), f"upload {self.number} cannot be confirmed: {answer}"
        [self.confirmed] = answer.documents

    def cancel(self, stubs: Stubs) -> None:
        """Takes it back."""
        answer = self._answer(stubs.uploads.CancelUpload, CancelUploadRequest(upload_id=self.spec.upload_id))
        assert not reason_of(answer), f"upload {self.number} cannot be cancelled: {answer}"
        self.is_cancelled = True

    # ---- checks ---------------------------------------------------------------------------------------------------------

    def check(self, stubs: Stubs) -> None:
        """Asserts that all is there that was acknowledged, by reading all of it."""
        what = f"upload {self.number} ({self.spec.upload_id}, {self._size} bytes)"
        if self.is_cancelled:
            for call, reason in ((status, "UPLOAD_NOT_FOUND"), (get, "DOCUMENT_NOT_FOUND")):
                answer = outcome_of(call, stubs, self.spec.upload_id)
                assert reason_of(answer) == reason, f"{what} was cancelled, and there is {answer}"
            return
        if self.confirmed is not None:
            assert get(stubs, self.spec.upload_id) == self.confirmed, f"{what} is not as it was confirmed"
        if self.result is None:
            self._ask(stubs)  # what was safe still is
            return
        document = outcome_of(get, stubs, self.spec.upload_id)
        assert not reason_of(document), f"{what} was finished, and is gone: {document}"
        assert content_of(stubs, self.spec.upload_id) == self.content, f"{what} has other bytes"

    def _send(self, stubs: Stubs, content: bytes, *, end: int | None) -> None:
        chunk = self._luck.choice([16_384, 262_144, MEBIBYTE])
        try:
            answer = outcome_of(
                stubs.uploads.WriteUpload, rest(self.spec, content, self.safe, end=end, chunk=chunk), wait_for_ready=True
            )
        except grpc.RpcError:
            self._ask(stubs)
            return
        assert not reason_of(answer), f"upload {self.number}, from {self.safe} to {end or 'its end'}: {answer}"
        if answer.WhichOneof("outcome") == "result":
            assert end is None, f"upload {self.number} was finished by bytes up to {end}"
            self._note_result(answer.result)
        else:
            assert answer.persisted_size == end, f"upload {self.number}: {answer.persisted_size} bytes are safe, not {end}"
            self.safe = answer.persisted_size

    def _ask(self, stubs: Stubs) -> None:
        answer = self._answer(stubs.uploads.GetUploadStatus, GetUploadStatusRequest(upload_id=self.spec.upload_id))
        if reason_of(answer) == "UPLOAD_NOT_FOUND":
            assert self.safe == 0, f"upload {self.number}: {self.safe} bytes were safe, and it is gone"
            return
        assert not reason_of(answer), f"upload {self.number}: {answer}"
        if answer.WhichOneof("outcome") == "result":
            self._note_result(answer.result)
            return
        safe = answer.persisted_size
        assert self.safe <= safe <= self._size, f"upload {self.number}: {self.safe} bytes were safe, and now {safe}"
        self.safe = safe

    def _note_result(self, result: UploadResult) -> None:
        assert result.document.sha256 == hashlib.sha256(self.content).hexdigest(), f"upload {self.number} has other bytes"
        self.result = result

    def _answer(self, call: Callable[..., Any], request: Any) -> Any:
        """Makes an idempotent call until it is answered or refused."""
        while True:
            try:
                answer = outcome_of(call, request, wait_for_ready=True)
            except grpc.RpcError:
                self._require_patience()
                continue
            self._answered_at = time.monotonic()
            return answer

    def _require_patience(self) -> None:
        silent_seconds = time.monotonic() - self._answered_at
        assert silent_seconds < _PATIENCE_SECONDS, f"upload {self.number}: no answer for {silent_seconds:.0f} s"
