"""Which documents the rows of the project name.

They are gathered in a temporary file, so that memory stays the same however many there are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.db import models, router

from ..contrib.saving import file_fields

if TYPE_CHECKING:
    from ..contrib.fields import FileField

_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Place:
    """A field whose rows name documents, in one database."""

    model: type[models.Model]
    field: FileField
    database: str

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.field.name}"

    def still_named(self, rows: Sequence[str]) -> set[UUID]:
        """Which documents these rows, given by their primary keys, name now."""
        named: set[UUID] = set()
        for value in self._rows().filter(pk__in=rows).values_list(self.field.attname, flat=True):
            named.update(value or ())
        return named

    @property
    def is_found_by_text(self) -> bool:
        """Whether rows are found by the texts of their primary keys; those of several columns are not."""
        return type(self.model._meta.pk).__name__ != "CompositePrimaryKey"  # Django has it from 5.2 on

    def documents(self) -> Iterator[tuple[str, list[UUID]]]:
        """Each row's primary key as text, and the documents that it names."""
        # By primary key and not by a cursor: one of the server's does not get through every pool of connections.
        after: Any = None
        while True:
            rows = self._rows().order_by("pk").values_list("pk", self.field.attname)
            page = list((rows if after is None else rows.filter(pk__gt=after))[:_ROWS_AT_ONCE])
            yield from ((str(key), value or []) for key, value in page)
            if len(page) < _ROWS_AT_ONCE:
                return
            after = page[-1][0]

    def _rows(self) -> models.QuerySet[models.Model]:
        return self.model._base_manager.using(self.database)


def places(databases: Iterable[str] = ()) -> list[Place]:
    """The file fields of all models, where their rows are.

    Args:
        databases: aliases; by default each model's own as the routers have it.
    """
    wanted = list(databases)
    found = []
    for model in apps.get_models():
        if model._meta.proxy:
            continue
        aliases = (
            [alias for alias in wanted if router.allow_migrate_model(alias, model)] if wanted else [router.db_for_read(model)]
        )
        found += [
            Place(model=model, field=field, database=alias) for field in file_fields(model, local=True) for alias in aliases
        ]
    return found


class NamedDocuments:
    """A set of documents on disk, with where each is named. Use it as a context manager."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places
        self._table = sqlite3.connect("", isolation_level=None)  # a file without a name, which goes with the connection
        self._table.execute("PRAGMA journal_mode = OFF")  # nobody needs it after a crash
        self._table.execute("BEGIN")
        self._table.execute("CREATE TABLE named (id BLOB PRIMARY KEY, place INTEGER, row TEXT) WITHOUT ROWID")
        self._table.execute("CREATE TABLE made (id BLOB PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> NamedDocuments:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._table.close()

    def read(self) -> Iterator[int]:
        """Reads all rows; yields now and then how many they were so far."""
        count = 0
        for number, place in enumerate(self.places):
            for key, ids in place.documents():
                self._table.executemany(
                    "INSERT OR IGNORE INTO named VALUES (?, ?, ?)", ((each.bytes, number, key) for each in ids)
                )
                count += 1
                if count % _ROWS_AT_ONCE == 0:
                    yield count
        yield count

    def add_made(self, ids: Iterable[str]) -> None:
        """Notes that documents were made of others, so that no row has to name them."""
        self._table.executemany("INSERT OR IGNORE INTO made VALUES (?)", ((UUID(each).bytes,) for each in ids))

    def among(self, ids: Iterable[str]) -> list[str]:
        """Those of some documents that are named, in their order."""
        return [each for each in ids if self._has("named", each)]

    def is_accounted_for(self, document_id: str) -> bool:
        """Whether a document is named, or made of another one."""
        return self._has("named", document_id) or self._has("made", document_id)

    def batches(self, size: int) -> Iterator[list[tuple[UUID, Place, str]]]:
        """All documents, each with one place where it is named and the primary key of the row there."""
        after = b""
        while True:
            page = self._table.execute("SELECT * FROM named WHERE id > ? ORDER BY id LIMIT ?", (after, size)).fetchall()
            if not page:
                return
            yield [(UUID(bytes=found), self.places[place], row) for found, place, row in page]
            after = page[-1][0]

    def _has(self, table: str, document_id: str) -> bool:
        query = f"SELECT 1 FROM {table} WHERE id = ?"  # noqa: S608 - one of the two above
        return self._table.execute(query, (UUID(document_id).bytes,)).fetchone() is not None
