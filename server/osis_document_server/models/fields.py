"""Column types that peewee does not have."""

from datetime import UTC, datetime
from typing import Any

from peewee import DateTimeField


class MomentField(DateTimeField):
    """A moment: an aware ``datetime`` in Python, UTC without a zone in the database (microseconds kept)."""

    def db_value(self, value: Any) -> Any:
        """Refuses naive values: nobody could say which moment they mean."""
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError(f"a moment needs a time zone: {value!r}")
            value = value.astimezone(UTC).replace(tzinfo=None)
        return super().db_value(value)  # type: ignore[no-untyped-call]

    def python_value(self, value: Any) -> Any:
        """Returns an aware ``datetime`` in UTC."""
        # SQLite keeps text. All of it was written by this class, so it need not be guessed which format it has.
        naive = datetime.fromisoformat(value) if isinstance(value, str) else value
        return naive.replace(tzinfo=UTC) if isinstance(naive, datetime) else naive
