"""What whoever runs a worker sees of it: its health, its numbers and its log."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support import files, jobs
from tests.support.log_lines import lines
from tests.support.ports import free_port
from tests.support.processes import clean_environment, console_script
from tests.support.redis_server import RedisProcess
from tests.support.server import KEYS, ServerProcess, serving
from tests.support.uploads import store
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess

pytestmark = [pytest.mark.needs_redis, pytest.mark.one_database, pytest.mark.slow]

COMMAND = console_script("osis-document-worker", "osis_document_workers.cli")


@dataclass(frozen=True)
class Host:
    """A host for workers, with the environment that they and their overseers have."""

    folder: Path
    server: ServerProcess
    broker_url: str

    @property
    def environment(self) -> dict[str, str]:
        """What the worker's own environment is, too."""
        settings = {"TARGET": self.server.target, "API_KEY": KEYS["worker"], "BROKER_URL": self.broker_url}
        return clean_environment(settings | {"WORKER_SCRATCH": str(self.folder / "worker-scratch")})

    @contextmanager
    def working(self, **settings: str) -> Iterator[WorkerProcess]:
        """Runs a worker until the end of the block."""
        more = {f"OSIS_DOCUMENT_{name}": value for name, value in settings.items()}
        with WorkerProcess(self.folder, self.server, broker_url=self.broker_url, environment=more) as worker:
            yield worker

    def health(self, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Asks for the health of this host's worker."""
        environment = self.environment | {f"OSIS_DOCUMENT_{name}": value for name, value in settings.items()}
        return subprocess.run([*COMMAND, "health", *options], env=environment, capture_output=True, text=True, timeout=60)


def expect_ill(answer: subprocess.CompletedProcess[str], *words: str) -> None:
    """Asserts that a check found something wrong, and said so in one line with these words."""
    assert answer.returncode == 1, answer
    [line] = answer.stderr.splitlines()
    assert all(word in line for word in words), line
    assert KEYS["worker"] not in line


@pytest.fixture(scope="module")
def server(database, redis_server, tmp_path_factory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("operated"), BROKER_URL=redis_server.url(6), SWEEP_SECONDS="0.3") as running:
        yield running


@pytest.fixture
def host(server, redis_server, tmp_path) -> Host:
    (tmp_path / "worker-scratch").mkdir()
    return Host(folder=tmp_path, server=server, broker_url=redis_server.url(6))


@pytest.fixture
def client(server):
    return server.stubs()


def converted(client, content: bytes, name: str):
    """The job of a conversion, at its end."""
    return jobs.finish(client, jobs.start(client, [store(client, content, name).id], jobs.CONVERT).id)


def damaged_png() -> bytes:
    """A picture of which the end is missing."""
    whole = files.png(400)
    return whole[: len(whole) // 2]


def test_a_worker_is_healthy_from_its_start_to_its_end(host):
    expect_ill(host.health(), "no worker of this user runs here", "start osis-document-worker")

    with host.working():
        answer = wait_until(lambda: (found := host.health()).returncode == 0 and found, "it is healthy", seconds=60)
        assert answer.stderr == ""
        assert answer.stdout == "osis-document-worker: 1 worker is alive; Redis and the service answer\n"

    expect_ill(host.health(), "no worker of this user runs here")


def test_a_worker_that_was_killed_is_missed(host):
    with host.working() as worker:
        worker.kill()

        expect_ill(host.health("--alive"), "no worker of this user runs here")


def test_a_worker_that_hangs_is_told_by_its_process_id_until_it_goes_on(host):
    with host.working() as worker:
        os.kill(worker.pid, signal.SIGSTOP)
        try:
            answer = wait_until(
                lambda: (found := host.health("--alive", "--max-age", "2")).returncode and found, "it is found", seconds=30
            )
            expect_ill(answer, f"process id {worker.pid} ", "has not looked at its queues", f"kill -9 {worker.pid}")
        finally:
            os.kill(worker.pid, signal.SIGCONT)
        wait_until(lambda: host.health("--alive", "--max-age", "2").returncode == 0, "it is alive again", seconds=30)


def test_one_of_two_workers_that_hangs_is_found(host):
    with host.working(), WorkerProcess(host.folder, host.server, broker_url=host.broker_url) as other:
        assert "2 workers are alive" in host.health("--alive").stdout
        os.kill(other.pid, signal.SIGSTOP)
        try:
            wait_until(lambda: host.health("--alive", "--max-age", "2").returncode == 1, "it is found", seconds=30)
        finally:
            os.kill(other.pid, signal.SIGCONT)


def test_without_redis_a_worker_is_alive_and_not_healthy(host, tmp_path):
    with RedisProcess(tmp_path / "redis") as queue:
        own = Host(folder=host.folder, server=host.server, broker_url=queue.url())
        with own.working() as worker:
            queue.kill()
            killed = time.time()
            expect_ill(own.health(), "the queue does not answer", "OSIS_DOCUMENT_BROKER_URL")
            [sign_of_life] = worker.scratch.glob("*/heartbeat")
            wait_until(lambda: sign_of_life.stat().st_mtime > killed + 5, "it goes on looking", seconds=60)
            assert own.health("--alive").returncode == 0


def test_without_the_service_a_worker_is_alive_and_not_healthy(host):
    with host.working():
        nobody = f"127.0.0.1:{free_port()}"

        expect_ill(host.health(TARGET=nobody), "the service cannot be asked for work", nobody)
        assert host.health("--alive", TARGET=nobody).returncode == 0


def test_a_key_that_is_no_workers_is_told(host):
    with host.working():
        expect_ill(host.health(API_KEY=KEYS["alpha"]), "the service cannot be asked for work", "worker")


def test_a_health_check_without_settings_says_which_are_missing(host):
    answer = subprocess.run([*COMMAND, "health"], env=clean_environment({}), capture_output=True, text=True, timeout=60)

    expect_ill(answer, "OSIS_DOCUMENT_BROKER_URL is not set")


@contextmanager
def measured(host: Host) -> Iterator[str]:
    """The address of the numbers of a worker that runs until the end of the block."""
    with host.working(WORKER_METRICS="127.0.0.1:0") as worker:
        yield worker.wait_for_output(r"answers Prometheus at (http://127\.0\.0\.1:\d+/metrics)").group(1)


def numbers(address: str) -> dict[str, float]:
    """Every number, by its name with its labels."""
    with urlopen(address, timeout=10) as answer:
        lines = answer.read().decode("utf-8").splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}


def ended(task_type: str, outcome: str, reason: str = "") -> str:
    """The name of the number of tasks that ended in one way."""
    return f'osis_document_worker_tasks_total{{outcome="{outcome}",reason="{reason}",type="{task_type}"}}'


def test_numbers_tell_what_was_done_what_failed_and_how_long_it_took(host, client):
    with measured(host) as address:
        assert numbers(address)[ended("convert", "done")] == 0

        assert converted(client, files.png(), "image.png").state == jobs.DONE
        assert converted(client, damaged_png(), "image.png").state == jobs.FAILED

        failed = ended("convert", "failed", "DOCUMENT_UNREADABLE")
        found = wait_until(lambda: (now := numbers(address)).get(failed) and now, "the failed task is counted")
    assert found[failed] == 1
    assert found[ended("convert", "done")] == 1
    assert found[ended("merge", "done")] == 0
    assert found['osis_document_worker_tasks_in_progress{type="convert"}'] == 0
    assert found['osis_document_worker_task_seconds_count{type="convert"}'] == 2
    assert 0 < found['osis_document_worker_task_seconds_sum{type="convert"}'] < 60
    assert found['osis_document_worker_queue_seconds_count{queue="convert"}'] >= 2
    assert found["process_resident_memory_bytes"] > 0


def test_numbers_name_no_document_no_task_and_no_key(host, client):
    with measured(host) as address:
        job = converted(client, files.png(), "a-very-own-name.png")
        with urlopen(address, timeout=10) as answer:
            told = answer.read().decode("utf-8")

    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", told)
    assert not any(word in told for word in ("a-very-own-name", job.id, *KEYS.values()))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://:hidden@127.0.0.1:{port}/0", ["the queue does not answer", "Start Redis", "OSIS_DOCUMENT_BROKER_URL"]),
        ("amqp://me:hidden@127.0.0.1:{port}", ["OSIS_DOCUMENT_BROKER_URL=amqp://me:…@127.0.0.1", "redis://host:6379/0"]),
        ("redis://me:hid/hidden@127.0.0.1:{port}/0", ["OSIS_DOCUMENT_BROKER_URL=redis://me:…@127.0.0.1", "%2F"]),
    ],
)
def test_a_queue_that_is_none_keeps_the_worker_from_starting(host, url, words):
    environment = host.environment | {"OSIS_DOCUMENT_BROKER_URL": url.format(port=free_port())}
    ended = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 2
    assert all(word in ended.stderr for word in words), ended.stderr
    assert "hidden" not in ended.stderr


def test_numbers_that_cannot_be_served_keep_the_worker_from_starting(host):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        environment = host.environment | {"OSIS_DOCUMENT_WORKER_METRICS": address}
        answer = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, timeout=60)

    assert answer.returncode == 2
    assert f"OSIS_DOCUMENT_WORKER_METRICS={address}: Address already in use" in answer.stderr
    assert list((host.folder / "worker-scratch").iterdir()) == []


def test_each_task_is_one_line_with_its_job_and_its_documents(host, client):
    with host.working(LOG_FORMAT="json") as worker:
        done, failed = converted(client, files.png(), "image.png"), converted(client, damaged_png(), "torn.png")
        told = wait_until(lambda: len(found := lines(worker, "task")) == 2 and found, "both are logged")

    for line in told:
        assert 0 < line.pop("seconds") < 60
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line.pop("timestamp"))
    assert told[0] == {
        "event": "task",
        "level": "info",
        "task_id": jobs.task_ids(done)[0],
        "job_id": done.id,
        "type": "convert",
        "attempt": 1,
        "documents": 1,
        "document_ids": list(done.input_document_ids),
        "outcome": "done",
        "output_id": jobs.outputs(done)[0],
    }
    assert (told[1]["job_id"], told[1]["document_ids"]) == (failed.id, list(failed.input_document_ids))
    assert (told[1]["outcome"], told[1]["reason"]) == ("failed", "DOCUMENT_UNREADABLE")
    assert "torn.png" in told[1]["message"]


def test_the_log_says_no_token_and_no_key(host, client):
    with host.working(LOG_FORMAT="json") as worker:
        converted(client, files.png(), "image.png")
        converted(client, damaged_png(), "torn.png")
        wait_until(lambda: len(lines(worker, "task")) == 2, "both are logged")
        told = worker.output()

    assert not any(key in told for key in KEYS.values())
    assert "eyJ" not in told  # how every token begins


def test_what_an_engine_says_tells_which_task_it_belongs_to(host, client):
    with host.working(LOG_FORMAT="json") as worker:
        job = converted(client, damaged_png(), "torn.png")
        wait_until(lambda: lines(worker, "task"), "it is logged")
        [said] = [line for line in lines(worker) if line["event"].startswith("convert failed: ")]

    assert (said["task_id"], said["job_id"]) == (jobs.task_ids(job)[0], job.id)


def test_a_fault_on_the_way_is_logged_in_json_too(host):
    with RedisProcess(host.folder / "redis") as queue:
        own = Host(folder=host.folder, server=host.server, broker_url=queue.url())
        with own.working(LOG_FORMAT="json") as worker:
            queue.kill()
            worker.wait_for_output("connection error")
            told = [line for line in worker.output().splitlines() if "connection error" in line]

    assert all(json.loads(line)["level"] == "critical" for line in told)
