"""What every call gets on its way: the API key, a deadline, and the library's errors instead of gRPC's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import grpc

from ._config import ClientConfig
from ._errors import ServiceError
from ._lifetime import Lifetime
from ._status import error_from_call

_Continuation = Callable[[grpc.ClientCallDetails, Any], Any]


class _CallDetails(NamedTuple):
    """`grpc.ClientCallDetails` is abstract and gRPC offers no way to change one; it reads these attributes."""

    method: str
    timeout: float | None
    metadata: list[tuple[str, str | bytes]]
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class TypedCall:
    """A call that raises `ServiceError` where gRPC raises `RpcError`; all else is passed through.

    gRPC asks for the outcome of a finished unary call by `result()`, too, so this one class serves all four kinds.
    """

    def __init__(self, call: Any, *, target: str, timeout_seconds: float | None) -> None:
        self._call = call
        self._target = target
        self._timeout_seconds = timeout_seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def _typed(self, error: grpc.RpcError) -> ServiceError:
        return error_from_call(error, target=self._target, timeout_seconds=self._timeout_seconds)

    def result(self, timeout: float | None = None) -> Any:
        """Waits for the response, at most `timeout` seconds, and returns it."""
        try:
            return self._call.result(timeout)
        except grpc.RpcError as exc:
            raise self._typed(exc) from exc

    def exception(self, timeout: float | None = None) -> Any:
        """Waits for the end of the call, at most `timeout` seconds, and returns its error or None."""
        error = self._call.exception(timeout)
        return self._typed(error) if isinstance(error, grpc.RpcError) else error

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as exc:
            raise self._typed(exc) from exc


class CallInterceptor(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[type-arg]  # generic in the type stubs only
    grpc.UnaryStreamClientInterceptor,  # type: ignore[type-arg]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[type-arg]
    grpc.StreamStreamClientInterceptor,  # type: ignore[type-arg]
):
    """Adds the key and the deadline, and types the errors, of every rpc there is.

    Only unary calls get a deadline of their own accord: how long a stream takes depends on the bytes, and keepalive pings
    notice a peer that is gone.
    """

    def __init__(self, config: ClientConfig, *, lifetime: Lifetime) -> None:
        self._config = config
        self._lifetime = lifetime

    def intercept_unary_unary(self, continuation: Any, client_call_details: grpc.ClientCallDetails, request: Any) -> Any:
        """Called by gRPC for each call of an rpc without streams."""
        return self._intercept(continuation, client_call_details, request, timeout_seconds=self._config.timeout_seconds)

    def intercept_unary_stream(self, continuation: Any, client_call_details: grpc.ClientCallDetails, request: Any) -> Any:
        """Called by gRPC for each call of an rpc that answers a stream."""
        return self._intercept(continuation, client_call_details, request, timeout_seconds=None)

    def intercept_stream_unary(
        self, continuation: Any, client_call_details: grpc.ClientCallDetails, request_iterator: Any
    ) -> Any:
        """Called by gRPC for each call of an rpc that reads a stream."""
        return self._intercept(continuation, client_call_details, request_iterator, timeout_seconds=None)

    def intercept_stream_stream(
        self, continuation: Any, client_call_details: grpc.ClientCallDetails, request_iterator: Any
    ) -> Any:
        """Called by gRPC for each call of an rpc with streams both ways."""
        return self._intercept(continuation, client_call_details, request_iterator, timeout_seconds=None)

    def _intercept(
        self, continuation: _Continuation, details: grpc.ClientCallDetails, request: Any, *, timeout_seconds: float | None
    ) -> TypedCall:
        self._lifetime.require_open()  # gRPC brings the process down at an rpc of a closed channel that was not called before
        timeout = details.timeout if details.timeout is not None else timeout_seconds
        metadata = list(details.metadata or ())
        if self._config.api_key:
            metadata.append(("x-api-key", self._config.api_key))
        changed = _CallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready, details.compression
        )
        call = continuation(changed, request)  # type: ignore[arg-type]  # gRPC reads attributes; see _CallDetails
        return TypedCall(call, target=self._config.target, timeout_seconds=timeout)
