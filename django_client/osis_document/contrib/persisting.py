"""Having documents kept for a form field, so that what failed half-way can be repeated."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ..exceptions import OsisDocumentException, ServiceUnavailable
from ..services import uploads


class Persisting:
    """Confirms tokens, and remembers what became of those of a call that failed: the same call made again goes on from there."""

    def __init__(self) -> None:
        self._confirmed: dict[str, str] = {}
        self._request_ids: dict[str, str] = {}

    def confirm(self, tokens: Iterable[str], **options: Any) -> dict[str, UUID]:
        """Has uploads kept.

        Args:
            tokens: their write tokens.
            **options: those of `services.uploads.confirm_all`.

        Returns:
            The documents, by the tokens.

        Raises:
            OsisDocumentException: one was refused, or nobody answered. Its `confirmed` are kept all the same.
        """
        wanted = list(dict.fromkeys(tokens))
        request_id = next((self._request_ids[each] for each in wanted if each in self._request_ids), str(uuid.uuid4()))
        left = [each for each in wanted if each not in self._confirmed]
        try:
            ids = uploads.confirm_all(left, request_id=request_id, **options)
        except OsisDocumentException as exc:
            self._confirmed |= exc.confirmed
            if isinstance(exc, ServiceUnavailable):  # the service may have confirmed them, and nobody heard of it
                self._request_ids |= dict.fromkeys(left, request_id)
            raise
        found = self._confirmed | dict(zip(left, ids, strict=True))
        for each in wanted:
            self._confirmed.pop(each, None)
            self._request_ids.pop(each, None)
        return {each: UUID(str(found[each])) for each in wanted}
