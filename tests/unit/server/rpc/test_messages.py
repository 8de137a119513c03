"""Bytes that are no message, and why."""

import pytest
from google.protobuf.struct_pb2 import Struct

from osis_document_server.errors import ArgumentInvalid
from osis_document_server.rpc.messages import with_size


def field(number: int, data: bytes) -> bytes:
    """A field of bytes, as protobuf writes it."""
    size, digits = len(data), []
    while size > 127:
        digits.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2, *digits, size]) + data


def nested(levels: int) -> bytes:
    """A Struct in a Struct in …"""
    struct = b""
    for _ in range(levels):
        value = field(5, struct)
        struct = field(1, field(1, b"k") + field(2, value))
    return struct


def test_a_message_comes_with_its_size() -> None:
    received = with_size(Struct.FromString)(nested(3))

    assert received.size_bytes == len(nested(3))
    assert received.readable()["k"]["k"]["k"] == Struct()


def test_what_is_nested_too_deeply_is_told_as_such() -> None:
    with_size(Struct.FromString)(nested(30)).readable()
    with pytest.raises(ArgumentInvalid, match="nested too deeply"):
        with_size(Struct.FromString)(nested(40)).readable()


def test_what_is_no_message_is_told_with_its_size() -> None:
    with pytest.raises(ArgumentInvalid, match=r"2 bytes .* not of the type"):
        with_size(Struct.FromString)(b"\xff\xff").readable()
