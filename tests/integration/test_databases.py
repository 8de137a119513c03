"""The database as a part that fails, restarts, and is shared by several servers."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import grpc
import pytest

from osis.document.v1.upload_service_pb2 import GetUploadStatusRequest, StartUploadRequest
from tests.support import documents, files, jobs
from tests.support.downloads import content_of
from tests.support.ports import free_port
from tests.support.postgres_server import PASSWORD, PostgresServer
from tests.support.processes import LoggedProcess, clean_environment, console_script
from tests.support.refusals import expect_refusal
from tests.support.server import ServerProcess, serving
from tests.support.stubs import Stubs
from tests.support.uploads import confirm, messages, spec, store, store_all
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

CALLERS = 24


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may stop."""
    with PostgresServer() as running:
        yield running


def ask_side_by_side(server: ServerProcess, document_id: str) -> list[str]:
    """Has many clients ask for a document at once; returns its name as each of them got it."""
    together = threading.Barrier(CALLERS)
    callers = [server.stubs() for _ in range(CALLERS)]

    def ask(number: int) -> str:
        together.wait(20)
        return str(documents.get(callers[number], document_id).name)

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(ask, range(CALLERS)))


@pytest.mark.one_database
def test_a_restart_of_postgresql_is_survived_and_no_call_after_it_fails(own_postgres: PostgresServer, tmp_path: Path) -> None:
    with serving(tmp_path / "server", DATABASE_URL=own_postgres.create("service")) as server:
        alpha = server.stubs()
        kept = store(alpha, b"kept over the restart", "kept.txt")
        expected = ["kept.txt"] * CALLERS
        assert ask_side_by_side(server, kept.id) == expected

        for end in (own_postgres.stop, own_postgres.kill):
            end()
            own_postgres.start()

            assert ask_side_by_side(server, kept.id) == expected
            assert content_of(alpha, kept.id) == b"kept over the restart"
            later = store(alpha, b"stored after it")
            job = jobs.start(alpha, store_all(alpha, [("a.pdf", files.pdf("a")), ("b.pdf", files.pdf("b"))]), jobs.MERGE)
            assert jobs.finish(alpha, job.id).state == jobs.DONE
            assert content_of(alpha, later.id) == b"stored after it"
        assert server.stop() == 0
        assert "Traceback" not in server.output()


@pytest.mark.one_database
def test_while_postgresql_is_down_calls_are_refused_with_the_time_to_try_again(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    with serving(tmp_path / "server", DATABASE_URL=own_postgres.create("service")) as server:
        alpha = server.stubs()
        kept = store(alpha, b"kept")
        own_postgres.stop()

        refusal = expect_refusal("DATABASE_UNAVAILABLE", documents.get, alpha, kept.id)

        assert refusal.retry_after_seconds
        own_postgres.start()
        assert content_of(alpha, kept.id) == b"kept"


@pytest.mark.one_database
def test_an_upload_goes_on_where_a_restart_of_postgresql_met_it(own_postgres: PostgresServer, tmp_path: Path) -> None:
    content = files.pdf_of_size(400_000)
    with serving(tmp_path / "server", DATABASE_URL=own_postgres.create("service")) as server:
        alpha = server.stubs()
        upload = spec("long.pdf", size_bytes=len(content))

        def slowly():
            for number, message in enumerate(messages(upload, content, chunk=len(content) // 4)):
                if number == 2:
                    wait_until(lambda: is_begun(alpha, upload.upload_id), "the server is receiving")
                    own_postgres.stop()
                    own_postgres.start()
                yield message

        result = alpha.uploads.WriteUpload(slowly()).result

        assert result.document.size_bytes == len(content)


def is_begun(stubs: Stubs, upload_id: str) -> bool:
    """Whether the server knows of an upload."""
    try:
        stubs.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=upload_id))
    except grpc.RpcError:
        return False
    return True


def ended(url: str, folder: Path) -> str:
    """What a server over this database says that cannot start."""
    with ServerProcess(folder, DATABASE_URL=url) as server:
        assert server.wait(seconds=40) == 1, server.output()
        output = server.output()
    assert "Traceback" not in output
    assert "OSIS_DOCUMENT_DATABASE_URL" in output
    assert quote(PASSWORD, safe="") not in output
    assert PASSWORD not in output
    assert "hush-hush" not in output
    return output


@pytest.mark.one_database
def test_a_postgresql_that_cannot_be_used_at_the_start_is_told_clearly(postgres_server: PostgresServer, tmp_path: Path) -> None:
    nobody = ended(f"postgresql://osis:hush-hush@127.0.0.1:{free_port()}/service", tmp_path / "nobody")
    assert "refused" in nobody
    assert "Check that PostgreSQL runs" in nobody

    wrong = ended(f"postgresql://osis:hush-hush@127.0.0.1:{postgres_server.port}/service", tmp_path / "wrong")
    assert "password authentication failed" in wrong

    assert 'database "absent" does not exist' in ended(postgres_server.url("absent"), tmp_path / "absent")


@pytest.mark.one_database
def test_a_user_who_may_not_make_tables_is_told_so(postgres_server: PostgresServer, tmp_path: Path) -> None:
    # The service's user owns nothing here, and since PostgreSQL 15 only owners make tables.
    assert "permission denied" in ended(postgres_server.url("postgres"), tmp_path / "server")


@pytest.mark.one_database
def test_servers_that_start_together_on_an_empty_database_all_serve(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = postgres_server.create("together")
    storage = f"file://{tmp_path / 'blobs'}"
    servers = [ServerProcess(tmp_path / str(number), DATABASE_URL=url, STORAGE_URL=storage) for number in range(3)]
    try:
        ids = [store(server.stubs(), b"content", f"{number}.txt").id for number, server in enumerate(servers)]
        for server in servers:
            names = [documents.get(server.stubs(), one).name for one in ids]
            assert names == ["0.txt", "1.txt", "2.txt"]
            assert [content_of(server.stubs(), one) for one in ids] == [b"content"] * 3
    finally:
        for server in servers:
            server.end()
    migrated = [server.output().count("database migrated") for server in servers]
    assert sorted(migrated)[:2] == [0, 0]
    assert max(migrated) > 0


def test_migrate_tells_what_is_missing_and_then_does_it(database, tmp_path: Path) -> None:
    data = tmp_path / "server" / "data"

    def migrate(*options: str) -> tuple[int, str]:
        with LoggedProcess(
            "migrate",
            [*console_script("osis-document-server", "osis_document_server.cli"), "migrate", *options],
            environment=clean_environment({"DATA_DIR": str(data)} | database.settings(data)),
            log=tmp_path / "migrate.log",
        ) as process:
            return process.wait(), process.output()

    code, missing = migrate("--check")
    assert code == 1
    assert missing.split()[:2] == ["0001_documents_and_jobs", "0002_uploads"]
    assert migrate()[0] == 0
    assert migrate("--check") == (0, "")


def test_an_upload_that_is_begun_many_times_at_once_is_one_upload(server: ServerProcess) -> None:
    callers = [server.stubs() for _ in range(8)]
    for _ in range(10):
        upload = spec(size_bytes=7)
        together = threading.Barrier(len(callers))

        def start(number: int, upload=upload, together=together) -> str:
            together.wait(20)
            answer = callers[number].uploads.StartUpload(StartUploadRequest(upload_spec=upload))
            return str(answer.WhichOneof("outcome")) + str(answer.persisted_size)

        with ThreadPoolExecutor(len(callers)) as pool:
            assert set(pool.map(start, range(len(callers)))) == {"persisted_size0"}
        result = callers[0].uploads.WriteUpload(messages(upload, b"content")).result
        assert content_of(callers[0], confirm(callers[0], result.write_token).id) == b"content"
