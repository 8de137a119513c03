"""Several processes on one address: they share the work, none is missed, and they live and die together."""

import io
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil
import pytest

from osis_document_client import Client, ClientConfig
from tests.support import files
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.log_lines import lines
from tests.support.ports import free_port
from tests.support.server import KEYS, ServerProcess, serving
from tests.support.slow_upload import SlowUpload
from tests.support.uploads import MEBIBYTE, messages, store
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.needs_redis, pytest.mark.slow]

#: Several processes take longer to start than one.
START_SECONDS = 180


@contextmanager
def several(folder, redis_server, *, processes):
    """A server of several processes, which lets calls under way take a minute to end."""
    settings = {"BROKER_URL": redis_server.url(9), "LOG_FORMAT": "json", "STOP_GRACE_SECONDS": "60"}
    with ServerProcess(folder, PROCESSES=str(processes), **settings) as running:
        running.wait_for_output("is serving on", seconds=START_SECONDS)
        yield running


@pytest.fixture(scope="module")
def shared(database, tmp_path_factory, redis_server):
    """A server of three processes; shared by all tests that leave it with three that serve."""
    with several(tmp_path_factory.mktemp("shared"), redis_server, processes=3) as running:
        yield running


@pytest.fixture
def server(tmp_path, redis_server):
    """A server of two processes, of the test's own."""
    with several(tmp_path / "server", redis_server, processes=2) as running:
        yield running


def children_of(server):
    """The processes that serve."""
    return psutil.Process(server.pid).children()


def wait_until_gone(processes):
    """Waits until processes have ended."""
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert alive == []


def wait_until_one_has_ended(processes):
    """Waits until those that have nothing to do have ended; the one with the upload has not."""
    wait_until(lambda: [process.is_running() for process in processes].count(True) == 1, "all but one have ended", seconds=30)


def test_all_of_them_answer_on_the_one_address(shared):
    content = files.pdf_of_size(MEBIBYTE)
    document = store(shared.stubs(), content, "scan.pdf")

    def all_have_answered():
        assert get(shared.stubs(), document.id) == document  # over a connection of its own
        return {line["process"] for line in lines(shared, "call")} == {1, 2, 3}

    wait_until(all_have_answered, "each of the three has answered", seconds=60)
    assert len(children_of(shared)) == 3
    assert shared.output().count("is serving on") == 1


def test_what_one_of_them_took_the_others_hand_out_and_resume(shared):
    content = files.pdf_of_size(3 * MEBIBYTE)
    upload = SlowUpload(shared, content)
    upload.call.cancel()
    upload.go_on.set()

    begun = shared.stubs().uploads.WriteUpload(messages(upload.spec, content[:-1], finish=False)).persisted_size
    finished = shared.stubs().uploads.WriteUpload(messages(upload.spec, content)).result

    assert begun == len(content) - 1
    for _ in range(6):
        assert download(shared.stubs(), finished.write_token).data == content


def test_nothing_acknowledged_is_lost_when_one_is_killed_and_it_comes_back(shared):
    contents = [files.pdf_of_size(4 * MEBIBYTE, seed=number) for number in range(12)]
    before, calls = {process.pid for process in children_of(shared)}, len(lines(shared, "call"))

    def send(content):
        with Client(ClientConfig(target=shared.target, api_key=KEYS["alpha"])) as client:
            return client.confirm([client.upload(io.BytesIO(content), name="scan.pdf")])[0]

    with ThreadPoolExecutor(6) as pool:
        uploads = [pool.submit(send, content) for content in contents]
        wait_until(lambda: len(lines(shared, "call")) > calls + 2, "uploads are under way", seconds=60)
        victim = lines(shared, "call")[-1]["process"]
        [pid] = [line["pid"] for line in lines(shared, "process started") if line["number"] == victim]
        os.kill(pid, signal.SIGKILL)
        documents = [upload.result(60) for upload in uploads]

    wait_until(lambda: len(lines(shared, "serving")) == 4, "the one that was killed serves again", seconds=60)
    [ended] = lines(shared, "process ended and is started again")
    assert (ended["number"], ended["pid"], ended["how"], ended["pause_seconds"]) == (victim, pid, "SIGKILL", 0.0)
    after = {process.pid for process in children_of(shared)}
    assert len(after) == 3
    assert len(after & before) == 2
    with shared.client() as client:
        for document, content in zip(documents, contents, strict=True):
            received = io.BytesIO()
            client.download(client.create_token(document.id).token.token, received)
            assert received.getvalue() == content


@pytest.mark.one_database
def test_one_that_dies_again_and_again_is_started_with_longer_and_longer_pauses(server):
    pauses = []
    for deaths in (1, 2, 3):
        started = wait_until(lambda: lines(server, "process started")[deaths:], "it is there", seconds=30)  # noqa: B023
        os.kill(started[-1]["pid"], signal.SIGKILL)
        ended = wait_until(lambda: lines(server, "process ended and is started again")[deaths - 1 :], "it is noticed")  # noqa: B023
        pauses.append(ended[-1]["pause_seconds"])

    assert pauses == [0.0, 1.0, 2.0]
    assert len({line["number"] for line in lines(server, "process ended and is started again")}) == 1


@pytest.mark.parametrize("to_all", [False, True], ids=["to-the-parent", "to-everybody"])
def test_a_sigterm_lets_uploads_end_whoever_gets_it(server, tmp_path, to_all):
    content = files.pdf_of_size(2 * MEBIBYTE)
    upload = SlowUpload(server, content)
    processes = children_of(server)

    for pid in [server.pid, *(process.pid for process in processes)] if to_all else [server.pid]:
        os.kill(pid, signal.SIGTERM)
    wait_until_one_has_ended(processes)
    upload.go_on.set()
    result = upload.call.result(30).result

    assert server.wait() == 0
    wait_until_gone(processes)
    with serving(tmp_path / "server") as again:
        assert download(again.stubs(), result.write_token).data == content


@pytest.mark.one_database
def test_a_second_sigterm_breaks_off_what_is_under_way(server):
    upload = SlowUpload(server, files.pdf_of_size(2 * MEBIBYTE))
    processes = children_of(server)
    server.terminate()
    wait_until_one_has_ended(processes)

    server.terminate()

    assert server.wait(seconds=30) == 0
    assert upload.call.exception(10) is not None
    upload.go_on.set()


@pytest.mark.one_database
def test_none_survives_its_parent(server):
    SlowUpload(server, files.pdf_of_size(2 * MEBIBYTE)).go_on.set()
    processes = children_of(server)
    assert len(processes) == 2

    server.kill()

    wait_until_gone(processes)


@pytest.mark.one_database
def test_an_address_that_somebody_listens_on_is_refused(tmp_path, redis_server):
    several_settings = {"PROCESSES": "2", "BROKER_URL": redis_server.url(9)}
    address = f"127.0.0.1:{free_port()}"
    with serving(tmp_path / "one", LISTEN=address), ServerProcess(tmp_path / "a", LISTEN=address, **several_settings) as late:
        assert late.wait() == 1
        assert address in late.output()
        assert "OSIS_DOCUMENT_LISTEN" in late.output()
        assert not late.data.exists()
    with ServerProcess(tmp_path / "two", LISTEN=address, **several_settings) as first:
        first.wait_for_output("is serving on", seconds=START_SECONDS)
        for number, settings in enumerate((several_settings, {})):
            with ServerProcess(tmp_path / f"b{number}", LISTEN=address, **settings) as late:
                assert late.wait() == 1
                assert "another program does" in late.output()
                assert not late.data.exists()


@pytest.mark.one_database
def test_a_setting_that_cannot_be_used_is_told_once(tmp_path):
    settings = {"BROKER_URL": "redis://127.0.0.1:1/0", "STORAGE_URL": "ftp://nowhere"}
    with ServerProcess(tmp_path / "server", PROCESSES="2", **settings) as server:
        assert server.wait() == 1

    assert server.output().count("OSIS_DOCUMENT_STORAGE_URL") == 1, server.output()
    assert "Traceback" not in server.output()


def test_processes_that_are_stopped_before_all_serve_are_not_announced(tmp_path, redis_server):
    with ServerProcess(tmp_path / "server", PROCESSES="2", BROKER_URL=redis_server.url(9)) as server:
        wait_until(lambda: len(children_of(server)) == 2, "both have been started", seconds=60)

        assert server.stop() == 0

        assert "is serving on" not in server.output()
