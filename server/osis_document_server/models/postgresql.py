"""PostgreSQL, by psycopg 3 and its pool.

Peewee's own pool connects and checks connections under one lock: while a database cannot be reached, its time-outs would add up
over all threads. psycopg's waits outside, and replaces lost connections in threads of its own.
"""

import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import psycopg
from peewee import PostgresqlDatabase, ProgrammingError, Psycopg3Adapter
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

_Connection = psycopg.Connection[tuple[Any, ...]]

#: What libpq is told unless the URL says otherwise; see "Database Connection Control Functions" in PostgreSQL's manual.
_DEFAULTS = {
    "application_name": "osis-document",
    "client_encoding": "UTF8",
    # Of several hosts the one that takes writes; never a standby.
    "target_session_attrs": "read-write",
    # Seconds; and for a host that vanishes without a word: seconds, seconds, times, milliseconds.
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
#: What the session is told, unless the URL's own ``options`` say otherwise. No unit of work takes long: what does is stuck.
_SESSION = {
    "timezone": "UTC",
    "default_transaction_isolation": "read\\ committed",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}
#: Parameters that its protocol can count.
_PARAMETERS_LIMIT = 65_535
#: The advisory lock of those who migrate. Any number will do that no other program takes in the same database.
_MIGRATION_LOCK = 0x6F736973_646F6300


class _Adapter(Psycopg3Adapter):
    """Writes JSON as it is, so that it comes back as it was sent: JSONB refuses ``\\u0000`` and turns 1e300 into an integer."""

    def __init__(self) -> None:
        super().__init__()
        self.jsonb_type = self.json_type


class PostgresDatabase(PostgresqlDatabase):
    """A pool of connections to one database.

    Args:
        url: ``postgresql://user:password@host:port/name?…``, as libpq takes it.
        pool_size: connections at most.
        wait_seconds: how long to wait for a free connection.

    Raises:
        psycopg.Error: the URL cannot be read, or the database cannot be reached.
    """

    psycopg3_adapter = _Adapter

    def __init__(self, url: str, *, pool_size: int, wait_seconds: float) -> None:
        conninfo = _conninfo(url)
        # The pool would only say that no connection could be had in time; this says why.
        with psycopg.connect(conninfo) as connection:
            encoding = connection.info.parameter_status("server_encoding")
            if encoding != "UTF8":
                raise psycopg.NotSupportedError(
                    f"the database {connection.info.dbname!r} has the encoding {encoding}; create it with ENCODING 'UTF8'"
                )
        super().__init__(conninfo, prefer_psycopg3=True, field_types={"JSON": "JSON"})
        # Peewee holds this while it connects and while it closes. What it protects is each thread's own, and whoever waited in it
        # for a free connection would keep the others from giving theirs back.
        self._lock = nullcontext()
        self._pool = ConnectionPool(
            conninfo,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=pool_size,
            timeout=wait_seconds,
            check=self._require_alive,
            # Whoever waits has given up by then; the next caller begins anew, at once.
            reconnect_timeout=wait_seconds,
            name="database",
            open=True,
        )

    def one_writer(self) -> AbstractContextManager[None]:
        """Nothing to wait for: PostgreSQL has as many writers as there are."""
        return nullcontext()

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """Waits until nobody else migrates the database, and keeps others from it until the end of the block.

        Within a connection; it takes as long as it takes.
        """
        execute: Callable[..., object] = self.execute_sql
        execute("SET statement_timeout = 0")
        execute("SET lock_timeout = 0")
        execute("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        # A table that somebody keeps locked is no reason to keep everybody else waiting behind the migration.
        execute("RESET lock_timeout")
        try:
            yield
        finally:
            execute("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))
            execute("RESET statement_timeout")

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        # libpq refuses what it cannot count with an error like that of a lost connection.
        if params is not None and len(params) > _PARAMETERS_LIMIT:
            raise ProgrammingError(f"a statement has {len(params)} parameters; PostgreSQL takes {_PARAMETERS_LIMIT}")
        execute: Callable[..., Any] = super().execute_sql
        return execute(sql, params)

    def close_all(self) -> None:
        """Closes the pool for good."""
        self._pool.close()

    def _connect(self) -> _Connection:
        return self._pool.getconn()

    def _close(self, conn: _Connection) -> None:
        self._pool.putconn(conn)

    def _require_alive(self, connection: _Connection) -> None:
        """Raises an error when a connection that was idle has been lost; then the other idle ones are replaced too."""
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if not poll.poll(0):
            return
        # An idle connection has nothing to say, unless its end: then a question shows it.
        try:
            ConnectionPool.check_connection(connection)
        except psycopg.Error:
            self._pool.drain()
            raise


def _conninfo(url: str) -> str:
    given = conninfo_to_dict(url)
    session = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    # What comes later wins.
    return make_conninfo(
        url,
        **{name: value for name, value in _DEFAULTS.items() if name not in given},
        options=f"{session} {given.get('options', '')}",
    )
