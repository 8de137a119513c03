"""What every call passes through: who calls, whether there is room, how a refusal is told, one line in the log.

All methods are served as gRPC serves streams of requests, also those that take one: gRPC itself would keep a thread waiting for
that one message, before anybody has been asked for a key, for as long as a stranger likes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars

from osis_document_server.domain.access import ApiKeys
from osis_document_server.errors import ArgumentInvalid, InternalError, NotImplementedYet, ServiceError
from osis_document_server.rpc import calls
from osis_document_server.rpc.admission import Admission
from osis_document_server.rpc.callers import authenticate
from osis_document_server.rpc.calls import REQUEST_ID, Call
from osis_document_server.rpc.errors import abort, code_of
from osis_document_server.rpc.messages import Received, with_size
from osis_document_server.rpc.policy import POLICIES, TOOLS, Policy
from osis_document_server.rpc.reaper import Reaper
from osis_document_server.rpc.tools import Tools

_log = structlog.get_logger(__name__)

#: The client went away, waited no longer, or was cancelled by the reaper. Which of them, the service is not told.
_GIVEN_UP = "CANCELLED"

if TYPE_CHECKING:  # generic in its stubs alone
    _Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
    _Interceptor = grpc.ServerInterceptor[Any, Any]
else:
    _Handler = grpc.RpcMethodHandler
    _Interceptor = grpc.ServerInterceptor


class Guard(_Interceptor):
    """Guards the methods that have a policy, and hands health and reflection to ``tools``. No other method is served."""

    def __init__(self, keys: ApiKeys, admission: Admission, reaper: Reaper, tools: Tools) -> None:
        self._keys = keys
        self._admission = admission
        self._reaper = reaper
        self._tools = tools
        self._guarded: dict[str, _Handler] = {}

    def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], _Handler | None], handler_call_details: grpc.HandlerCallDetails
    ) -> _Handler | None:
        method = handler_call_details.method
        if method not in self._guarded:
            handler = continuation(handler_call_details) if method in POLICIES or method in TOOLS else None
            if handler is None:
                return None
            guarded = self._guard(method, POLICIES[method], handler) if method in POLICIES else self._tools.serve(method, handler)
            self._guarded[method] = guarded
        return self._guarded[method]

    def _guard(self, method: str, policy: Policy, handler: _Handler) -> _Handler:
        # Answers are serialized here: gRPC would keep each message, beside its bytes, for as long as a client takes to read them.
        serialize = handler.response_serializer or bytes
        codec = {"request_deserializer": with_size(handler.request_deserializer), "response_serializer": None}
        behaviour: Callable[[Any, grpc.ServicerContext], Any]
        if handler.stream_unary is not None:
            behaviour = handler.stream_unary

            def receive(received: Iterator[Received], context: grpc.ServicerContext) -> bytes:
                with self._call(method, policy, context) as call:
                    requests = _messages(self._reaper.requests(received, context), call)
                    return _counted(serialize(behaviour(requests, context)), call)

            return grpc.stream_unary_rpc_method_handler(receive, **codec)
        if handler.unary_stream is not None:
            behaviour = handler.unary_stream

            def send(received: Iterator[Received], context: grpc.ServicerContext) -> Iterator[bytes]:
                with self._call(method, policy, context) as call:
                    request = self._only_request(received, context, call)
                    for data in self._reaper.responses(map(serialize, behaviour(request, context)), context):
                        yield _counted(data, call)

            return grpc.stream_stream_rpc_method_handler(send, **codec)
        assert handler.unary_unary is not None, f"{method} streams both ways, which no method of the contract does"
        behaviour = handler.unary_unary

        def answer(received: Iterator[Received], context: grpc.ServicerContext) -> bytes:
            with self._call(method, policy, context) as call:
                return _counted(serialize(behaviour(self._only_request(received, context, call), context)), call)

        return grpc.stream_unary_rpc_method_handler(answer, **codec)

    def _only_request(self, received: Iterator[Received], context: grpc.ServicerContext, call: Call) -> Any:
        message = self._reaper.request(received, context)
        if message is None:
            raise ArgumentInvalid(f"{call.method} takes exactly one request message; none came.")
        call.received_bytes += message.size_bytes
        return message.readable()

    @contextmanager
    def _call(self, method: str, policy: Policy, context: grpc.ServicerContext) -> Iterator[Call]:
        metadata = tuple(context.invocation_metadata())
        call = calls.begin(method, metadata, peer=context.peer())
        context.set_trailing_metadata(((REQUEST_ID, call.request_id),))
        # What is logged on the way can be found by the id, too.
        clear_contextvars()
        bind_contextvars(request_id=call.request_id)
        code, reason = "OK", ""
        try:
            call.caller = authenticate(self._keys, policy, method, metadata)
            with self._admission.admit(policy.kind, stranger=call.caller is None):
                yield call
            if not context.is_active():  # a client that goes away can look like one that is done
                code = _GIVEN_UP
        except ServiceError as exc:
            code, reason = code_of(exc), exc.reason
            abort(context, exc)
        except NotImplementedError:
            error: ServiceError = NotImplementedYet(f"This version of the service does not offer {method} yet.", method=method)
            code, reason = code_of(error), error.reason
            abort(context, error)
        except (GeneratorExit, grpc.RpcError):
            code = _GIVEN_UP
            raise
        except Exception:  # noqa: BLE001 - the last resort of every call
            _log.exception("call failed", method=_short(method))
            error = InternalError(
                f"The service failed; its log says more under the request id {call.request_id}.", request_id=call.request_id
            )
            code, reason = code_of(error), error.reason
            abort(context, error)
        finally:
            _log.info(
                "call",
                method=_short(method),
                code=code,
                **({"reason": reason} if reason else {}),
                milliseconds=call.milliseconds,
                received_bytes=call.received_bytes,
                sent_bytes=call.sent_bytes,
                client=call.caller.name if call.caller else "",
                peer=call.peer,
                request_id=call.request_id,
            )


def _messages(received: Iterator[Received], call: Call) -> Iterator[Any]:
    for message in received:
        call.received_bytes += message.size_bytes
        yield message.readable()


def _counted(data: bytes, call: Call) -> bytes:
    call.sent_bytes += len(data)
    return data


def _short(method: str) -> str:
    return method.removeprefix("/osis.document.v1.")
