"""Many rows at once: a statement takes 32,766 parameters on SQLite and 65,535 on PostgreSQL, and jobs have no such limit."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from osis_document_server.models.tables import Table

_T = TypeVar("_T")

#: Parameters of a statement at most, with room for some more beside them.
PARAMETERS = 30_000
#: Values of one list within a statement; three such lists are possible.
CHUNK = 10_000


def in_chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    """Returns values, in order, in lists that are short enough for ``IN``."""
    return _chunked(values, CHUNK)


def insert_all(table: type[Table], rows: Iterable[Mapping[str, Any]]) -> None:
    """Inserts rows, which all name the same columns, in few statements. Within a unit of work."""
    size = PARAMETERS // len(table._meta.columns)
    for chunk in _chunked(rows, size):
        table.insert_many(chunk).execute()


def _chunked(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    # Peewee's `chunked` fills every list up to its size first: for one document that took two thirds of a call.
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk
