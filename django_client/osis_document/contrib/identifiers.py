"""Telling what an item of a list of files is: the UUID of a document, a token of one, or neither."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

_LONGEST_TOKEN = 4_096


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What a token says of itself. Nobody has verified it: the service does, whenever the token is used."""

    document_id: UUID
    purpose: str
    expires_at: float

    @property
    def is_expired(self) -> bool:
        """Whether its time is over by the clock of this machine."""
        return self.expires_at <= time.time()


def as_uuid(value: object) -> UUID | None:
    """The UUID that a value is, or is the text of; None if it is none."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value) if isinstance(value, str) and len(value) in {32, 36} else None
    except ValueError:
        return None


def as_list(values: Any) -> Iterable[Any]:
    """Some values; one UUID alone, as people write it where there is but one, counts as a list of it.

    A text alone counts as nothing: initial values may come from an address (`?files=…`, as Django's admin takes them), and who
    writes that must not be handed a document.
    """
    if isinstance(values, UUID):
        return [values]
    return () if isinstance(values, str) else values or ()


def stored_ids(values: Iterable[object] | UUID | None) -> tuple[UUID, ...]:
    """The UUIDs among some values, in order."""
    return tuple(found for value in as_list(values) if (found := as_uuid(value)) is not None)


def may_be_token(text: str) -> bool:
    """Whether a text can be asked about: tokens are some 330 characters of ASCII, and other texts may not even be sent."""
    return text.isascii() and 0 < len(text) <= _LONGEST_TOKEN


def statement_of(token: object) -> Statement | None:
    """Reads what a token says of itself; None where it says nothing that could be read.

    It is good for sparing calls and for kinder messages, never for letting somebody in.
    """
    try:
        _, payload, _ = str(token).split(".")
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return Statement(document_id=UUID(said["document"]), purpose=str(said["purpose"]), expires_at=float(said["exp"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
