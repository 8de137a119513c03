"""What every call passes through: who calls, whether there is room, how a refusal is told, one line in the log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

import grpc
import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars

from osis_document_server.domain.access import ApiKeys
from osis_document_server.errors import InternalError, NotImplementedYet, ServiceError
from osis_document_server.rpc.admission import Admission
from osis_document_server.rpc.callers import authenticate
from osis_document_server.rpc.errors import abort
from osis_document_server.rpc.policy import POLICIES, Policy
from osis_document_server.rpc.reaper import Reaper

_log = structlog.get_logger(__name__)

if TYPE_CHECKING:  # generic in its stubs alone
    _Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
    _Interceptor = grpc.ServerInterceptor[Any, Any]
else:
    _Handler = grpc.RpcMethodHandler
    _Interceptor = grpc.ServerInterceptor


class Guard(_Interceptor):
    """Guards the methods that have a policy; health and reflection pass freely."""

    def __init__(self, keys: ApiKeys, admission: Admission, reaper: Reaper) -> None:
        self._keys = keys
        self._admission = admission
        self._reaper = reaper
        self._guarded: dict[str, _Handler] = {}

    def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], _Handler | None], handler_call_details: grpc.HandlerCallDetails
    ) -> _Handler | None:
        method = handler_call_details.method
        if method not in POLICIES:
            return continuation(handler_call_details)
        if method not in self._guarded:
            handler = continuation(handler_call_details)
            if handler is None:
                return None
            self._guarded[method] = self._guard(method, POLICIES[method], handler)
        return self._guarded[method]

    def _guard(self, method: str, policy: Policy, handler: _Handler) -> _Handler:
        codec = {"request_deserializer": handler.request_deserializer, "response_serializer": handler.response_serializer}
        behaviour: Callable[[Any, grpc.ServicerContext], Any]
        if handler.stream_unary is not None:
            behaviour = handler.stream_unary

            def receive(requests: Iterator[Any], context: grpc.ServicerContext) -> Any:
                with self._call(method, policy, context):
                    return behaviour(self._reaper.requests(requests, context), context)

            return grpc.stream_unary_rpc_method_handler(receive, **codec)
        if handler.unary_stream is not None:
            behaviour = handler.unary_stream

            def send(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
                with self._call(method, policy, context):
                    yield from self._reaper.responses(behaviour(request, context), context)

            return grpc.unary_stream_rpc_method_handler(send, **codec)
        assert handler.unary_unary is not None, f"{method} streams both ways, which no method of the contract does"
        behaviour = handler.unary_unary

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            with self._call(method, policy, context):
                return behaviour(request, context)

        return grpc.unary_unary_rpc_method_handler(answer, **codec)

    @contextmanager
    def _call(self, method: str, policy: Policy, context: grpc.ServicerContext) -> Iterator[None]:
        started = time.perf_counter()
        outcome = "OK"
        clear_contextvars()
        bind_contextvars(request_id=uuid4().hex, method=method.removeprefix("/osis.document.v1."))
        try:
            caller = authenticate(self._keys, policy, method, context)
            bind_contextvars(client=caller.name if caller else "")
            with self._admission.admit(policy.kind):
                yield
        except ServiceError as exc:
            outcome = exc.reason
            abort(context, exc)
        except NotImplementedError:
            outcome = NotImplementedYet.reason
            abort(context, NotImplementedYet(f"This version of the service does not offer {method} yet.", method=method))
        except GeneratorExit:
            outcome = "CANCELLED"
            raise
        except grpc.RpcError:  # the client went away, or was cancelled by the reaper
            outcome = "CANCELLED"
            raise
        except Exception:  # noqa: BLE001 - the last resort of every call
            outcome = InternalError.reason
            request_id = structlog.contextvars.get_contextvars().get("request_id", "")
            _log.exception("call failed")
            abort(
                context,
                InternalError(f"The service failed; its log says more under the request id {request_id}.", request_id=request_id),
            )
        finally:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            _log.info("call", outcome=outcome, milliseconds=milliseconds)
