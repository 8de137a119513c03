"""Moments and lengths of time, as the contract has them."""

from __future__ import annotations

from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp


def duration(delta: timedelta) -> Duration:
    """Makes a duration."""
    made = Duration()
    made.FromTimedelta(delta)
    return made


def timestamp(moment: datetime | None) -> Timestamp | None:
    """Makes a timestamp of a moment that knows its time zone; None of None.

    Raises:
        ValueError: it does not know one, so that it could be any of some two dozen moments.
    """
    if moment is None:
        return None
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; add one, for example this machine's by .astimezone()")
    made = Timestamp()
    made.FromDatetime(moment)
    return made
