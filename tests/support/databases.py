"""The databases that servers of tests run on: a file each, or a PostgreSQL database each.

`in_use` says which; `tests/integration/conftest.py` sets it for each test, so that the same tests run on both.
"""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.support.postgres_server import PostgresServer


class Databases(Protocol):
    """Gives every data folder of a server a database of its own, the same one each time."""

    def settings(self, data: Path) -> dict[str, str]:
        """The settings that make the server over this folder use its database."""

    def rows(self, data: Path, table: str) -> list[dict[str, Any]]:
        """The rows of one table, by their keys; values as the database's driver reads them."""

    def remove_below(self, folder: Path) -> None:
        """Removes the databases of all data folders below this one; their servers have ended."""


class SqliteFiles:
    """The embedded default: a file in the data folder."""

    def settings(self, data: Path) -> dict[str, str]:
        return {}

    def rows(self, data: Path, table: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(f"file:{data / 'osis-document.db'}?mode=ro", uri=True, timeout=10)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY 1")]

    def remove_below(self, folder: Path) -> None:
        pass


class PostgresDatabases:
    """A database per data folder, made when it is first asked for."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._names: dict[Path, str] = {}

    def settings(self, data: Path) -> dict[str, str]:
        if data not in self._names:
            name = f"{data.parent.name[:40]}-{hashlib.sha256(bytes(data)).hexdigest()[:16]}"
            self._server.create(name)
            self._names[data] = name
        return {"DATABASE_URL": self._server.url(self._names[data])}

    def rows(self, data: Path, table: str) -> list[dict[str, Any]]:
        with psycopg.connect(self._server.url(self._names[data]), row_factory=dict_row) as connection:
            return connection.execute(sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(table))).fetchall()

    def remove_below(self, folder: Path) -> None:
        for data in [data for data in self._names if data.is_relative_to(folder)]:
            self._server.drop(self._names.pop(data))


#: What servers use that are started now.
in_use: Databases = SqliteFiles()
