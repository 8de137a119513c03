"""Which database there is, and units of work on it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import structlog
from apsw import FullError, SQLError
from peewee import Database, DatabaseError, DataError, Model, ModelSelect, OperationalError
from playhouse.pool import MaxConnectionsExceeded

from osis_document_server.errors import ArgumentInvalid, DatabaseUnavailable, StorageFull
from osis_document_server.models.sqlite import SqliteDatabase
from osis_document_server.models.tables import database_proxy

if TYPE_CHECKING:
    from osis_document_server.models.postgresql import PostgresDatabase

#: Either of those that ``open_database`` opens.
ServiceDatabase: TypeAlias = "SqliteDatabase | PostgresDatabase"

_M = TypeVar("_M", bound=Model)
_log = structlog.get_logger(__name__)

#: Connections held at once. Units of work are short and no bytes move in them, so a few serve many streams.
_POOL_SIZE = 16
#: Seconds a unit of work waits for a connection, and a connection for SQLite's write lock.
_WAIT_SECONDS = 10

#: A URL of which every part is where it seems to be; else a password may be in any of them.
_PLAIN_URL = re.compile(r"(?P<scheme>\w+)://([^@/?]*@)?(?P<place>[^@/?]*(/[^@/?]*)?)([?][^@]*)?")
#: What PostgreSQL says, in its "PostgreSQL Error Codes", to one of two who meet over the same rows.
_CONFLICTS = {
    "23503": "foreign_key_violation",  # ids are looked up before they are written: the row has gone in between
    "40001": "serialization_failure",
    "40P01": "deadlock_detected",
    "55P03": "lock_not_available",
}
#: It has ended a transaction whose process seemed to have stopped in the middle.
_GIVEN_UP = "25P03"
#: Its disk is full.
_DISK_FULL = "53100"
#: The beginning of what it says to statements that are larger or more complex than it takes.
_LIMIT_EXCEEDED = "54"

_HOW_TO_WRITE = (
    "Write postgresql://user:password@host:port/name; within the password %40 stands for @, %3A for :, %2F for /, %3F for ? "
    "and %25 for %."
)


class UnusableDatabaseError(ValueError):
    """The URL names no database that the service can use, or one that cannot be reached now. The message shows no password."""


def open_database(url: str) -> ServiceDatabase:
    """Opens the database at ``url``, makes sure that it answers, and binds the tables to it.

    Args:
        url: ``sqlite:///relative/path.db`` or ``sqlite:////absolute/path.db``, its folder is created; or
            ``postgresql://user:password@host:port/name``, with whatever parameters libpq takes.

    Raises:
        UnusableDatabaseError: for any other URL, and when the database does not answer.
    """
    database: ServiceDatabase
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        database = _open_sqlite(rest[1:])
    elif scheme in {"postgresql", "postgres"} and rest:
        database = _open_postgres(url)
    else:
        raise UnusableDatabaseError(
            f"{without_password(url)!r} names no database that the service can use; "
            "write sqlite:///path/to/file.db or postgresql://user:password@host:port/name"
        )
    database_proxy.initialize(database)
    return database


def _open_sqlite(path: str) -> SqliteDatabase:
    try:
        database = SqliteDatabase(path, pool_size=_POOL_SIZE, wait_seconds=_WAIT_SECONDS)
        with database.connection_context():
            pass
    except (OSError, DatabaseError) as exc:
        raise UnusableDatabaseError(f"{path!r} cannot be opened: {exc}. Name a file in a folder that can be written.") from exc
    return database


def _open_postgres(url: str) -> "PostgresDatabase":
    if not _PLAIN_URL.fullmatch(url):
        raise UnusableDatabaseError(f"the URL cannot be read. {_HOW_TO_WRITE}")
    try:
        import psycopg

        from osis_document_server.models.postgresql import PostgresDatabase
    except ImportError as exc:
        raise UnusableDatabaseError(
            f"PostgreSQL needs psycopg, which is not installed: pip install 'osis-document[postgres]' ({exc})"
        ) from exc
    try:
        return PostgresDatabase(url, pool_size=_POOL_SIZE, wait_seconds=_WAIT_SECONDS)
    except psycopg.ProgrammingError as exc:
        reason = str(exc).partition('"')[0].rstrip(": ")  # what it quotes may be a part of the password
        raise UnusableDatabaseError(f"the URL cannot be read: {reason}. {_HOW_TO_WRITE}") from None
    except psycopg.Error as exc:
        raise UnusableDatabaseError(
            f"{without_password(url)} cannot be used: {' '.join(str(exc).split())}. Check that PostgreSQL runs, and what the URL "
            "says of user, password, host, port and name."
        ) from exc


def without_password(url: str) -> str:
    """Returns a database's URL as it may be shown: without user, password and parameters."""
    if url.startswith("sqlite:"):
        return url
    plain = _PLAIN_URL.fullmatch(url)
    return f"{plain['scheme']}://{plain['place']}" if plain else f"{url.partition(':')[0]}:…"


@contextmanager
def unit_of_work(database: ServiceDatabase) -> Iterator[None]:
    """One transaction on a connection of the pool: committed at the end, rolled back by an exception.

    Raises:
        DatabaseUnavailable: no connection was free in time, the database does not answer, or somebody else is changing the same
            rows. Nothing was changed, unless the connection was lost during the very commit.
        StorageFull: the database's disk is full. Nothing was changed.
        ArgumentInvalid: a text that no check has met cannot be kept.
    """
    with _translated(), database.one_writer(), database.connection_context(), database.atomic():
        yield


@contextmanager
def reading(database: Database) -> Iterator[None]:
    """A connection of the pool for reads that need no transaction; waits for no writer.

    Raises:
        DatabaseUnavailable: no connection was free in time, or the database does not answer.
    """
    with _translated(), database.connection_context():
        yield


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (DatabaseError, MaxConnectionsExceeded) as exc:
        original = getattr(exc, "orig", None)
        state = getattr(original, "sqlstate", None) or ""
        if state in _CONFLICTS:
            _log.warning("two calls met over the same rows", error=str(exc))
            raise DatabaseUnavailable(
                "Another call was changing the same at the same moment, and this one changed nothing. Try again.",
                retry_after_seconds=0.1,
            ) from exc
        if state == _DISK_FULL or isinstance(original, FullError):
            _log.error("the database's disk is full", error=str(exc))
            raise StorageFull(
                "The disk of the service's database is full, and nothing was changed. Try again once there is room.",
                retry_after_seconds=60,
            ) from exc
        if isinstance(original, SQLError) or state.startswith(_LIMIT_EXCEEDED):
            raise  # peewee takes it for operational; it is a statement that the database will never take
        if isinstance(exc, (OperationalError, MaxConnectionsExceeded)) or state == _GIVEN_UP:
            _log.warning("the database does not answer", error=str(exc))
            raise DatabaseUnavailable(
                "The database does not answer. Try again; if it goes on, look at the service's log.", retry_after_seconds=1
            ) from exc
        if isinstance(exc, DataError):
            raise ArgumentInvalid(
                "A text of the request has more characters than are kept, or a NUL among them. Send shorter ones, without NULs."
            ) from exc
        raise


def locked(database: Database, query: "ModelSelect[_M]", *, table: type[_M]) -> "ModelSelect[_M]":
    """Returns ``query`` with its rows of ``table`` locked until the end of the unit of work.

    SQLite needs none of it: a unit of work there is alone from its beginning.
    """
    return query.for_update(of=table) if database.for_update else query


def unlocked(database: Database, query: "ModelSelect[_M]") -> "ModelSelect[_M]":
    """Returns ``query`` without the rows that somebody else has locked, and with the others locked."""
    return query.for_update(skip_locked=True) if database.for_update else query
