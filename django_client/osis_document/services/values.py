"""The owner's own keys, on their way to the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from google.protobuf.struct_pb2 import Struct

from osis_document_client import to_struct

from ..exceptions import FormatInvalidException


def struct(values: Mapping[str, Any] | None) -> Struct | None:
    """Makes of the owner's keys what the service keeps; None of None.

    Raises:
        FormatInvalidException: a value cannot be kept: not of JSON, not finite, or an integer beyond ±2^53.
    """
    if values is None:
        return None
    try:
        return to_struct(values)
    except (AttributeError, TypeError, ValueError) as exc:
        raise FormatInvalidException(
            _("What is to be kept with a file must be texts, numbers, lists and dictionaries; integers up to 2^53.")
        ) from exc
