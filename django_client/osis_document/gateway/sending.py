"""A document's bytes on their way to the browser, under WSGI and under ASGI."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Iterator

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from osis_document_client import Download, OsisDocumentError

logger = logging.getLogger(__name__)


class BrokenOff(ConnectionResetError):
    """The rest of the content is not to be had. A server that sees this closes the connection, so that the client sees it too."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the content broke off")


class ContentResponse(StreamingHttpResponse):
    """Streams a download. Its length is announced, so an end that comes too soon cannot be taken for the real one."""

    def __init__(self, request: HttpRequest, download: Download, *, status: int, content_type: str) -> None:
        blocks = AsyncBlocks(download) if isinstance(request, ASGIRequest) else Blocks(download)
        super().__init__(blocks, status=status, content_type=content_type)

    def has_header(self, header: str) -> bool:
        """Also says yes to Content-Encoding, so that `GZipMiddleware` leaves lengths and ranges as they are."""
        return header.lower() == "content-encoding" or super().has_header(header)


class Blocks(Iterator[bytes]):
    """The blocks of a download, one after the other."""

    def __init__(self, download: Download) -> None:
        self._download = download

    def __next__(self) -> bytes:
        return _next_block(self._download)

    def close(self) -> None:
        """Stops the transfer; Django calls it when the response is over, however it ends."""
        self._download.close()


class AsyncBlocks(AsyncIterator[bytes]):
    """The same, each waited for in a thread so that the event loop goes on."""

    def __init__(self, download: Download) -> None:
        self._blocks = Blocks(download)

    async def __anext__(self) -> bytes:
        block = await asyncio.to_thread(next, self._blocks, None)
        if block is None:
            raise StopAsyncIteration
        return block

    def close(self) -> None:
        """Stops the transfer."""
        self._blocks.close()


def _next_block(download: Download) -> bytes:
    try:
        return next(download)
    except OsisDocumentError as exc:
        logger.log(logging.ERROR, "the content of document %s broke off: %s", download.header.document.id, type(exc).__name__)
        raise BrokenOff from exc
