"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from ._backoff import Backoff, repeat

#: How many items to ask for at once. Documents may have 64 KiB of keys of their own each, and a page must fit into one message.
PAGE_SIZE = 250


class Page(Protocol):
    """The response of a list rpc."""

    next_page_token: str


_Page = TypeVar("_Page", bound=Page)


def pages(ask: Callable[[str, float | None], _Page], *, backoff: Backoff, timeout_seconds: float) -> Iterator[_Page]:
    """Yields page after page, each asked for when it is needed, and again while nobody answers.

    Args:
        ask: asks for the page that a token stands for (an empty one: for the first), with a deadline of so many seconds.
        backoff: how a page is asked for again.
        timeout_seconds: how long that may take for one page, all tries together.
    """
    token = ""
    while True:
        page = repeat(lambda seconds: ask(token, seconds), backoff=backoff, timeout_seconds=timeout_seconds)  # noqa: B023 - called at once
        yield page
        token = page.next_page_token
        if not token:
            return
