"""Links to the pages of a list.

The service answers a token for the next page alone. The tokens of the pages before travel along in the address, the last few of
them, so that addresses stay short enough for every server; from further down, it is back to the first page.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

PAGE, BEFORE = "page", "before"
#: Tokens have some 125 characters.
_REMEMBERED = 12
#: How much a page has.
PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The queries of a list's other pages; None where there is none."""

    first: str | None
    previous: str | None
    next: str | None


def current(request: HttpRequest) -> str:
    """The token of the page that is asked for; empty: the first."""
    return request.GET.get(PAGE, "")


def links(request: HttpRequest, next_page_token: str) -> Pages:
    """Makes the links of a page that was asked for."""
    page, before = current(request), request.GET.getlist(BEFORE)
    following = [*before, page][-_REMEMBERED:] if page else []
    return Pages(
        first=_query(request, "", []) if page else None,
        previous=_query(request, before[-1] if before else "", before[:-1]) if page else None,
        next=_query(request, next_page_token, following) if next_page_token else None,
    )


def _query(request: HttpRequest, page: str, before: list[str]) -> str:
    query = request.GET.copy()
    query.setlist(PAGE, [page] if page else [])
    query.setlist(BEFORE, before)
    return "?" + query.urlencode()
