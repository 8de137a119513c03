"""Which documents are listed, and in which order."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from osis_document_server.domain.documents import Status


class Order(StrEnum):
    """In which order documents are listed."""

    NEWEST_FIRST = "NEWEST_FIRST"
    OLDEST_FIRST = "OLDEST_FIRST"
    BY_PATH = "BY_PATH"


@dataclass(frozen=True, kw_only=True)
class DocumentFilter:
    """Which documents are meant: all of what is set must hold."""

    statuses: frozenset[Status] = frozenset()
    mime_types: frozenset[str] = frozenset()
    #: In the name, whatever its case.
    name_contains: str = ""
    path_prefix: str = ""
    uploaded_from: datetime | None = None
    uploaded_before: datetime | None = None
    held: bool | None = None
    corrupt: bool | None = None
    order: Order = Order.NEWEST_FIRST


def after_all_with_prefix(prefix: str) -> str:
    """Returns the least text, by code points, that is greater than all texts with ``prefix``; empty if there is none."""
    for index in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[index])
        if code < 0x10FFFF:
            # The surrogates stand for no characters, so no text has them.
            following = 0xE000 if code == 0xD7FF else code + 1
            return prefix[:index] + chr(following)
    return ""
