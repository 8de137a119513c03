"""The users' own keys, between Python values and `google.protobuf.Struct`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

#: A Struct's numbers are doubles; beyond this magnitude they skip integers.
MAX_INTEGER = 2**53


def to_struct(values: Mapping[str, Any]) -> Struct:
    """Makes a Struct of a mapping of JSON-like values.

    Args:
        values: None, bool, int, float, str, and lists, tuples and mappings (with text keys) of these.

    Raises:
        ValueError: an integer beyond ±2^53 (it would come back as another one), or a float that is not finite.
        TypeError: a value or a key of another type. Both name the key.
    """
    _check(values, place="metadata")
    struct = Struct()
    struct.update({key: _plain(value) for key, value in values.items()})
    return struct


def optional_struct(values: Mapping[str, Any] | Struct | None) -> Struct | None:
    """Makes a Struct of a mapping, as `to_struct`; a Struct, or None, is answered as it is."""
    return values if values is None or isinstance(values, Struct) else to_struct(values)


def from_struct(struct: Struct) -> dict[str, Any]:
    """Makes a dictionary of a Struct; whole numbers up to ±2^53 come back as int, others as float."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def _check(value: Any, *, place: str) -> None:
    match value:
        case None | bool() | str():
            pass
        case int():
            if abs(value) > MAX_INTEGER:
                raise ValueError(f"{place} is {value}: integers beyond ±2^53 would change on the way; store it as text")
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{place} is {value}: only finite numbers can be stored")
        case Mapping():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"{place} has the key {key!r}: keys must be text")
                _check(item, place=f"{place}[{key!r}]")
        case list() | tuple():
            for index, item in enumerate(value):
                _check(item, place=f"{place}[{index}]")
        case _:
            raise TypeError(f"{place} is a {type(value).__name__}, which JSON has no word for; store it as text")


def _plain(value: Any) -> Any:
    """Turns mappings and tuples into the dictionaries and lists that protobuf takes."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _from_value(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) <= MAX_INTEGER else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return from_struct(value.struct_value)
        case "list_value":
            return [_from_value(item) for item in value.list_value.values]
        case _:
            return None
