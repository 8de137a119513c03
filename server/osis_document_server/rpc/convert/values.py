"""Values that many messages have: times, own keys, ids, enums, texts to look for."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2
from google.protobuf.json_format import MessageToDict, SerializeToJsonError

from osis_document_server.domain.names import NAME_LIMIT, parse_id
from osis_document_server.errors import ArgumentInvalid, MetadataInvalid

_T = TypeVar("_T")
#: Doubles are exact for whole numbers up to here (IEEE 754).
_EXACT_INTEGER = 2**53
_SHA256 = re.compile("[0-9a-f]{64}")
#: What a Duration can write, in either direction.
_DURATION_SECONDS = 315_576_000_000
_DURATION_NANOS = 999_999_999
#: Most values of one filter.
_FILTER_LIMIT = 100


def timestamp(moment: datetime) -> timestamp_pb2.Timestamp:
    """A moment."""
    message = timestamp_pb2.Timestamp()
    message.FromDatetime(moment.astimezone(UTC).replace(tzinfo=None))
    return message


def optional_timestamp(moment: datetime | None) -> timestamp_pb2.Timestamp | None:
    """A moment, if there is one."""
    return None if moment is None else timestamp(moment)


def optional_moment(message: Any, field: str) -> datetime | None:
    """A moment, if there is one.

    Raises:
        ArgumentInvalid: it is none that a Timestamp can write.
    """
    try:
        return getattr(message, field).ToDatetime(tzinfo=UTC) if message.HasField(field) else None
    except ValueError:
        raise ArgumentInvalid(
            f"{field} is no moment between the years 1 and 9999, with nanoseconds from 0 to 999,999,999.", field=field
        ) from None


def duration(message: duration_pb2.Duration, *, field: str) -> timedelta:
    """A length of time.

    Raises:
        ArgumentInvalid: it is none that a Duration can write.
    """
    if abs(message.seconds) > _DURATION_SECONDS or abs(message.nanos) > _DURATION_NANOS or (message.seconds * message.nanos < 0):
        raise ArgumentInvalid(
            f"{field} is no length of time: a Duration has at most {_DURATION_SECONDS:,} seconds, and up to {_DURATION_NANOS:,} "
            "nanoseconds of the same sign.",
            field=field,
        )
    return message.ToTimedelta()


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """The users' own keys, for a message."""
    message = struct_pb2.Struct()
    message.update(dict(values))
    return message


def own_keys(message: struct_pb2.Struct, *, field: str) -> dict[str, Any]:
    """The users' own keys. Whole numbers are integers again.

    Raises:
        MetadataInvalid: a number is not finite.
    """
    try:
        plain = MessageToDict(message)
    except (SerializeToJsonError, ValueError) as exc:
        raise MetadataInvalid(f"{field} holds a number that is not finite; only finite ones can be stored.", field=field) from exc
    return {key: _exact(value) for key, value in plain.items()}


def _exact(value: Any) -> Any:
    match value:
        case float() if value.is_integer() and abs(value) <= _EXACT_INTEGER:
            return int(value)
        case dict():
            return {key: _exact(item) for key, item in value.items()}
        case list():
            return [_exact(item) for item in value]
        case _:
            return value


def sha256(text: str, *, field: str) -> str:
    """A SHA-256 in hexadecimal digits, lower case; empty if none is given.

    Raises:
        ArgumentInvalid: it is none.
    """
    digits = text.lower()
    if digits and not _SHA256.fullmatch(digits):
        raise ArgumentInvalid(f"{field} is no SHA-256: those have 64 hexadecimal digits.", field=field, value=text[:80])
    return digits


def ids(texts: Iterable[str], *, field: str) -> list[UUID]:
    """UUIDs, each checked.

    Raises:
        ArgumentInvalid: one of them is none.
    """
    return [parse_id(text, field=f"{field}[{index}]") for index, text in enumerate(texts)]


def request_id(text: str) -> str:
    """The caller's id of a call, in canonical form; empty if there is none.

    Raises:
        ArgumentInvalid: it is no UUID.
    """
    return str(parse_id(text, field="request_id")) if text else ""


def searched(text: str, *, field: str) -> str:
    """A text to look for, in NFC as names and paths are.

    Raises:
        ArgumentInvalid: it has a NUL, which no name and no path has, and at which databases differ.
    """
    if "\0" in text:
        raise ArgumentInvalid(f"{field} contains a NUL character, which is in no name and no path.", field=field)
    return unicodedata.normalize("NFC", text)


def searched_name(text: str, *, field: str) -> str:
    """A part of a name to look for.

    Raises:
        ArgumentInvalid: no name can have it.
    """
    part = searched(text, field=field)
    if len(part) > NAME_LIMIT:
        raise ArgumentInvalid(f"{field} has {len(part)} characters; names have at most {NAME_LIMIT}.", field=field)
    return part


def filtered(values: Sequence[_T], *, field: str) -> Sequence[_T]:
    """What a filter lets pass.

    Raises:
        ArgumentInvalid: more than 100 values.
    """
    if len(values) > _FILTER_LIMIT:
        raise ArgumentInvalid(
            f"{field} has {len(values)} values; a filter takes at most {_FILTER_LIMIT}.",
            field=field,
            count=len(values),
            limit=_FILTER_LIMIT,
        )
    return values


def enum_name(enum: Any, value: int, prefix: str, *, field: str) -> str:
    """The name of an enum's value without its prefix, empty for UNSPECIFIED.

    Raises:
        ArgumentInvalid: a value that this version does not know.
    """
    if value not in enum.values():
        raise ArgumentInvalid(
            f"{prefix.rstrip('_')} {value} is not known to this version of the service.", field=field, value=value
        )
    name = str(enum.Name(value)).removeprefix(prefix)
    return "" if name == "UNSPECIFIED" else name
