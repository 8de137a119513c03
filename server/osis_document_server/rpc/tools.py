"""Health and reflection: called without a key and never logged, but strangers are not to keep what others need."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
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


class Tools:
    """Serves what load balancers and people with tools ask of any gRPC server."""

    def __init__(self, admission: Admission, reaper: Reaper) -> None:
        self._admission = admission
        self._reaper = reaper
        #: How each stream that is open is ended.
        self._ends: dict[grpc.ServicerContext, Callable[[], None]] = {}

    def serve(self, method: str, handler: _Handler) -> _Handler:
        """Returns a handler that does what ``handler`` does, within limits."""
        kind = TOOLS[method]
        codec = {
            "request_deserializer": with_size(handler.request_deserializer),
            "response_serializer": handler.response_serializer,
        }
        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(self._conversation(kind, handler.stream_stream), **codec)
        if handler.unary_stream is not None:
            return grpc.stream_stream_rpc_method_handler(self._watch(kind, handler.unary_stream), **codec)
        assert handler.unary_unary is not None, f"{method} is no method of a tool"
        return grpc.stream_unary_rpc_method_handler(self._question(handler.unary_unary), **codec)

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
