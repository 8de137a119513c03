"""Validators."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible

from osis_document_client import error_for_item

from .channel import client
from .contrib.identifiers import may_be_token
from .exceptions import OsisDocumentException, TokenNotFound, exception_for, translated


@deconstructible
class TokenValidator:
    """Accepts a token that the service would accept now."""

    def __call__(self, value: Any) -> None:
        """Asks the service.

        Raises:
            ValidationError: the token is not genuine, has expired or is spent; its document is infected or deleted; or the
                service does not answer.
        """
        try:
            if not may_be_token(str(value)):
                raise TokenNotFound
            with translated():
                answer = client().inspect_token(str(value))
            if answer.HasField("refusal"):
                raise exception_for(error_for_item(answer.refusal))
        except OsisDocumentException as exc:
            raise ValidationError(exc.message, code=(exc.code or "unavailable").lower()) from exc

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenValidator)

    def __hash__(self) -> int:
        return hash(TokenValidator)
