"""A server between a client and the real one that does what it is told to single calls, and passes all others on."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from osis.document.v1.download_service_pb2 import DownloadResponse

_PACKAGE = "osis.document.v1"
_LARGEST_MESSAGE_BYTES = 64 << 20
_THREADS = 32
#: What gRPC says of a call without a deadline is far beyond this.
_NO_DEADLINE_SECONDS = 1e6

for _service in ("document", "download", "post_processing", "token", "upload", "worker"):
    import_module(f"{_PACKAGE}.{_service}_service_pb2")


@dataclass(frozen=True)
class Call:
    """A call that arrived: its rpc, its first message without any data, and when it came (of `time.monotonic`)."""

    rpc: str
    request: dict[str, Any]
    time: float


class ScriptedServer:
    """A gRPC server; a context manager.

    Attributes:
        calls: what has arrived, in order.
    """

    def __init__(self, upstream: str) -> None:
        options = [
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE_BYTES),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_http_proxy", 0),
        ]
        self._channel = grpc.insecure_channel(upstream, options=options)
        self._server = grpc.server(ThreadPoolExecutor(_THREADS), handlers=[_Handler(self)], options=options[:1])
        self.target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._plans: dict[str, deque[dict[str, Any]]] = defaultdict(deque)
        self.calls: list[Call] = []

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.stop(0).wait()
        self._channel.close()

    def plan(self, rpc: str, acts: list[dict[str, Any]]) -> None:
        """Says what is done to the next calls of an rpc, one item for each; further calls are passed on.

        An item has one of these keys: `refuse` (a table of `code`, `reason`, `message`, `metadata`, `retry_seconds`), `hang` (no
        answer ever), `lose_answer` (done by the real server, and then refused with this code), `take` (so many messages of an
        upload arrive, and then it breaks off), `flip` (the data message with this number, from 1, gets a wrong byte), `sha256`
        (said of the content), `stop_after` (so many data messages, then the `code`, with `hang` nothing ever, or as if that
        were all).
        """
        self._plans[rpc].extend(acts)

    def of(self, rpc: str) -> list[Call]:
        """The calls of an rpc."""
        return [call for call in self.calls if call.rpc == rpc]

    def serve(self, method: str, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """Answers one call."""
        rpc = method.removeprefix(f"/{_PACKAGE}.")
        first = next(requests)
        self.calls.append(Call(rpc, _parsed(method, first), time.monotonic()))
        act = self._plans[rpc].popleft() if self._plans[rpc] else {}
        if "refuse" in act:
            _refuse(context, **act["refuse"])
        if "hang" in act and "stop_after" not in act:
            _hang(context)
            return
        if "take" in act:
            requests = islice(requests, act["take"] - 1)
        answers = self._passed_on(method, first, requests, context)
        if "take" in act:
            list(answers)
            context.abort(grpc.StatusCode.UNAVAILABLE, "the script ends it here")
        if "lose_answer" in act:
            list(answers)
            context.abort(grpc.StatusCode[act["lose_answer"]], "the answer is lost")
        yield from _changed(answers, act, context) if rpc == "DownloadService/Download" else answers

    def _passed_on(self, method: str, first: bytes, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        def messages() -> Iterator[bytes]:
            yield first
            yield from requests

        metadata = [(name, value) for name, value in context.invocation_metadata() if name == "x-api-key"]
        remaining = context.time_remaining()
        timeout = remaining if remaining is not None and remaining < _NO_DEADLINE_SECONDS else None
        call = self._channel.stream_stream(method)(messages(), metadata=metadata, timeout=timeout)
        context.add_callback(call.cancel)
        try:
            yield from call
        except grpc.RpcError as exc:
            context.set_trailing_metadata(exc.trailing_metadata())  # type: ignore[attr-defined]
            context.abort(exc.code(), exc.details())  # type: ignore[attr-defined]


class _Handler(grpc.GenericRpcHandler):
    """Takes every method there is; whether it streams makes no difference on the wire."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        method = handler_call_details.method
        return grpc.stream_stream_rpc_method_handler(lambda requests, context: self._server.serve(method, requests, context))


def _parsed(method: str, message: bytes) -> dict[str, Any]:
    service, _, name = method.lstrip("/").partition("/")
    rpc = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    parsed = MessageToDict(GetMessageClass(rpc.input_type).FromString(message))
    parsed.pop("data", None)
    return parsed


def _hang(context: grpc.ServicerContext) -> None:
    ended = threading.Event()
    if context.add_callback(ended.set):
        ended.wait()


def _refuse(
    context: grpc.ServicerContext,
    *,
    code: str,
    reason: str = "",
    message: str = "refused by the script",
    metadata: dict[str, str] | None = None,
    retry_seconds: float | None = None,
) -> None:
    status = Status(code=grpc.StatusCode[code].value[0], message=message)
    if reason:
        _add(status, ErrorInfo(reason=reason, domain="document.osis", metadata=metadata or {}))
    if retry_seconds is not None:
        delay = Duration()
        delay.FromNanoseconds(round(retry_seconds * 1e9))
        _add(status, RetryInfo(retry_delay=delay))
    context.abort_with_status(rpc_status.to_status(status))


def _add(status: Status, detail: Any) -> None:
    packed = AnyMessage()
    packed.Pack(detail)
    status.details.append(packed)


def _changed(answers: Iterator[bytes], act: dict[str, Any], context: grpc.ServicerContext) -> Iterator[bytes]:
    """The messages of a download as the script has them."""
    sent = 0
    for answer in answers:
        message = DownloadResponse.FromString(answer)
        if message.HasField("header"):
            message.header.sha256 = act.get("sha256", message.header.sha256)
        else:
            if sent == act.get("stop_after"):
                break
            sent += 1
            if sent == act.get("flip"):
                message.data = bytes([message.data[0] ^ 1]) + message.data[1:]
        yield message.SerializeToString()
    if "hang" in act:
        _hang(context)
    elif "stop_after" in act and "code" in act:
        context.abort(grpc.StatusCode[act["code"]], "the script ends it here")
