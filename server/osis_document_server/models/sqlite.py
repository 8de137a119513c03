"""SQLite, by APSW: the SQLite of its wheels is a sound one on every machine, whatever the system's is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import RLock
from typing import Any

from peewee import OperationalError
from playhouse.apsw_ext import APSWDatabase
from playhouse.pool import PooledDatabase

from osis_document_server.operation.private_files import make_private_file, make_private_folder


class SqliteDatabase(PooledDatabase, APSWDatabase):  # type: ignore[misc]  # untyped in peewee
    """A pool of connections to one file.

    Args:
        path: where the file is, or is to be; its folder is created.
        pool_size: connections at most.
        wait_seconds: how long to wait for a free connection, and a connection for SQLite's write lock.
    """

    def __init__(self, path: str, *, pool_size: int, wait_seconds: int) -> None:
        self._wait_seconds = wait_seconds
        self._writing = RLock()
        make_private_folder(Path(path).parent)
        make_private_file(Path(path))  # SQLite gives the files beside it the same rights
        super().__init__(
            path,
            max_connections=pool_size,
            timeout=wait_seconds,
            # BEGIN IMMEDIATE: a transaction that reads and then writes never meets "database is locked" half-way.
            lock_type="IMMEDIATE",
            pragmas={
                "busy_timeout": wait_seconds * 1000,
                "journal_mode": "wal",
                "synchronous": "full",  # a commit that was answered survives a power cut
                "foreign_keys": 1,
            },
        )

    @contextmanager
    def one_writer(self) -> Iterator[None]:
        """Waits until no other thread writes, and keeps others from it until the end of the block.

        SQLite has one writer at a time anyway. Those who waited for its own lock would each hold a connection of the pool, so
        that readers got none, and would look again only every 100 ms (``sqliteDefaultBusyCallback`` in SQLite's ``main.c``).

        Raises:
            OperationalError: others have been writing for too long.
        """
        if not self._writing.acquire(timeout=self._wait_seconds):
            raise OperationalError("database is locked: other threads have been writing to it for too long")
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """Waits until nobody else migrates the file, and keeps others from it until the end of the block."""
        # A lock of SQLite's own would not do: foreign keys can be switched off only between transactions.
        lock = Path(f"{self.database}.lock")
        make_private_file(lock)
        with lock.open("w") as file:
            flock(file, LOCK_EX)
            yield

    def _add_conn_hooks(self, conn: Any) -> None:
        conn.convert_binding = _to_sqlite
        super()._add_conn_hooks(conn)

    def _can_reuse(self, conn: Any) -> bool:
        return not conn.in_transaction  # closing it rolls back


def _to_sqlite(_cursor: object, _number: int, value: object) -> str:
    """Turns a parameter into what SQLite can keep, in the form of Python's own sqlite3."""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    raise TypeError(f"SQLite cannot keep a {type(value).__name__}")
