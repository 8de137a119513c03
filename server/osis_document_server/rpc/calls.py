"""The call that is being served: its id, who makes it, how many bytes it has moved."""

import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import uuid4

from osis_document_server.domain.access import Caller

#: Metadata key of a call's id: taken over from callers who send one, and told to all of them when the call ends.
REQUEST_ID = "x-request-id"
_REQUEST_ID_LIMIT = 64

_current: ContextVar["Call"] = ContextVar("call")


@dataclass(kw_only=True)
class Call:
    """One call."""

    #: As on the wire, ``/osis.document.v1.UploadService/WriteUpload``.
    method: str
    request_id: str
    #: As gRPC has it, ``ipv4:10.0.0.7:49152``.
    peer: str
    #: Who makes it; None as long as that is not known, and for a call with a token alone.
    caller: Caller | None = None
    #: Of its messages, as they were on the wire.
    received_bytes: int = 0
    sent_bytes: int = 0
    _started: float = field(default_factory=time.perf_counter)

    @property
    def milliseconds(self) -> float:
        """How long it has taken so far."""
        return round((time.perf_counter() - self._started) * 1000, 1)


def begin(method: str, metadata: Iterable[tuple[str, str | bytes]], *, peer: str) -> Call:
    """Makes a call the current one of this context."""
    call = Call(method=method, request_id=_request_id(metadata), peer=peer)
    _current.set(call)
    return call


def current_call() -> Call:
    """Returns the call that is being served.

    Raises:
        LookupError: none is.
    """
    return _current.get()


def _request_id(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """Returns the caller's own id for the call if it sends one that may stand in a log, else a new one."""
    sent = next((value for key, value in metadata if key == REQUEST_ID), "")
    text = sent if isinstance(sent, str) else sent.decode("latin-1")
    acceptable = 0 < len(text) <= _REQUEST_ID_LIMIT and text.isascii() and text.isprintable() and not text.isspace()
    return text if acceptable else uuid4().hex
