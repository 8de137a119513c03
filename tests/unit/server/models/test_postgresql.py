"""What only PostgreSQL brings along: a network, restarts, and transactions side by side."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from osis_document_server.errors import DatabaseUnavailable
from osis_document_server.models import database, migrate
from osis_document_server.models.database import ServiceDatabase, reading, unit_of_work
from osis_document_server.models.postgresql import PostgresDatabase
from osis_document_server.models.tables import BlobRow, ServiceLeaseRow
from tests.support.ports import free_port
from tests.support.postgres_server import PASSWORD, PostgresServer
from tests.unit.server.models.test_database import NOW, add_job

CONNECTIONS = 16


@pytest.fixture
def name(postgres_server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database."""
    name = request.node.name[:60]
    postgres_server.create(name)
    yield name
    postgres_server.drop(name)


@pytest.fixture
def opened(postgres_server: PostgresServer, name: str) -> Iterator[ServiceDatabase]:
    """The database, of this version's schema."""
    opened = database.open_database(postgres_server.url(name))
    migrate.migrate(opened)
    yield opened
    opened.close_all()


def setting(opened: ServiceDatabase, name: str) -> str:
    [(value,)] = opened.execute_sql(f"SHOW {name}").fetchall()
    return str(value)


def test_a_session_is_in_utc_reads_what_is_committed_and_never_waits_for_ever(opened: ServiceDatabase) -> None:
    with unit_of_work(opened):
        assert setting(opened, "timezone") == "UTC"
        assert setting(opened, "transaction_isolation") == "read committed"
        assert setting(opened, "statement_timeout") == "30s"
        assert setting(opened, "lock_timeout") == "10s"
        assert setting(opened, "idle_in_transaction_session_timeout") == "1min"
        assert setting(opened, "application_name") == "osis-document"


def test_what_the_url_says_wins(postgres_server: PostgresServer, name: str) -> None:
    own = quote("-c lock_timeout=3s -c search_path=elsewhere")
    opened = database.open_database(f"{postgres_server.url(name)}?application_name=mine&connect_timeout=2&options={own}")
    with reading(opened):
        assert setting(opened, "lock_timeout") == "3s"
        assert setting(opened, "search_path") == "elsewhere"
        assert setting(opened, "application_name") == "mine"
        assert setting(opened, "statement_timeout") == "30s"
    opened.close_all()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"user": "stranger"}, "password authentication failed"),
        ({"name": "absent"}, 'database "absent" does not exist'),
        ({"port": 0}, "[Cc]onnection refused"),
        ({"host": "host.invalid"}, "host.invalid"),
        ({"password": "a%zz"}, "cannot be read"),
        ({"password": "a@b"}, "cannot be read"),
        ({"password": "a/b"}, "cannot be read"),
        ({"query": "?sslmod=off"}, "cannot be read: invalid URI query parameter"),
        ({"query": "?sslmode=require"}, "SSL"),
    ],
)
def test_a_database_that_cannot_be_had_is_told_from_others_without_the_password(
    postgres_server: PostgresServer, change: dict[str, Any], named: str
) -> None:
    parts = {
        "user": "osis",
        "password": "hush-hush",
        "host": "127.0.0.1",
        "port": postgres_server.port,
        "name": "osis",
        "query": "",
    }
    if "name" in change:
        parts["password"] = quote(PASSWORD, safe="")
    parts |= change
    parts["port"] = parts["port"] or free_port()
    with pytest.raises(database.UnusableDatabaseError, match=named) as refused:
        database.open_database("postgresql://{user}:{password}@{host}:{port}/{name}{query}".format(**parts))
    said = str(refused.value)
    assert "\n" not in said
    for secret in ("hush-hush", "wrong", "a%zz", "a@b", "a/b", PASSWORD, quote(PASSWORD, safe="")):
        assert secret not in said


def test_a_database_that_cannot_keep_every_name_is_refused(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.admin_url(), autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE latin OWNER osis TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER 'libc'"
        )
    with pytest.raises(database.UnusableDatabaseError, match=r"LATIN1.*ENCODING 'UTF8'"):
        database.open_database(postgres_server.url("latin"))
    postgres_server.drop("latin")


def test_of_several_hosts_the_one_that_takes_writes_is_found(postgres_server: PostgresServer, name: str) -> None:
    url = postgres_server.url(name)
    several = url.replace("127.0.0.1:", f"127.0.0.1:{free_port()},127.0.0.1:")
    opened = database.open_database(several)
    assert migrate.migrate(opened)
    opened.close_all()

    with psycopg.connect(postgres_server.admin_url(), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')  # as a standby has it
    with pytest.raises(database.UnusableDatabaseError, match="read-only"):
        database.open_database(url)


def terminate_all(server: PostgresServer, name: str) -> int:
    """Ends all connections of a database, waits until they have ended, and returns how many there were."""
    terminate = "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE datname = %s"  # milliseconds
    with psycopg.connect(server.admin_url()) as connection:
        return connection.execute(terminate, (name,)).rowcount


def fill(opened: ServiceDatabase) -> None:
    """Has all connections opened, and leaves them idle."""
    together = threading.Barrier(CONNECTIONS)

    def read(_: int) -> None:
        with reading(opened):
            opened.execute_sql("SELECT 1").fetchall()
            together.wait(20)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(read, range(CONNECTIONS)))


def test_connections_that_were_lost_while_idle_are_replaced_and_nobody_notices(
    postgres_server: PostgresServer, opened: ServiceDatabase, name: str
) -> None:
    fill(opened)
    assert terminate_all(postgres_server, name) == CONNECTIONS

    began = time.monotonic()
    for number in range(CONNECTIONS * 2):
        with unit_of_work(opened):
            add_job(request_id=str(number))
    assert time.monotonic() - began < 5
    fill(opened)


def test_a_connection_that_is_lost_in_a_unit_of_work_costs_that_one_alone(
    postgres_server: PostgresServer, opened: ServiceDatabase, name: str
) -> None:
    def lose() -> None:
        with unit_of_work(opened):
            add_job()
            terminate_all(postgres_server, name)
            add_job()

    with pytest.raises(DatabaseUnavailable) as refused:
        lose()
    assert refused.value.retry_after_seconds

    with unit_of_work(opened):
        add_job()
    with reading(opened):
        assert opened.execute_sql("SELECT count(*) FROM job").fetchall() == [(1,)]


def test_a_restart_costs_nobody_who_comes_after_it_and_whoever_comes_during_it_waits() -> None:
    with PostgresServer() as server:
        opened = database.open_database(server.create("restarted"))
        migrate.migrate(opened)
        fill(opened)
        server.stop()
        server.start()
        for _ in range(CONNECTIONS):
            with unit_of_work(opened):
                add_job()

        fill(opened)
        server.kill()
        with ThreadPoolExecutor(4) as pool:

            def add(_: int) -> None:
                with unit_of_work(opened):
                    add_job()

            during = [pool.submit(add, number) for number in range(4)]
            server.start()
            for one in during:
                one.result(30)
        with reading(opened):
            assert opened.execute_sql("SELECT count(*) FROM job").fetchall() == [(CONNECTIONS + 4,)]
        opened.close_all()


def test_while_it_is_down_callers_are_told_to_try_again_and_once_it_is_back_it_serves() -> None:
    with PostgresServer() as server:
        opened = PostgresDatabase(server.create("down"), pool_size=CONNECTIONS, wait_seconds=2)
        fill(opened)
        server.stop()
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable) as refused, reading(opened):
                raise AssertionError("there was a connection")
            assert refused.value.retry_after_seconds
        server.start()
        with reading(opened):
            assert setting(opened, "timezone") == "UTC"
        opened.close_all()


def test_of_two_who_wait_for_each_other_one_is_told_to_try_again_and_changed_nothing(opened: ServiceDatabase) -> None:
    with unit_of_work(opened):
        for key in ("a", "b"):
            BlobRow.create(key=key, size_bytes=0, sha256="", block_checksums=b"", created_at=NOW)
    both = threading.Barrier(2)

    def change(first: str, second: str) -> DatabaseUnavailable | None:
        try:
            with unit_of_work(opened):
                BlobRow.update(sha256=first).where(BlobRow.key == first).execute()
                both.wait(20)
                BlobRow.update(sha256=first).where(BlobRow.key == second).execute()
        except DatabaseUnavailable as exc:
            return exc
        return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(change, ("a", "b"), ("b", "a")))

    assert outcomes.count(None) == 1
    winner = "ab"[outcomes.index(None)]
    [refused] = [outcome for outcome in outcomes if outcome is not None]
    assert refused.retry_after_seconds
    assert "changed nothing" in refused.message
    with reading(opened):
        assert {row.sha256 for row in BlobRow.select()} == {winner}


def test_a_reference_to_what_has_just_gone_is_a_conflict_that_a_new_try_explains(opened: ServiceDatabase) -> None:
    with pytest.raises(DatabaseUnavailable, match="changed nothing"), unit_of_work(opened):
        opened.execute_sql("INSERT INTO job_input (job_id, position, document_id) VALUES (%s, 0, %s)", (add_job(), "0" * 32))


def test_a_row_that_stays_locked_is_not_waited_for_for_ever(postgres_server: PostgresServer, name: str) -> None:
    opened = database.open_database(f"{postgres_server.url(name)}?options={quote('-c lock_timeout=200ms')}")
    migrate.migrate(opened)
    with unit_of_work(opened):
        ServiceLeaseRow.create(name="sweep", holder="0" * 32, expires_at=NOW)
    with ExitStack() as stack:
        other = stack.enter_context(psycopg.connect(postgres_server.url(name)))
        other.execute("SELECT * FROM service_lease FOR UPDATE")
        with pytest.raises(DatabaseUnavailable, match="same moment"), unit_of_work(opened):
            ServiceLeaseRow.update(expires_at=NOW).execute()
    opened.close_all()
