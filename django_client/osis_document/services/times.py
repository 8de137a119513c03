"""Moments, as the contract and HTTP bodies have them."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(moment: datetime) -> Timestamp:
    """A moment that knows its time zone, as the contract has it."""
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def moment(timestamp: Timestamp) -> datetime:
    """A moment that knows its time zone, UTC."""
    return timestamp.ToDatetime(tzinfo=UTC)


def text(timestamp: Timestamp) -> str:
    """A moment as ISO 8601 writes it, in UTC: `2026-11-23T14:05:00.250000Z`."""
    return moment(timestamp).isoformat().replace("+00:00", "Z")
