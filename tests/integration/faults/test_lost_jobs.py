"""Processes that die, queues that forget: every job finishes all the same, once."""

from pathlib import Path
from threading import Event

import dramatiq
import psutil
import pytest
from dramatiq.brokers.redis import RedisBroker

from tests.support import files, jobs
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.ports import free_port
from tests.support.redis_server import RedisProcess
from tests.support.server import ServerProcess, serving
from tests.support.uploads import messages, spec, store, token_for, upload
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess

pytestmark = pytest.mark.slow

#: A text that keeps a converter busy for some seconds.
LONG_TEXT = "\n".join(f"Line {number} of a long text, with some words in it." for number in range(8_000)).encode()

#: Everything that waits for time waits for little, so that a test need not.
QUICK = {"SWEEP_SECONDS": "0.3", "LEASE_SECONDS": "2", "RESEND_SECONDS": "1"}


def only_output(server, stubs, job):
    """The one document that a job of one task made; nothing else was left behind."""
    assert job.state == jobs.DONE, job.failure
    assert job.tasks_done == job.tasks_total
    [output] = jobs.outputs(job)
    wait_until(lambda: len(server.blob_files()) == 2, "the blobs are the input and the output", seconds=5)
    return get(stubs, output)


def engines_of(process):
    """The processes that work for it."""
    return psutil.Process(process.pid).children(recursive=True)


def is_alive(process):
    """False once it has ended, whether or not the system has buried it yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.needs_libreoffice
def test_a_job_whose_server_was_killed_is_finished_once_after_the_next_start(tmp_path):
    with ServerProcess(tmp_path / "server", LEASE_SECONDS="30") as server:
        stubs = server.stubs()
        job = jobs.start(stubs, [store(stubs, LONG_TEXT, "long.txt").id], jobs.CONVERT)
        jobs.wait_for_running(stubs, job.id)
        wait_until(lambda: engines_of(server), "the conversion has begun", seconds=20)
        engines = engines_of(server)
        server.kill()
        _, alive = psutil.wait_procs(engines, timeout=10)
        assert alive == [], "engines outlive their server"

    with serving(tmp_path / "server", LEASE_SECONDS="30") as server:
        stubs = server.stubs()
        ended = jobs.finish(stubs, job.id, seconds=60)

        assert only_output(server, stubs, ended).name == "long.pdf"


def test_documents_that_were_answered_are_there_after_the_server_was_killed(tmp_path):
    content = files.pdf_of_size(2_500_000)
    with ServerProcess(tmp_path / "server") as server:
        stubs = server.stubs()
        confirmed = store(stubs, content, "scan.pdf")
        waiting = upload(stubs, b"waits to be confirmed")
        token = token_for(stubs, confirmed.id)
        server.kill()

    with serving(tmp_path / "server") as server:
        stubs = server.stubs()

        assert get(stubs, confirmed.id) == confirmed
        assert download(stubs, token).data == content
        assert download(stubs, waiting.write_token).data == b"waits to be confirmed"


def test_what_an_upload_left_when_its_server_was_killed_is_no_document_and_is_removed(tmp_path):
    never, folder = Event(), tmp_path / "server"
    with ServerProcess(folder) as server:

        def send():
            yield from messages(spec("scan.pdf"), files.pdf_of_size(3_000_000), finish=False)
            never.wait(30)

        call = server.stubs().uploads.WriteUpload.future(send())
        wait_until(lambda: server.blob_files(), "bytes have arrived")
        server.kill()
        never.set()
        assert call.exception() is not None

    with serving(folder, TEMP_UPLOAD_MAX_AGE="1", SWEEP_SECONDS="0.2") as server:
        wait_until(lambda: server.blob_files() == {}, "nothing stays")
        assert server.rows("document") == []


@pytest.fixture
def own_redis(tmp_path):
    with RedisProcess(tmp_path / "redis") as running:
        yield running


@pytest.fixture
def queueing(own_redis, tmp_path):
    """A server with a Redis of its own that a test may harm, and no worker yet."""
    with serving(tmp_path / "server", BROKER_URL=own_redis.url(), **QUICK) as running:
        yield running


@pytest.fixture
def new_worker(own_redis, queueing, tmp_path):
    """Starts workers."""
    started = []

    def start(*, slots: int = 1) -> WorkerProcess:
        name = f"worker-{len(started)}"
        started.append(WorkerProcess(tmp_path, queueing, broker_url=own_redis.url(), slots=slots, name=name))
        return started[-1]

    yield start
    for worker in started:
        worker.end()


@pytest.fixture
def quick_job(queueing):
    """A job that takes no time once a worker is there."""
    stubs = queueing.stubs()
    return jobs.start(stubs, [store(stubs, files.pdf("one"), "one.pdf").id], jobs.MERGE)


@pytest.fixture
def long_job(queueing):
    """A job that takes some seconds once a worker is there."""
    stubs = queueing.stubs()
    return jobs.start(stubs, [store(stubs, LONG_TEXT, "long.txt").id], jobs.CONVERT)


@pytest.mark.needs_redis
@pytest.mark.needs_libreoffice
def test_a_job_whose_worker_was_killed_is_finished_by_another(queueing, new_worker, long_job):
    stubs, first = queueing.stubs(), new_worker()
    jobs.wait_for_running(stubs, long_job.id)
    wait_until(lambda: engines_of(first), "the conversion has begun", seconds=20)
    engines = engines_of(first)
    first.kill()
    _, alive = psutil.wait_procs(engines, timeout=10)
    assert alive == [], "engines outlive their worker"

    new_worker()
    ended = jobs.finish(stubs, long_job.id, seconds=60)

    assert only_output(queueing, stubs, ended).name == "long.pdf"


@pytest.mark.needs_redis
@pytest.mark.needs_libreoffice
def test_a_worker_that_is_told_to_stop_gives_its_task_back_and_ends_in_time(own_redis, tmp_path):
    with serving(tmp_path / "server", BROKER_URL=own_redis.url(), SWEEP_SECONDS="0.3") as server:
        stubs = server.stubs()
        job = jobs.start(stubs, [store(stubs, LONG_TEXT, "long.txt").id], jobs.CONVERT)
        with WorkerProcess(tmp_path, server, broker_url=own_redis.url(), name="first") as first:
            jobs.wait_for_running(stubs, job.id)
            wait_until(lambda: engines_of(first), "the conversion has begun", seconds=20)
            engines = engines_of(first)

            assert first.stop(seconds=15) == 0
            assert [engine for engine in engines if is_alive(engine)] == []
            assert jobs.job_of(stubs, job.id).state in {jobs.PENDING, jobs.RUNNING}
            assert list(Path(first.scratch).iterdir()) == []

        # Leases last 30 seconds here, and messages are sent again after two minutes: what is quicker was given back.
        with WorkerProcess(tmp_path, server, broker_url=own_redis.url(), name="second"):
            ended = jobs.finish(stubs, job.id, seconds=25)

        assert only_output(server, stubs, ended).name == "long.pdf"


@pytest.mark.needs_redis
def test_a_job_whose_message_was_lost_is_done_all_the_same(own_redis, queueing, new_worker, quick_job):
    with own_redis.connection() as connection:
        connection.flushall()

    new_worker()
    stubs = queueing.stubs()

    assert only_output(queueing, stubs, jobs.finish(stubs, quick_job.id, seconds=30)).name == "merged.pdf"


@pytest.mark.needs_redis
def test_a_queue_that_is_emptied_under_a_working_worker_loses_nothing(own_redis, queueing, new_worker):
    stubs = queueing.stubs()
    new_worker(slots=2)
    source = store(stubs, files.pdf("one"), "one.pdf").id
    started = [jobs.start(stubs, [source], jobs.MERGE).id for _ in range(8)]
    with own_redis.connection() as connection:
        connection.flushall()

    ended = [jobs.finish(stubs, job_id, seconds=40) for job_id in started]

    assert [job.state for job in ended] == [jobs.DONE] * 8
    assert len({output for job in ended for output in jobs.outputs(job)}) == 8


@pytest.mark.needs_redis
def test_a_job_is_accepted_while_redis_is_down_and_done_once_it_is_back(own_redis, queueing, new_worker, tmp_path):
    stubs = queueing.stubs()
    new_worker()
    source = store(stubs, files.pdf("one"), "one.pdf").id
    own_redis.kill()

    job = jobs.start(stubs, [source], jobs.MERGE)
    assert job.state == jobs.PENDING

    with RedisProcess(tmp_path / "redis", port=own_redis.port):
        ended = jobs.finish(stubs, job.id, seconds=60)

        assert only_output(queueing, stubs, ended).name == "merged.pdf"


@pytest.mark.needs_redis
def test_a_task_whose_message_arrives_many_times_is_done_once(own_redis, queueing, new_worker, quick_job):
    [task_id] = jobs.task_ids(quick_job)
    broker = RedisBroker(url=own_redis.url(), middleware=[])
    broker.declare_queue("merge")
    for _ in range(5):
        broker.enqueue(dramatiq.Message(queue_name="merge", actor_name="merge", args=(task_id,), kwargs={}, options={}))
    broker.close()

    worker = new_worker(slots=4)
    stubs = queueing.stubs()
    ended = jobs.finish(stubs, quick_job.id, seconds=30)
    with own_redis.connection() as connection:
        wait_until(lambda: connection.llen("dramatiq:merge") == 0, "all messages are taken")
    assert worker.stop() == 0

    assert only_output(queueing, stubs, ended).name == "merged.pdf"
    assert jobs.job_of(stubs, quick_job.id) == ended


@pytest.mark.needs_redis
def test_a_message_that_names_no_task_does_no_harm(own_redis, queueing, new_worker, quick_job):
    broker = RedisBroker(url=own_redis.url(), middleware=[])
    broker.declare_queue("merge")
    for task_id in ("", "no uuid", "../../etc/passwd", "00000000-0000-0000-0000-000000000000"):
        broker.enqueue(dramatiq.Message(queue_name="merge", actor_name="merge", args=(task_id,), kwargs={}, options={}))
    broker.close()

    new_worker()
    stubs = queueing.stubs()

    assert jobs.finish(stubs, quick_job.id, seconds=30).state == jobs.DONE


@pytest.mark.needs_redis
def test_a_job_whose_server_was_killed_goes_on_with_its_worker_after_the_next_start(own_redis, tmp_path):
    listen = f"127.0.0.1:{free_port()}"
    settings = QUICK | {"BROKER_URL": own_redis.url(), "LISTEN": listen}
    with ServerProcess(tmp_path / "server", **settings) as server:
        stubs = server.stubs()
        job = jobs.start(stubs, [store(stubs, files.pdf("one"), "one.pdf").id], jobs.MERGE)
        server.kill()
        with WorkerProcess(tmp_path, server, broker_url=own_redis.url()), serving(tmp_path / "server", **settings) as again:
            stubs = again.stubs()

            assert only_output(again, stubs, jobs.finish(stubs, job.id, seconds=40)).name == "merged.pdf"
