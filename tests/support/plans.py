"""Which statements were sent to a database, and how it runs them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from peewee import QueryEvent

from osis_document_server.models.database import ServiceDatabase
from osis_document_server.models.sqlite import SqliteDatabase

_EXPLAINED = re.compile(r"\s*(SELECT|UPDATE|DELETE|WITH|INSERT)\b", re.IGNORECASE)
#: A line of EXPLAIN QUERY PLAN that names a table (or what the statement calls it) which is read from its beginning to its end.
_SQLITE_SCAN = re.compile(r"SCAN (?P<table>\w+)( USING( COVERING)? INDEX (?P<index>\w+))?")
_ALIAS = re.compile(r'"(?P<table>\w+)" AS "(?P<alias>\w+)"')


class Statements:
    """Distinct statements, each with the parameters of its first run."""

    def __init__(self) -> None:
        self._parameters: dict[str, Any] = {}
        #: How many were sent, the same ones too.
        self.sent = 0

    def __len__(self) -> int:
        return len(self._parameters)

    @contextmanager
    def recorded(self, database: ServiceDatabase) -> Iterator[None]:
        """Notes what is sent to the database, by whatever thread."""
        database.query_hooks.append(self._note)
        try:
            yield
        finally:
            database.query_hooks.remove(self._note)

    def _note(self, event: QueryEvent) -> None:
        if _EXPLAINED.match(event.sql):
            self.sent += 1
            self._parameters.setdefault(event.sql, event.params)

    def parameter_counts(self) -> list[int]:
        """How many parameters each statement had, in order."""
        return [len(parameters or ()) for parameters in self._parameters.values()]

    def scans(self, database: ServiceDatabase) -> Iterator[tuple[str, str]]:
        """Yields the tables that are read as a whole, or all of an index of theirs, each with the statement that does it.

        Two kinds of index may be read from the beginning: partial ones, which hold but few rows, and others up to a LIMIT.
        """
        with database.connection_context():
            partial = {
                index.name
                for table in database.get_tables()
                for index in database.get_indexes(table)
                if " WHERE " in (index.sql or "")
            }
            find = _sqlite_scans if isinstance(database, SqliteDatabase) else _postgres_scans
            for sql, parameters in self._parameters.items():
                for table, index in find(database, sql, parameters):
                    if index is None or not (index in partial or " LIMIT " in sql):
                        yield table, sql


def _sqlite_scans(database: ServiceDatabase, sql: str, parameters: Any) -> Iterator[tuple[str, str | None]]:
    names = {match["alias"]: match["table"] for match in _ALIAS.finditer(sql)}
    for *_, detail in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall():
        if match := _SQLITE_SCAN.match(detail):
            yield names.get(match["table"], match["table"]), match["index"]


def _postgres_scans(database: ServiceDatabase, sql: str, parameters: Any) -> Iterator[tuple[str, str | None]]:
    # With its values put in: the parameters of a prepared EXPLAIN would have no types of their own.
    with psycopg.ClientCursor(database.connection()) as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        [([explained],)] = cursor.fetchall()
    nodes = [explained["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes.extend(node.get("Plans", ()))
        if "Scan" in node["Node Type"] and "Index Cond" not in node and node["Node Type"] != "Bitmap Heap Scan":
            yield node.get("Relation Name", ""), node.get("Index Name")
