"""What messages can hold and the domain cannot."""

from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration

from osis_document_server.errors import ArgumentInvalid
from osis_document_server.rpc import convert


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Duration(seconds=315_576_000_000), timedelta(seconds=315_576_000_000)),
        (Duration(seconds=-315_576_000_000, nanos=-999_999_000), timedelta(seconds=-315_576_000_000, microseconds=-999_999)),
        (Duration(nanos=1_000), timedelta(microseconds=1)),
        (Duration(seconds=1, nanos=500_000_000), timedelta(seconds=1.5)),
    ],
)
def test_a_duration_is_a_length_of_time(message: Duration, expected: timedelta) -> None:
    assert convert.duration(message, field="ttl") == expected


@pytest.mark.parametrize(
    "message",
    [
        Duration(seconds=315_576_000_001),
        Duration(seconds=-(2**63)),
        Duration(nanos=1_000_000_000),
        Duration(nanos=-(2**31)),
        Duration(seconds=1, nanos=-1),
        Duration(seconds=-1, nanos=1),
    ],
)
def test_what_no_duration_may_be_is_refused_by_the_fields_name(message: Duration) -> None:
    with pytest.raises(ArgumentInvalid, match="ttl is no length of time") as refused:
        convert.duration(message, field="ttl")
    assert refused.value.field == "ttl"
