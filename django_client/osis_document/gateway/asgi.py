"""The host's application under ASGI, with uploads that reach the service while they arrive.

    from osis_document.gateway.asgi import get_asgi_application

    application = get_asgi_application()

Django's own handler reads the body of every request to its end, into memory and then into a temporary file, before any view or
middleware sees the request. This one is Django's but for that: views that say `reads_body_as_it_arrives` get a body that is read
from the connection when they ask for it. They run in threads, one for each request, as all views that are not asynchronous do
under ASGI; the event loop goes on. All other requests are served as by Django.

Downloads need nothing of the kind: their blocks are waited for in threads and sent by the event loop (`gateway.sending`).
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.urls import Resolver404, resolve

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]

_WITH_BODY = {"PATCH", "POST", "PUT"}


def get_asgi_application() -> StreamingHandler:
    """The host's application, in the place of `django.core.asgi.get_asgi_application`."""
    django.setup(set_prefix=False)
    return StreamingHandler()


class StreamingHandler(ASGIHandler):
    """Django's handler, which leaves the bodies of uploads to the views that read them."""

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Serves one request."""
        if not _is_streamed(scope):
            await super().handle(scope, receive, send)
            return
        body = ArrivingBody(receive)
        try:
            await super().handle(scope, body.next_event, send)
        finally:
            body.abandon()

    async def read_body(self, receive: Any) -> Any:
        """The body of a request: for an upload what reads it, otherwise all of it."""
        body = getattr(receive, "__self__", None)
        return body if isinstance(body, ArrivingBody) else await super().read_body(receive)


class ArrivingBody(io.RawIOBase):
    """The body of a request, read from its connection by the thread of a view."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._over = asyncio.Event()
        self._is_broken = False
        self._held = b""
        self._waited_for: Future[bytes] | None = None

    async def next_event(self) -> Message:
        """What Django waits for beside the view: that the client goes away."""
        await self._over.wait()
        return {"type": "http.disconnect"} if self._is_broken else await self._receive()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads until the buffer is full or the body ends, and answers how many bytes there are.

        Raises:
            ConnectionResetError: the client went away before the end.
            RuntimeError: it is called by the event loop, which would wait for itself.
        """
        if threading.get_ident() == self._loop_thread:
            raise RuntimeError("the body of an upload cannot be read by asynchronous code; leave it to the view")
        self._waited_for = asyncio.run_coroutine_threadsafe(self._arrived(len(buffer)), self._loop)
        if self._is_broken:  # abandoned meanwhile
            self._waited_for.cancel()
        try:
            data = self._waited_for.result()
        except CancelledError:
            raise ConnectionResetError("the request was given up") from None
        buffer[: len(data)] = data
        return len(data)

    def abandon(self) -> None:
        """Wakes a thread that still waits: nothing more is read."""
        self._is_broken = True
        self._over.set()
        if self._waited_for is not None:
            self._waited_for.cancel()

    async def _arrived(self, wanted: int) -> bytes:
        pieces, count = [self._held], len(self._held)
        while count < wanted and not self._over.is_set():
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._is_broken = True
            pieces.append(message.get("body", b""))
            count += len(pieces[-1])
            if not message.get("more_body", False):
                self._over.set()
        if self._is_broken:
            raise ConnectionResetError("the client went away")
        data = b"".join(pieces)
        self._held = data[wanted:]
        return data[:wanted]


def _is_streamed(scope: Any) -> bool:
    """Whether the view of a request wants to read the body itself."""
    if scope["method"] not in _WITH_BODY:
        return False
    path = scope["path"].removeprefix(settings.FORCE_SCRIPT_NAME or scope.get("root_path", ""))
    try:
        view = resolve(path).func
    except Resolver404:
        return False
    return bool(getattr(getattr(view, "cls", None), "reads_body_as_it_arrives", False))
