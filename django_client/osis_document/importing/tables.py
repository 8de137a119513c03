"""The tables of the existing product, read page by page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

_UPLOADS = "osis_document_upload"
_COPIES = "osis_document_modifiedupload"
_RECORDS = "osis_document_postprocessing"
_JOBS = "osis_document_postprocessasync"
_LINKS = {"inputs": f"{_RECORDS}_input_files", "outputs": f"{_RECORDS}_output_files"}

#: Every UUID is behind this one.
_FIRST = UUID(int=0)
_DOCUMENT_COLUMNS = "u.uuid, u.file, u.uploaded_at, u.modified_at, u.expires_at, u.size, u.status, u.metadata"


class NotTheTables(Exception):
    """The database is none of the existing product; the message says why."""


@dataclass(frozen=True, kw_only=True)
class OldDocument:
    """A row of `osis_document_upload`."""

    id: UUID
    file: str
    uploaded_at: datetime
    modified_at: datetime
    expires_at: date | None
    size_bytes: int
    status: str
    metadata: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class OldCopy:
    """A row of `osis_document_modifiedupload`, with the document that it was made of."""

    document: OldDocument
    file: str
    created_at: datetime
    modified_at: datetime
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class OldRecord:
    """A row of `osis_document_postprocessing`, with what its link tables name, in the order of the links."""

    id: UUID
    type: str
    created_at: datetime
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class OldJob:
    """A row of `osis_document_postprocessasync`."""

    id: UUID
    status: str
    data: dict[str, Any]
    results: dict[str, Any]


class OldTables:
    """The tables in one database of the project.

    Args:
        alias: the database's name in `DATABASES`.
        page_size: how many rows are in memory at once.

    Raises:
        NotTheTables: it is no PostgreSQL, or the tables are not in it.
    """

    def __init__(self, alias: str, *, page_size: int) -> None:
        self._connection: BaseDatabaseWrapper = connections[alias]
        self._page_size = page_size
        if self._connection.vendor != "postgresql":
            raise NotTheTables(f"the database {alias!r} is {self._connection.display_name}, and not PostgreSQL")
        with self._connection.cursor() as cursor:
            self._tables = set(self._connection.introspection.table_names(cursor))
        if _UPLOADS not in self._tables:
            raise NotTheTables(f"the database {alias!r} has no table {_UPLOADS}")

    def documents(self) -> Iterator[list[OldDocument]]:
        """All documents in pages, ordered by id."""
        query = f"SELECT {_DOCUMENT_COLUMNS} FROM {_UPLOADS} u WHERE u.uuid > %s ORDER BY u.uuid LIMIT %s"  # noqa: S608 - constants
        for rows in self._pages(query, key=0):
            yield [_document(row) for row in rows]

    def find_documents(self, ids: Iterable[str]) -> dict[str, OldDocument]:
        """Those of the documents that there are, by id."""
        query = f"SELECT {_DOCUMENT_COLUMNS} FROM {_UPLOADS} u WHERE u.uuid = ANY(%s)"  # noqa: S608 - constants
        return {str(row[0]): _document(row) for row in self._rows(query, [[UUID(each) for each in ids]])}

    def copies(self) -> Iterator[list[OldCopy]]:
        """All modified copies in pages, ordered by their documents' ids."""
        if _COPIES not in self._tables:
            return
        query = (
            f"SELECT {_DOCUMENT_COLUMNS}, m.file, m.created_at, m.modified_at, m.size "  # noqa: S608 - constants
            f"FROM {_COPIES} m JOIN {_UPLOADS} u ON u.uuid = m.upload_id WHERE u.uuid > %s ORDER BY u.uuid LIMIT %s"
        )
        for rows in self._pages(query, key=0):
            yield [_copy(row) for row in rows]

    def jobs(self) -> Iterator[list[OldJob]]:
        """All asynchronous post-processings in pages, ordered by id."""
        if _JOBS not in self._tables:
            return
        query = f"SELECT uuid, status, data, results FROM {_JOBS} WHERE uuid > %s ORDER BY uuid LIMIT %s"  # noqa: S608 - constants
        for rows in self._pages(query, key=0):
            yield [OldJob(id=row[0], status=row[1], data=_json(row[2]), results=_json(row[3])) for row in rows]

    def lone_records(self) -> Iterator[list[OldRecord]]:
        """All records in pages that no asynchronous post-processing which has ended names as its own."""
        if _RECORDS not in self._tables:
            return
        query = f"SELECT p.uuid, p.type, p.created_at FROM {_RECORDS} p"  # noqa: S608 - constants
        if _JOBS in self._tables:
            query += (
                f" WHERE p.uuid::text NOT IN (SELECT named.value #>> '{{}}' FROM {_JOBS} a,"  # noqa: S608 - constants
                " jsonb_path_query(a.results, '$.**.post_processing_objects[*]') AS named(value)"
                " WHERE a.status <> 'PENDING' AND named.value #>> '{}' IS NOT NULL)"
            )
        with closing(self._connection.chunked_cursor()) as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(self._page_size):
                yield self._with_links(rows)

    def find_records(self, ids: Iterable[str]) -> dict[str, OldRecord]:
        """Those of the records that there are, by id."""
        if _RECORDS not in self._tables:
            return {}
        query = f"SELECT uuid, type, created_at FROM {_RECORDS} WHERE uuid = ANY(%s)"  # noqa: S608 - constants
        return {str(record.id): record for record in self._with_links(self._rows(query, [[UUID(each) for each in ids]]))}

    def _with_links(self, rows: Sequence[tuple[Any, ...]]) -> list[OldRecord]:
        records = {row[0]: OldRecord(id=row[0], type=row[1], created_at=_aware(row[2])) for row in rows}
        for side, table in _LINKS.items():
            # The order in which Django wrote the links is that of their ids.
            query = f"SELECT postprocessing_id, upload_id FROM {table} WHERE postprocessing_id = ANY(%s) ORDER BY {self._order(table)}"  # noqa: S608, E501 - constants
            for record_id, document_id in self._rows(query, [list(records)]):
                getattr(records[record_id], side).append(str(document_id))
        return list(records.values())

    def _order(self, table: str) -> str:
        with self._connection.cursor() as cursor:
            columns = {column.name for column in self._connection.introspection.get_table_description(cursor, table)}
        return "id" if "id" in columns else "ctid"

    def _pages(self, query: str, *, key: int) -> Iterator[list[tuple[Any, ...]]]:
        """The pages of a query that takes the key behind which it begins and the number of rows."""
        last = _FIRST
        while rows := self._rows(query, [last, self._page_size]):
            yield rows
            last = rows[-1][key]

    def _rows(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def _document(row: Sequence[Any]) -> OldDocument:
    return OldDocument(
        id=row[0],
        file=row[1],
        uploaded_at=_aware(row[2]),
        modified_at=_aware(row[3]),
        expires_at=row[4],
        size_bytes=row[5] or 0,
        status=row[6],
        metadata=_json(row[7]),
    )


def _copy(row: Sequence[Any]) -> OldCopy:
    document, (file, created_at, modified_at, size_bytes) = _document(row[:8]), row[8:]
    return OldCopy(
        document=document, file=file, created_at=_aware(created_at), modified_at=_aware(modified_at), size_bytes=size_bytes or 0
    )


def _json(value: Any) -> dict[str, Any]:
    """What a jsonb column holds; Django hands out its text. Empty if that is no object."""
    read = json.loads(value) if isinstance(value, str | bytes) else value
    return read if isinstance(read, dict) else {}


def _aware(moment: datetime) -> datetime:
    """A moment with its time zone: without `USE_TZ` Django hands out those of the project."""
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
