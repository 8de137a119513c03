"""Starts that cannot be: one clear message that says what to change, and exit code 1."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.downloads import download
from tests.support.processes import LoggedProcess, clean_environment, console_script
from tests.support.redis_server import free_port
from tests.support.server import ServerProcess, serving
from tests.support.uploads import store, token_for
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess

pytestmark = pytest.mark.one_database

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
    "a magic file that is not there": ("MAGIC_FILE", "/nonexistent/magic.mgc"),
    "a data folder that cannot be made": ("DATA_DIR", "/proc/nowhere"),
}

BAD_SECRETS = {
    "a role that does not exist": ("API_SHARED_SECRET", "alpha:hush-hush:boss"),
    "a key of four parts": ("API_SHARED_SECRET", "a:hush-hush:client:x"),
    "a key without a secret": ("API_SHARED_SECRET", "alpha:"),
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
    assert late.client_file() is None


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
