"""Starts that cannot be: one clear message that says what to change, and exit code 1."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from tempfile import TemporaryDirectory

import pytest

from tests.support.downloads import download
from tests.support.log_lines import lines
from tests.support.ports import free_port
from tests.support.processes import LoggedProcess, clean_environment, console_script
from tests.support.server import ServerProcess, serving
from tests.support.uploads import store, token_for
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess

pytestmark = [pytest.mark.one_database, pytest.mark.slow]

BAD = {
    "a number that is none": ("TOKEN_MAX_AGE", "a while"),
    "a time below zero": ("TEMP_UPLOAD_MAX_AGE", "-1"),
    "a floor below zero": ("DISK_FLOOR", "-5"),
    "a ttl above its limit": ("TOKEN_MAX_AGE", "99999999"),
    "another host without encryption": ("LISTEN", "0.0.0.0:50051"),
    "an address without a port": ("LISTEN", "127.0.0.1"),
    "a port that is none": ("LISTEN", "127.0.0.1:99999"),
    "a port that is no number": ("LISTEN", "127.0.0.1:http"),
    "an unknown broker": ("BROKER_URL", "amqp://127.0.0.1"),
    "an unknown database": ("DATABASE_URL", "mysql://127.0.0.1/x"),
    "an unknown storage": ("STORAGE_URL", "ftp://127.0.0.1/x"),
    "an unknown log format": ("LOG_FORMAT", "xml"),
    "a truth value that is none": ("ENABLE_MIMETYPE_VALIDATION", "perhaps"),
    "an upload limit of zero": ("MAX_UPLOAD_SIZE", "0"),
    "an upload limit without a time": ("CLIENT_UPLOAD_LIMIT", "1000"),
    "a magic file that is not there": ("MAGIC_FILE", "/nonexistent/magic.mgc"),
    "a data folder that cannot be made": ("DATA_DIR", "/proc/nowhere"),
    "a storage that cannot be made": ("STORAGE_URL", "file:///proc/nowhere"),
}

BAD_SECRETS = {
    "a role that does not exist": ("API_SHARED_SECRET", "alpha:hush-hush:boss"),
    "a key of four parts": ("API_SHARED_SECRET", "a:hush-hush:client:x"),
    "a key without a secret": ("API_SHARED_SECRET", "alpha:"),
    "an unknown broker with a password": ("BROKER_URL", "amqp://me:hush-hush@127.0.0.1"),
    "a short signing key": ("TOKEN_SIGNING_KEYS", "kid:hush-hush"),
    "a signing key without an id": ("TOKEN_SIGNING_KEYS", "hush-hush-hush-hush-hush-hush-hush-hush-hush"),
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Every bad setting tried: exit code (None where the server serves all the same) and output, by what is wrong."""

    def run(case):
        what, (name, value) = case
        folder = tmp_path_factory.mktemp("bad")
        with ServerProcess(folder, **{name: value}) as server:
            wait_until(
                lambda: server.process.poll() is not None or "is serving" in server.output(), "it ends or serves", seconds=60
            )
            return what, (server.process.poll(), server.output())

    with ThreadPoolExecutor(3) as pool:
        return dict(pool.map(run, (BAD | BAD_SECRETS).items()))


@pytest.mark.parametrize("what", BAD)
def test_a_setting_that_cannot_be_used_is_named_with_its_value(ended, what):
    code, output = ended[what]
    name, value = BAD[what]

    assert code == 1, output
    assert f"OSIS_DOCUMENT_{name}" in output
    assert value.strip() in output
    assert "Traceback" not in output


@pytest.mark.parametrize("what", BAD_SECRETS)
def test_a_secret_that_cannot_be_used_is_named_and_not_shown(ended, what):
    code, output = ended[what]
    name, _ = BAD_SECRETS[what]

    assert code == 1, output
    assert f"OSIS_DOCUMENT_{name}" in output
    assert "hush-hush" not in output
    assert "Traceback" not in output


def expect_refused_start(process):
    """Waits for the end of a server that cannot start; returns what it printed."""
    assert process.wait(seconds=40) == 1, process.output()
    assert "Traceback" not in process.output()
    assert "is serving" not in process.output()
    return process.output()


def test_a_port_that_somebody_else_listens_on_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with ServerProcess(tmp_path / "late", LISTEN=address) as late:
            output = expect_refused_start(late)

    assert address in output
    assert "OSIS_DOCUMENT_LISTEN" in output
    assert not late.data.exists(), "a start that is refused leaves something behind"


@pytest.mark.one_database
def test_an_address_of_another_host_is_named(tmp_path):
    with ServerProcess(tmp_path / "server", LISTEN="192.0.2.1:50051", ALLOW_PLAINTEXT="true") as server:
        output = expect_refused_start(server)

    assert "192.0.2.1:50051: it is not this host's" in output
    assert not server.data.exists()


@pytest.mark.one_database
def test_two_servers_do_not_share_a_socket_file_and_one_that_is_left_behind_is_no_hindrance(tmp_path):
    with TemporaryDirectory() as folder:  # a short path, as those of sockets have to be
        address = f"unix:{folder}/server.sock"
        with serving(tmp_path / "first", LISTEN=address) as first:
            document = store(first.stubs(), b"content")
            with ServerProcess(tmp_path / "second", LISTEN=address) as second:
                assert f"cannot listen on {address}: another program does" in expect_refused_start(second)
            assert download(first.stubs(), token_for(first.stubs(), document.id)).data == b"content"
            first.kill()

        with serving(tmp_path / "first", LISTEN=address) as again:
            assert download(again.stubs(), token_for(again.stubs(), document.id)).data == b"content"


@pytest.mark.one_database
def test_what_the_server_keeps_is_for_its_own_user_alone(tmp_path):
    with serving(tmp_path / "server") as server:
        content = b"personal data"
        store(server.stubs(), content)
        private = [server.data, *server.data.rglob("*")]

        assert {"osis-document.db-wal", "osis-document.db.lock", "server.lock", "blobs", "spool"} <= {
            path.name for path in private
        }
        assert [str(path) for path in private if path.stat().st_mode & 0o077] == []
        assert server.blob_file_of(content).stat().st_mode & 0o077 == 0
        server.stop()
    opened = [server.data / name for name in ("osis-document.db", "osis-document.db.lock", "server.lock")]
    for path in opened:
        path.chmod(0o644)

    with serving(tmp_path / "server") as server:
        assert [path.name for path in opened if path.stat().st_mode & 0o077] == []


@pytest.mark.one_database
def test_a_misspelt_variable_is_told_with_the_one_that_may_be_meant(tmp_path):
    others = {"OSIS_DOCUMENT_TARGET": "x:1", "OSIS_DOCUMENT_WORKER_SLOTS": "3", "OSIS_DOCUMENT_DOMAIN_LIST": "x"}
    with serving(tmp_path / "server", MAX_UPLOD_SIZE="5", LOG_FORMAT="json", WHATEVER_ELSE="1", environment=others) as server:
        told = {line["variable"]: line.get("meant") for line in lines(server, "a variable is set that nobody reads")}

    assert told == {
        "OSIS_DOCUMENT_MAX_UPLOD_SIZE": "OSIS_DOCUMENT_MAX_UPLOAD_SIZE",
        "OSIS_DOCUMENT_WHATEVER_ELSE": None,
    }


@pytest.mark.one_database
def test_servers_that_start_together_get_the_same_keys(tmp_path, redis_server):
    unset = {"API_SHARED_SECRET": "", "TOKEN_SIGNING_KEYS": "", "DATA_DIR": str(tmp_path / "shared")}
    settings = unset | {"BROKER_URL": redis_server.url(11)}
    with ExitStack() as stack:
        servers = [stack.enter_context(ServerProcess(tmp_path / str(number), **settings)) for number in range(3)]
        key = json.loads((tmp_path / "shared" / "keys.json").read_text())["client"] if servers[0].target else ""
        token = token_for(servers[0].stubs(key=key), store(servers[0].stubs(key=key), b"content").id)

        assert [download(server.stubs(None), token).data for server in servers] == [b"content"] * 3


def test_two_servers_do_not_share_a_port(tmp_path):
    address = f"127.0.0.1:{free_port()}"
    with serving(tmp_path / "first", LISTEN=address), ServerProcess(tmp_path / "second", LISTEN=address) as second:
        assert address in expect_refused_start(second)


def test_two_servers_do_not_share_a_data_folder(tmp_path):
    with serving(tmp_path / "shared") as first:
        with ServerProcess(tmp_path / "shared") as second:
            output = expect_refused_start(second)

        assert "OSIS_DOCUMENT_DATA_DIR" in output
        assert str(first.data) in output
        assert first.client_file() == {"target": first.target, "api_key": "alpha-secret"}


def test_a_data_folder_is_free_again_after_its_server_was_killed(tmp_path):
    with ServerProcess(tmp_path / "server") as first:
        assert first.target
        first.kill()

    with serving(tmp_path / "server") as second:
        assert second.client_file() == {"target": second.target, "api_key": "alpha-secret"}


def test_without_any_setting_keys_are_made_once_for_their_owner_alone_and_tokens_outlive_a_restart(tmp_path):
    unset = {"API_SHARED_SECRET": "", "TOKEN_SIGNING_KEYS": ""}
    with serving(tmp_path / "server", **unset) as server:
        key = server.client_file()["api_key"]
        modes = {path.name: path.stat().st_mode & 0o077 for path in server.data.glob("*.json")}
        stubs = server.stubs(key=key)
        token = token_for(stubs, store(stubs, b"content").id)

    with serving(tmp_path / "server", **unset) as server:
        assert server.client_file()["api_key"] == key
        assert download(server.stubs(None), token).data == b"content"

    assert len(key) >= 32
    assert modes == {"client.json": 0, "keys.json": 0}


def start_worker(folder, **settings):
    return LoggedProcess(
        "worker",
        console_script("osis-document-worker", "osis_document_workers.cli"),
        environment=clean_environment(settings),
        log=folder / "worker.log",
    )


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        pytest.param({"TARGET": "127.0.0.1:1", "API_KEY": "x"}, "OSIS_DOCUMENT_BROKER_URL", id="no-broker"),
        pytest.param({"BROKER_URL": "redis://127.0.0.1:1/0", "API_KEY": "x"}, "OSIS_DOCUMENT_TARGET", id="no-target"),
        pytest.param(
            {"TARGET": "127.0.0.1:1", "API_KEY": "x", "BROKER_URL": "memory://"}, "OSIS_DOCUMENT_BROKER_URL", id="memory-broker"
        ),
    ],
)
def test_a_worker_without_what_it_needs_says_what_to_set(tmp_path, settings, named):
    with start_worker(tmp_path, **settings) as worker:
        assert worker.wait(seconds=30) != 0

    assert named in worker.output()
    assert "Traceback" not in worker.output()


@pytest.mark.needs_redis
def test_a_worker_without_work_ends_at_once(redis_server, server, tmp_path):
    with WorkerProcess(tmp_path, server, broker_url=redis_server.url(6)) as worker:
        assert worker.stop(seconds=10) == 0
