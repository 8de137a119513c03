"""Health and reflection: called without a key and never logged, but strangers are not to keep what others need."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from osis_document_server.errors import ServiceError
from osis_document_server.rpc.admission import Admission
from osis_document_server.rpc.errors import abort
from osis_document_server.rpc.messages import Received, with_size
from osis_document_server.rpc.policy import TOOLS, Kind
from osis_document_server.rpc.reaper import Reaper

if TYPE_CHECKING:  # generic in its stubs alone
    _Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
else:
    _Handler = grpc.RpcMethodHandler

_Send = Callable[[Any], None]


#: How many calls may wait for their one message at once. When there are more, the one that has waited longest is cancelled: those
#: of clients that mean it are there in no time.
_WAITING = 8


class Tools:
    """Serves what load balancers and people with tools ask of any gRPC server.

    Args:
        pool: threads of its own, more than may wait and reflect together.
        admission: how many streams may be open.
        reaper: for who has gone quiet.
    """

    def __init__(self, pool: ThreadPoolExecutor, admission: Admission, reaper: Reaper) -> None:
        self._pool = pool
        self._admission = admission
        self._reaper = reaper
        self._waiting = _Waiting(_WAITING)
        #: How each stream that is open is ended.
        self._ends: dict[grpc.ServicerContext, Callable[[], None]] = {}

    def serve(self, method: str, handler: _Handler) -> _Handler:
        """Returns a handler that does what ``handler`` does, within limits."""
        kind = TOOLS[method]
        codec = {
            "request_deserializer": with_size(handler.request_deserializer),
            "response_serializer": handler.response_serializer,
        }
        behaviour: Any
        if handler.stream_stream is not None:
            behaviour, wrap = self._conversation(kind, handler.stream_stream), grpc.stream_stream_rpc_method_handler
        elif handler.unary_stream is not None:
            behaviour, wrap = self._watch(kind, handler.unary_stream), grpc.stream_stream_rpc_method_handler
        else:
            assert handler.unary_unary is not None, f"{method} is no method of a tool"
            behaviour, wrap = self._question(handler.unary_unary), grpc.stream_unary_rpc_method_handler
        behaviour.experimental_thread_pool = self._pool  # where grpcio looks for it
        return wrap(behaviour, **codec)

    def end_streams(self) -> None:
        """Ends all streams; those who follow the service's health have been told before that it is stopping."""
        for end in list(self._ends.values()):
            end()

    def _question(self, behaviour: Callable[[Any, grpc.ServicerContext], Any]) -> Any:
        def answer(received: Iterator[Received], context: grpc.ServicerContext) -> Any:
            return behaviour(self._only_request(received, context), context)

        return answer

    def _conversation(self, kind: Kind | None, behaviour: Callable[[Any, grpc.ServicerContext], Any]) -> Any:
        def converse(received: Iterator[Received], context: grpc.ServicerContext) -> Iterator[Any]:
            with ExitStack() as stack:
                self._enter(stack, kind, context, end=context.cancel)
                requests = (message.readable() for message in self._reaper.requests(received, context))
                yield from self._reaper.responses(behaviour(requests, context), context)

        return converse

    def _watch(self, kind: Kind | None, behaviour: Callable[..., Any]) -> Any:
        """A stream of answers that keeps no thread: whoever has news sends it."""

        def watch(received: Iterator[Received], context: grpc.ServicerContext, send: _Send) -> None:
            stack = ExitStack()
            try:
                request = self._only_request(received, context)
                watcher = _Watcher(send)
                self._enter(stack, kind, context, end=watcher.end)
                behaviour(request, context, watcher.tell)
            except BaseException:
                stack.close()
                raise
            if not context.add_callback(stack.close):
                stack.close()

        watch.experimental_non_blocking = True  # type: ignore[attr-defined]  # where grpcio looks for it
        return watch

    def _only_request(self, received: Iterator[Received], context: grpc.ServicerContext) -> Any:
        with self._waiting.place(context):
            message = self._reaper.request(received, context)
        if message is None or message.message is None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Exactly one request message is needed, of the method's own type.")
        return message.message

    def _enter(self, stack: ExitStack, kind: Kind | None, context: grpc.ServicerContext, *, end: Callable[[], None]) -> None:
        if kind is not None:
            try:
                stack.enter_context(self._admission.admit(kind))
            except ServiceError as exc:
                abort(context, exc)
        self._ends[context] = end
        stack.callback(self._ends.pop, context, None)


class _Waiting:
    """So many places to wait in; who comes when all are taken gets that of the one who came first."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._contexts: dict[grpc.ServicerContext, None] = {}

    @contextmanager
    def place(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Waits for the time of a ``with`` block."""
        oldest = None
        with self._lock:
            self._contexts[context] = None
            if len(self._contexts) > self._places:
                oldest = next(iter(self._contexts))
                del self._contexts[oldest]
        if oldest is not None:
            oldest.cancel()  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            with self._lock:
                self._contexts.pop(context, None)


class _Watcher:
    """Somebody who is told news until the end of the stream, which may come from either side."""

    def __init__(self, send: _Send) -> None:
        self._send = send
        self._ended = False

    def tell(self, response: Any) -> None:
        """Sends a response; None ends the stream."""
        if not self._ended:
            self._ended = response is None
            self._send(response)

    def end(self) -> None:
        """Ends the stream."""
        self.tell(None)
