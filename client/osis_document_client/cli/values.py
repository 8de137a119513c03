"""Arguments that are more than text."""

from __future__ import annotations

import json
import math
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click

from osis.document.v1.token_service_pb2 import WantedPostProcess

from .text import visible

#: Three parts in base64url: a JWT.
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_EXAMPLE_ID = "0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10"

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


class MomentType(click.ParamType[datetime]):
    """A moment: a date, a date with a time, or so long ago. Without a time zone, in that of this machine."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Reads the text."""
        if isinstance(value, datetime):
            return value
        try:
            if re.fullmatch(r"\d+(\.\d+)?[smhd]", value, re.ASCII):
                return datetime.now().astimezone() - timedelta(seconds=DurationType().convert(value, param, ctx))
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo is not None else moment.astimezone()
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no moment; write 2026-01-31, 2026-01-31T12:00, 2026-01-31T12:00Z, or 7d for seven days ago",
                param,
                ctx,
            )


class IdType(click.ParamType[str]):
    """The id of a document, an upload or a job, as the service writes it."""

    def __init__(self, noun: str = "document") -> None:
        self.name = f"{noun} id"
        self._noun = noun

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Reads the text."""
        found = _id_in(value)
        if not found and _TOKEN.fullmatch(value):
            self.fail("this is a token and no id; `osis-document inspect TOKEN` tells which document it is of", param, ctx)
        if not found:
            self.fail(f"{shown(value)} is no {self._noun}'s id; an id looks like {_EXAMPLE_ID}", param, ctx)
        return found


class TokenType(click.ParamType[str]):
    """A token."""

    name = "token"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Reads the text."""
        if _id_in(value):
            self.fail(f"{value} is an id and no token; `osis-document token ID` makes one", param, ctx)
        if not _TOKEN.fullmatch(value):
            self.fail(f"{shown(value)} is no token; a token is one long word with two dots in it", param, ctx)
        return str(value)


@dataclass(frozen=True)
class Reference:
    """A document, named by its id or by a token; the other one is empty."""

    document_id: str = ""
    token: str = ""


class ReferenceType(click.ParamType[Reference]):
    """The id of a document, or a token of it."""

    name = "id or token"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Reference:
        """Reads the text."""
        if isinstance(value, Reference):
            return value
        if found := _id_in(value):
            return Reference(document_id=found)
        if not _TOKEN.fullmatch(value):
            self.fail(
                f"{shown(value)} is neither an id nor a token; an id looks like {_EXAMPLE_ID}, "
                "a token is one long word with two dots in it",
                param,
                ctx,
            )
        return Reference(token=value)


def _id_in(text: str) -> str:
    """The UUID that a text writes, in whatever form, as the service writes it; empty if it writes none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


def shown(text: str) -> str:
    """Quotes what a user wrote, cut where it is long."""
    return repr(visible(text if len(text) <= 60 else f"{text[:57]}…"))
