"""Connections: which database, how it is opened, and units of work on it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from peewee import Database, Model, ModelSelect, OperationalError
from playhouse.pool import MaxConnectionsExceeded, PooledSqliteDatabase

from osis_document_server.errors import DatabaseUnavailable
from osis_document_server.models.tables import database_proxy

_M = TypeVar("_M", bound=Model)

#: Connections held at once. Units of work are short and no bytes move in them, so a few serve many streams.
_POOL_SIZE = 16
#: Seconds a unit of work waits for a connection, and a connection for SQLite's write lock.
_WAIT_SECONDS = 10
#: The first SQLite without the WAL-reset bug (sqlite.org/wal.html, "The WAL-reset bug").
_SOUND_SQLITE = (3, 51, 3)


#: What peewee raises when the database does not answer, or no connection was free in time.
_UNAVAILABLE = (OperationalError, ConnectionError, MaxConnectionsExceeded)


class UnsupportedDatabaseError(ValueError):
    """The URL names a database that the service cannot use."""


def open_database(url: str) -> Database:
    """Opens the database at ``url`` and binds the tables to it. No connection is made yet.

    Args:
        url: ``sqlite:///relative/path.db`` or ``sqlite:////absolute/path.db``; its folder is created.

    Raises:
        UnsupportedDatabaseError: for any other URL.
    """
    scheme, separator, path = url.partition(":///")
    if scheme != "sqlite" or not separator or not path:
        raise UnsupportedDatabaseError(f"{url!r} names no database that this version can use; write sqlite:///path/to/file.db")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    database: Database = PooledSqliteDatabase(
        path,
        max_connections=_POOL_SIZE,
        timeout=_WAIT_SECONDS,
        check_same_thread=False,  # a connection goes from thread to thread, one at a time
        # BEGIN IMMEDIATE: a transaction that reads and then writes never meets "database is locked" half-way.
        lock_type="IMMEDIATE",
        pragmas={
            "journal_mode": "wal",
            "synchronous": "full",  # a commit that was answered survives a power cut
            "foreign_keys": 1,
            "busy_timeout": _WAIT_SECONDS * 1000,
        },
    )
    database_proxy.initialize(database)
    return database


def weakness_of_sqlite() -> str:
    """Returns a warning when this Python's SQLite has the WAL-reset bug, else an empty string."""
    if sqlite3.sqlite_version_info >= _SOUND_SQLITE:
        return ""
    return (
        f"SQLite {sqlite3.sqlite_version} can, very rarely, corrupt a database in WAL mode when two processes use it; "
        f"let one server at a time use it, or take a Python with SQLite {'.'.join(map(str, _SOUND_SQLITE))} or later"
    )


@contextmanager
def unit_of_work(database: Database) -> Iterator[None]:
    """One transaction on a connection of the pool: committed at the end, rolled back by an exception.

    Raises:
        DatabaseUnavailable: no connection was free in time, or the database does not answer.
    """
    try:
        with database.connection_context(), database.atomic():
            yield
    except _UNAVAILABLE as exc:
        raise DatabaseUnavailable(
            "The database does not answer. Try again; if it goes on, look at the service's log.", retry_after_seconds=1
        ) from exc


@contextmanager
def reading(database: Database) -> Iterator[None]:
    """A connection of the pool for reads that need no transaction; waits for no writer."""
    try:
        with database.connection_context():
            yield
    except _UNAVAILABLE as exc:
        raise DatabaseUnavailable(
            "The database does not answer. Try again; if it goes on, look at the service's log.", retry_after_seconds=1
        ) from exc


def locked(database: Database, query: "ModelSelect[_M]", *, table: type[_M]) -> "ModelSelect[_M]":
    """Returns ``query`` with its rows of ``table`` locked until the end of the unit of work.

    SQLite needs none of it: a unit of work there is alone from its beginning.
    """
    return query.for_update(of=table) if database.for_update else query
