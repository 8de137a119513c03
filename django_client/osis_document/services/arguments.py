"""Reading what callers give: ids, words and numbers, in the forms that clients in the field send."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TypeVar
from uuid import UUID

from django.utils.translation import gettext as _

from ..exceptions import FormatInvalidException, TokenNotFound, TtlInvalid

_Word = TypeVar("_Word", bound=Enum)

#: Some thirty years: far beyond what any service allows, and within what a duration can say.
_LONGEST_SECONDS = 1_000_000_000


def document_id(value: object) -> str:
    """The canonical form of a document's id, which may be a UUID or its text.

    Raises:
        FormatInvalidException: it is no UUID.
    """
    try:
        return str(value if isinstance(value, UUID) else UUID(value))  # type: ignore[arg-type]  # what is no text is refused
    except (AttributeError, TypeError, ValueError) as exc:
        raise FormatInvalidException(_("The id of a file must be a UUID.")) from exc


def document_ids(values: Iterable[object]) -> list[str]:
    """The canonical forms of documents' ids, in order.

    Raises:
        FormatInvalidException: it is no list, or something in it is no UUID.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise FormatInvalidException(_("The ids of files must be a list of UUIDs."))
    return [document_id(value) for value in values]


def token(value: object) -> str:
    """A token; what can be none is refused without asking.

    Raises:
        TokenNotFound: it is no text, or an empty one.
    """
    if not isinstance(value, str) or not value:
        raise TokenNotFound
    return value


def word(kind: type[_Word], value: object) -> _Word:
    """The member of an enumeration that a member, or its name in any case, stands for.

    Raises:
        FormatInvalidException: there is no such one; the message lists those there are.
    """
    if isinstance(value, kind):
        return value
    name = value.name if isinstance(value, Enum) else value
    if isinstance(name, str) and name.upper() in kind.__members__:
        return kind[name.upper()]
    raise FormatInvalidException(_("This must be one of %(words)s.") % {"words": ", ".join(kind.__members__)})


def optional_word(kind: type[_Word], value: object) -> _Word | None:
    """As `word`; None for None and for the empty text."""
    return None if value is None or value == "" else word(kind, value)


def ttl_seconds(value: object) -> float | None:
    """How long a token is to be good for, in seconds; None as the service has it.

    Raises:
        TtlInvalid: it is no number above 0.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LONGEST_SECONDS:
        raise TtlInvalid
    return value
