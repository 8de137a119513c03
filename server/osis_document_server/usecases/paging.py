"""Page tokens: the place in a list behind which the next page begins.

A page is found by that place (keyset pagination): so it costs the same wherever it is, and what comes and goes meanwhile neither
shifts nor repeats the rest. A token is good for one list alone, that of the same filter.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from osis_document_server.errors import ArgumentInvalid

_T = TypeVar("_T")

#: How much a page has if the caller does not say, and at most.
DEFAULT_PAGE_SIZE = 25
PAGE_SIZE_LIMIT = 1000


def require_page_size(page_size: int) -> int:
    """Returns how much a page is to have.

    Raises:
        ArgumentInvalid: out of bounds.
    """
    if not 0 <= page_size <= PAGE_SIZE_LIMIT:
        raise ArgumentInvalid(f"page_size is {page_size}; ask for 1 to {PAGE_SIZE_LIMIT}.", field="page_size", value=page_size)
    return page_size or DEFAULT_PAGE_SIZE


def page_token(wanted: object, place: str, item_id: UUID) -> str:
    """Returns the token of the page behind an item.

    Args:
        wanted: the filter, a dataclass.
        place: what the list is ordered by, of that item.
        item_id: its id, which tells it from others in the same place.
    """
    content = json.dumps([_digest(wanted), place, item_id.hex], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read_page_token(token: str, wanted: object, parse: Callable[[str], _T]) -> tuple[_T, UUID]:
    """Returns the place, as ``parse`` reads it, and the id that ``page_token`` wrote.

    Raises:
        ArgumentInvalid: it is none, or that of another filter.
    """
    try:
        digest, place, item_id = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        found = (parse(str(place)), UUID(hex=item_id))
    except (ValueError, TypeError, AttributeError):
        digest = None
    if digest != _digest(wanted):
        raise ArgumentInvalid(
            "The page_token is none of this list's. Send back next_page_token as it was, with the same filters and order.",
            field="page_token",
        )
    return found


def _digest(wanted: object) -> str:
    """Tells lists apart."""
    said = [[name, sorted(value) if isinstance(value, frozenset) else str(value)] for name, value in sorted(vars(wanted).items())]
    return hashlib.sha256(json.dumps([type(wanted).__name__, said]).encode()).hexdigest()[:16]
