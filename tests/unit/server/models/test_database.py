"""Opening databases, and units of work: the same on both."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from peewee import DatabaseError, IntegrityError

from osis_document_server.errors import DatabaseUnavailable, StorageFull
from osis_document_server.models import database, migrate
from osis_document_server.models.database import ServiceDatabase, locked, reading, unit_of_work
from osis_document_server.models.postgresql import PostgresDatabase
from osis_document_server.models.sqlite import SqliteDatabase
from osis_document_server.models.tables import BlobRow, JobRow, database_proxy

NOW = datetime(2026, 3, 1, 10, 20, 30, 123456, tzinfo=UTC)


def add_job(*, state: str = "PENDING", **values: object) -> UUID:
    values = {"actions": [], "client": "alpha", "created_at": NOW, "updated_at": NOW} | values
    row: JobRow = JobRow.create(id=uuid4(), state=state, **values)
    return row.id


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///", "mysql:///a", "var/a.db", "postgresql:", "postgresql://"])
def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(database.UnusableDatabaseError, match=r"sqlite:///path.*postgresql://user"):
        database.open_database(url)


def test_a_file_that_cannot_be_made_is_named() -> None:
    with pytest.raises(database.UnusableDatabaseError, match=r"/proc/nowhere/a\.db"):
        database.open_database("sqlite:////proc/nowhere/a.db")


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no database\n" * 100)
    with pytest.raises(database.UnusableDatabaseError, match=r"notes\.txt.*not a database"):
        database.open_database(f"sqlite:///{file}")
    assert file.read_text() == "no database\n" * 100


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////var/a@b?c.db", "sqlite:////var/a@b?c.db"),
        ("postgresql://user:secret@host:5432/name?sslmode=require", "postgresql://host:5432/name"),
        ("postgresql://host/name?password=secret%40x", "postgresql://host/name"),
        ("postgresql://host/name?password=secret@x", "postgresql:…"),
        ("postgresql:///name?user=u&password=secret", "postgresql:///name"),
        ("postgresql://user:sec@ret@host/name", "postgresql:…"),
        ("postgresql://user:sec/ret@host/name", "postgresql:…"),
        ("postgresql://user:sec?ret@host/name", "postgresql:…"),
        ("mysql://user:secret@host/name", "mysql://host/name"),
    ],
)
def test_a_url_is_shown_without_what_may_be_its_password(url: str, shown: str) -> None:
    assert database.without_password(url) == shown


def test_what_is_done_is_committed_at_the_end_and_undone_by_an_exception(migrated: ServiceDatabase) -> None:
    with unit_of_work(migrated):
        kept = add_job()
    with pytest.raises(ZeroDivisionError), unit_of_work(migrated):
        add_job(state=str(1 // 0 if add_job() else ""))
    with reading(migrated):
        assert [row.id for row in JobRow.select()] == [kept]


def test_values_come_back_as_they_were(migrated: ServiceDatabase) -> None:
    content = {
        "integer": 2**53 + 1,
        "large": 1e300,
        "small": 5e-324,
        "negative zero": -0.0,
        "nul": "a\0b",
        "beyond the basic plane": "\U0001f600",
        "nested": [{}, [], None, True, False, ""],
        "b": 1,
        "a": 2,
    }
    checksums = bytes(range(256)) * 3
    with unit_of_work(migrated):
        job_id = add_job(actions=[content], failure=None, request_id="ÉTÉ", version=2**62)
        BlobRow.create(key="k", size_bytes=2**62, sha256="", block_checksums=checksums, created_at=NOW)
    with reading(migrated):
        job = JobRow.get(JobRow.id == job_id)
        blob = BlobRow.get()

    assert repr(job.actions) == repr([content])
    assert (job.id, job.failure, job.request_id, job.version) == (job_id, None, "ÉTÉ", 2**62)
    assert (blob.size_bytes, bytes(blob.block_checksums), blob.corrupt) == (2**62, checksums, False)
    assert (blob.created_at, blob.created_at.tzinfo) == (NOW, UTC)


def test_moments_are_compared_whatever_their_zone_and_naive_ones_are_refused(migrated: ServiceDatabase) -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with unit_of_work(migrated):
        add_job(created_at=there)
    with reading(migrated):
        assert JobRow.get().created_at == NOW
        assert JobRow.select().where(JobRow.created_at == there).count() == 1
        assert JobRow.select().where(JobRow.created_at < there + timedelta(microseconds=1)).count() == 1
        assert JobRow.select().where(JobRow.created_at < there).count() == 0
        with pytest.raises(ValueError, match="time zone"):
            JobRow.select().where(JobRow.created_at < NOW.replace(tzinfo=None)).count()


def test_a_key_that_is_there_already_is_an_integrity_error(migrated: ServiceDatabase) -> None:
    with unit_of_work(migrated):
        add_job(request_id="r")
    with pytest.raises(IntegrityError), unit_of_work(migrated):
        add_job(request_id="r")
    with unit_of_work(migrated):
        add_job(request_id=None)
        add_job(request_id=None)


def test_changes_that_depend_on_what_was_read_do_not_get_lost_between_threads(migrated: ServiceDatabase) -> None:
    with unit_of_work(migrated):
        job_id = add_job()

    def raise_version(_: int) -> None:
        with unit_of_work(migrated):
            job = locked(migrated, JobRow.select().where(JobRow.id == job_id), table=JobRow).get()
            JobRow.update(version=job.version + 1).where(JobRow.id == job_id).execute()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(raise_version, range(200)))

    with reading(migrated):
        assert JobRow.get().version == 200


def test_a_statement_that_no_database_would_take_is_not_told_as_one_that_does_not_answer(migrated: ServiceDatabase) -> None:
    marks = ", ".join([migrated.param] * 70_000)
    for sql, parameters in {
        "SELECT nothing FROM nowhere": (),
        "SELECT 1 FROM": (),
        f"SELECT 1 WHERE 1 IN ({marks})": (1,) * 70_000,
    }.items():
        with pytest.raises(DatabaseError), reading(migrated):
            migrated.execute_sql(sql, parameters)
    with reading(migrated):
        assert migrated.execute_sql("SELECT 1").fetchall() == [(1,)]


def test_a_pattern_that_is_too_complex_is_not_told_as_a_database_that_does_not_answer(tmp_path) -> None:
    opened = database.open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with pytest.raises(DatabaseError, match="too complex"), reading(opened):
        opened.execute_sql("SELECT 'a' LIKE ?", ("x" * 100_000,))
    opened.close_all()


def test_a_database_whose_disk_is_full_says_so_and_keeps_what_it_had(migrated: ServiceDatabase) -> None:
    with unit_of_work(migrated):
        kept = add_job()

    def fill_up() -> None:
        with unit_of_work(migrated):
            add_job()
            if isinstance(migrated, SqliteDatabase):
                migrated.execute_sql("PRAGMA max_page_count = 1")  # no more than there are
                add_job(actions=["x" * 1_000_000])
            else:
                migrated.execute_sql("DO $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$")

    with pytest.raises(StorageFull, match="nothing was changed") as refused:
        fill_up()

    assert refused.value.retry_after_seconds
    with reading(migrated):
        assert [row.id for row in JobRow.select()] == [kept]


def test_threads_wait_for_a_free_connection(migrated: ServiceDatabase) -> None:
    together = threading.Barrier(16)
    at_once = []

    def read(_: int) -> None:
        with reading(migrated):
            migrated.execute_sql("SELECT 1").fetchall()
            at_once.append(together.wait(20))

    with ThreadPoolExecutor(48) as pool:
        list(pool.map(read, range(48)))
    assert len(at_once) == 48


def test_threads_that_wait_to_write_keep_no_connection_from_those_who_read(migrated: ServiceDatabase) -> None:
    taken, done, waiting = threading.Event(), threading.Event(), threading.Semaphore(0)

    def hold() -> None:
        with unit_of_work(migrated):
            add_job()
            taken.set()
            assert done.wait(20)

    def write(_: int) -> None:
        waiting.release()
        with unit_of_work(migrated):
            add_job()

    def read(_: int) -> int:
        with reading(migrated):
            return JobRow.select().count()

    writers = 15 if isinstance(migrated, PostgresDatabase) else 32  # there, they write, and need a connection to do so
    with ThreadPoolExecutor(writers + 1) as pool, ThreadPoolExecutor(1) as reader:
        pool.submit(hold)
        assert taken.wait(20)
        written = pool.map(write, range(writers))
        for _ in range(writers):
            assert waiting.acquire(timeout=20)
        try:
            counts = reader.submit(lambda: [read(number) for number in range(20)]).result(5)
        finally:
            done.set()
        list(written)

    assert all(count <= writers for count in counts)
    assert read(0) == writers + 1


@pytest.fixture
def narrow(new_database: Callable[[], str]) -> Iterator[ServiceDatabase]:
    """A database of one connection."""
    url = new_database()
    if url.startswith("sqlite"):
        opened: ServiceDatabase = SqliteDatabase(url.removeprefix("sqlite:///"), pool_size=1, wait_seconds=1)
    else:
        opened = PostgresDatabase(url, pool_size=1, wait_seconds=1)
    database_proxy.initialize(opened)
    migrate.migrate(opened)
    yield opened
    opened.close_all()


def test_who_gets_no_connection_in_time_is_told_to_try_again_and_those_who_hold_one_go_on(narrow: ServiceDatabase) -> None:
    taken, done = threading.Event(), threading.Event()

    def hold() -> str:
        with unit_of_work(narrow):
            add_job()
            taken.set()
            assert done.wait(20)
        return "committed"

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert taken.wait(20)
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable) as refused, reading(narrow):
            raise AssertionError("there was a second connection")
        waited = time.monotonic() - began
        done.set()
        assert holder.result(20) == "committed"

    assert refused.value.retry_after_seconds
    assert 0.5 < waited < 10
    with reading(narrow):
        assert JobRow.select().count() == 1


def test_without_psycopg_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(database.UnusableDatabaseError, match=r"pip install 'osis-document\[postgres\]'"):
        database.open_database("postgresql://user:secret@127.0.0.1:1/name")
