"""Arguments that are more than text."""

from __future__ import annotations

import json
import math
import re
import uuid
from typing import Any

import click

from osis.document.v1.token_service_pb2 import WantedPostProcess

_UNITS_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}

WANTED = {
    "newest": WantedPostProcess.WANTED_POST_PROCESS_UNSPECIFIED,
    "original": WantedPostProcess.WANTED_POST_PROCESS_ORIGINAL,
    "convert": WantedPostProcess.WANTED_POST_PROCESS_CONVERT,
    "merge": WantedPostProcess.WANTED_POST_PROCESS_MERGE,
}


class DurationType(click.ParamType[float]):
    """A length of time: `90`, `90s`, `15m`, `2h`, `7d`. In seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Reads the text."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", str(value), re.ASCII)
        seconds = float(match[1]) * _UNITS_SECONDS[match[2]] if match else 0.0
        if not 0 < seconds < math.inf:
            self.fail(f"{value!r} is no length of time; write 90s, 15m, 2h or 7d", param, ctx)
        return seconds


class MetadataType(click.ParamType[tuple[str, Any]]):
    """One of the users' own keys: `KEY=TEXT`, or `KEY:=JSON` for a value that is no text."""

    name = "K=V"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """Reads the text."""
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        if not equals or not key.removesuffix(":"):
            self.fail(f"{value!r} is not of the form KEY=TEXT or KEY:=JSON", param, ctx)
        if not key.endswith(":"):
            return key, text
        try:
            return key[:-1], json.loads(text)
        except ValueError as exc:
            self.fail(f"what follows := in {value!r} is no JSON ({exc}); for text, write = alone", param, ctx)


def is_id(text: str) -> bool:
    """True for a UUID as the service writes it; tokens look otherwise."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
