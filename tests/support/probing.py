"""A call of every kind, to see whether a server still answers them."""

import time
from collections.abc import Callable

from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from osis.document.v1.document_pb2 import DocumentRef
from osis.document.v1.document_service_pb2 import GetDocumentRequest
from osis.document.v1.download_service_pb2 import DownloadRequest
from osis.document.v1.token_service_pb2 import CreateTokenRequest, TokenPurpose
from osis.document.v1.upload_service_pb2 import StartUploadRequest
from tests.support.stubs import Stubs
from tests.support.uploads import messages, spec, store, token_for

_CONTENT = b"a probe"


class Probe:
    """Asks a server for its health, for a document, for a token; begins an upload, makes one, downloads one.

    Args:
        stubs: the way to the server, with a client's key.
        deadline_seconds: of each call.
    """

    def __init__(self, stubs: Stubs, *, deadline_seconds: float) -> None:
        self._stubs = stubs
        self._health = HealthStub(stubs.channel)
        self._deadline_seconds = deadline_seconds
        self._document_id = store(stubs, _CONTENT).id
        self._token = token_for(stubs, self._document_id)
        #: The longest that any call has taken so far.
        self.longest_seconds = 0.0

    @property
    def calls(self) -> tuple[Callable[[], None], ...]:
        """The calls, to be made one by one.

        Each raises grpc.RpcError when it is refused or not answered by its deadline, AssertionError when the answer is wrong.
        """
        return tuple(
            self._timed(call)
            for call in (self._ask_for_health, self._get, self._create_token, self._start_upload, self._upload, self._download)
        )

    def _timed(self, call: Callable[[float], None]) -> Callable[[], None]:
        def timed() -> None:
            began = time.monotonic()
            call(self._deadline_seconds)
            self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)

        return timed

    def _ask_for_health(self, timeout: float) -> None:
        assert self._health.Check(HealthCheckRequest(), timeout=timeout).status == HealthCheckResponse.SERVING

    def _get(self, timeout: float) -> None:
        request = GetDocumentRequest(document=DocumentRef(document_id=self._document_id))
        assert self._stubs.documents.GetDocument(request, timeout=timeout).document.size_bytes == len(_CONTENT)

    def _create_token(self, timeout: float) -> None:
        request = CreateTokenRequest(document_id=self._document_id, purpose=TokenPurpose.TOKEN_PURPOSE_READ)
        assert self._stubs.tokens.CreateToken(request, timeout=timeout).token.token

    def _start_upload(self, timeout: float) -> None:
        answer = self._stubs.uploads.StartUpload(StartUploadRequest(upload_spec=spec()), timeout=timeout)
        assert answer.persisted_size == 0

    def _upload(self, timeout: float) -> None:
        answer = self._stubs.uploads.WriteUpload(messages(spec(), _CONTENT), timeout=timeout)
        assert answer.result.document.size_bytes == len(_CONTENT)

    def _download(self, timeout: float) -> None:
        blocks = self._stubs.downloads.Download(DownloadRequest(token=self._token), timeout=timeout)
        assert b"".join(block.data for block in blocks) == _CONTENT
