"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeVar

from ._repeating import Rpc, repeat
from ._rpcs import Rpcs

#: How many items to ask for at once. Documents may have 64 KiB of keys of their own each, and a page must fit into one message.
PAGE_SIZE = 250


class PageRequest(Protocol):
    """The request of a list rpc."""

    page_token: str


class Page(Protocol):
    """The response of a list rpc."""

    next_page_token: str


_Request = TypeVar("_Request", bound=PageRequest)
_Page = TypeVar("_Page", bound=Page)


def pages(client: Rpcs, rpc: Rpc[_Request, _Page], request: _Request) -> Iterator[_Page]:
    """Yields page after page, each asked for when it is needed, and again while nobody answers.

    Args:
        client: says how often, and for how long.
        rpc: lists.
        request: the request for the first page; it becomes that for each of the next ones.
    """
    while True:
        page = repeat(client, rpc, request)
        yield page
        request.page_token = page.next_page_token
        if not request.page_token:
            return
