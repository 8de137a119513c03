"""Root on a host that permits nothing better than engines as root: no bubblewrap, and a folder that `nobody` cannot reach."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import files, jobs
from tests.support.processes import clean_environment, console_script
from tests.support.server import KEYS, ServerProcess, serving
from tests.support.uploads import store
from tests.support.worker import WorkerProcess

pytestmark = [
    pytest.mark.one_database,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can run engines as root"),
]


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment there: no program is found in PATH, and pytest's folders are closed to others."""
    return {"PATH": str(tmp_path), "TMPDIR": str(tmp_path)}


def converted(server: ServerProcess) -> bool:
    client = server.stubs()
    job = jobs.finish(client, jobs.start(client, [store(client, files.png(20), "picture.png").id], jobs.CONVERT).id)
    return job.state == jobs.DONE


def run(command: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def expect_refusal(ended: "subprocess.CompletedProcess[str]", *, status: int) -> None:
    assert ended.returncode == status, ended
    assert "engines, which read what users upload, would run as root" in ended.stderr
    assert "OSIS_DOCUMENT_ALLOW_ROOT_ENGINES=true" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.needs_redis
def test_a_worker_refuses_to_run_engines_as_root_until_that_is_allowed(redis_server, database, tmp_path, bare):
    with serving(tmp_path / "server", BROKER_URL=redis_server.url(7)) as server:
        with WorkerProcess(tmp_path, server, broker_url=redis_server.url(7), environment=bare) as worker:
            assert converted(server)
            worker.wait_for_output("engines run as root")
        settings = {"TARGET": server.target, "API_KEY": KEYS["worker"], "BROKER_URL": redis_server.url(7)}
        ended = run(console_script("osis-document-worker", "osis_document_workers.cli"), clean_environment(settings) | bare)

    expect_refusal(ended, status=2)
    assert list(tmp_path.glob("osis-document-worker-*")) == []


def test_a_server_that_others_reach_refuses_to_run_engines_as_root(tmp_path, bare):
    settings = {"DATA_DIR": str(tmp_path / "data"), "LISTEN": "0.0.0.0:0", "ALLOW_PLAINTEXT": "true"}
    command = [*console_script("osis-document-server", "osis_document_server.cli"), "serve"]
    ended = run(command, clean_environment(settings) | bare)

    expect_refusal(ended, status=1)


def test_a_server_on_this_host_alone_runs_engines_as_root_if_nothing_else_is_possible(database, tmp_path, bare):
    with serving(tmp_path / "server", environment=bare) as server:
        assert converted(server)
        server.wait_for_output("engines run as root")
