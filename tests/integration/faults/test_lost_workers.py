"""Workers that die: what brings them down is given up, and everything else is done, in order, by those that are left."""

import io

import pypdf
import pytest

from osis.document.v1.error_reason_pb2 import ErrorReason
from tests.support import files, jobs
from tests.support.documents import get
from tests.support.downloads import content_of
from tests.support.log_lines import lines
from tests.support.redis_server import RedisProcess
from tests.support.server import serving
from tests.support.uploads import store, store_all
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess

pytestmark = [pytest.mark.slow, pytest.mark.needs_redis, pytest.mark.needs_libreoffice]

#: Keeps a converter busy for long enough to be met at it.
LONG_TEXT = "\n".join(f"Line {number} of a long text, with some words in it." for number in range(20_000)).encode()

QUICK = {"SWEEP_SECONDS": "0.3", "LEASE_SECONDS": "2", "RESEND_SECONDS": "1", "LOG_FORMAT": "json"}
DOCUMENTS = 200
#: So many are done when one of the workers dies.
DONE_BEFORE = 40


@pytest.fixture
def redis(tmp_path):
    with RedisProcess(tmp_path / "redis") as running:
        yield running


@pytest.fixture
def server(tmp_path, redis):
    """A server without a worker."""
    with serving(tmp_path / "server", BROKER_URL=redis.url(), **QUICK) as running:
        yield running


def test_a_document_that_brings_its_workers_down_is_given_up_after_three(server, redis, tmp_path):
    stubs = server.stubs()
    poison = store(stubs, LONG_TEXT, "poison.txt").id
    job = jobs.start(stubs, [poison], jobs.CONVERT)

    for attempt in (1, 2, 3):
        with WorkerProcess(tmp_path, server, broker_url=redis.url(), name=f"worker-{attempt}") as worker:
            wait_until(lambda begun=attempt: server.rows("task")[0]["attempt"] == begun, "it has begun", seconds=20)
            worker.kill()

    ended = jobs.finish(stubs, job.id)
    assert (ended.state, ended.failure.document_id) == (jobs.FAILED, poison)
    assert ended.failure.reason == ErrorReason.ERROR_REASON_ATTEMPTS_EXHAUSTED
    with WorkerProcess(tmp_path, server, broker_url=redis.url(), name="survivor"):
        other = jobs.start(stubs, [store(stubs, b"harmless").id], jobs.CONVERT)
        assert jobs.finish(stubs, other.id).state == jobs.DONE, "a worker that comes later is not brought down"
    claims = [line for line in lines(server, "call") if line["method"] == "WorkerService/ClaimTask" and line["sent_bytes"]]
    assert len(claims) == 3 + 1


@pytest.mark.one_database
@pytest.mark.timeout(400)
def test_two_hundred_documents_are_converted_in_order_though_one_of_two_workers_is_killed(server, redis, tmp_path):
    stubs = server.stubs()
    sources = store_all(stubs, [(f"{number}.txt", f"number {number}".encode()) for number in range(DOCUMENTS)])
    job = jobs.start(stubs, sources, jobs.CONVERT)

    with (
        WorkerProcess(tmp_path, server, broker_url=redis.url(), name="left", slots=2),
        WorkerProcess(tmp_path, server, broker_url=redis.url(), name="killed", slots=2) as killed,
    ):
        for state in jobs.watch(stubs, job.id, seconds=240):
            if state.tasks_done >= DONE_BEFORE:
                break
        assert state.tasks_done < DOCUMENTS, "too quick for this test"
        killed.kill()
        ended = jobs.finish(stubs, job.id, seconds=240)

    assert ended.state == jobs.DONE, ended.failure
    assert [list(record.input_document_ids) for record in ended.actions[0].records] == [[source] for source in sources]
    outputs = jobs.outputs(ended)
    assert len(set(outputs)) == DOCUMENTS
    assert [get(stubs, output).name for output in outputs] == [f"{number}.pdf" for number in range(DOCUMENTS)]
    texts = [pypdf.PdfReader(io.BytesIO(content_of(stubs, output))).pages[0].extract_text() for output in outputs]
    assert [text.strip() for text in texts] == [f"number {number}" for number in range(DOCUMENTS)]


def test_a_merge_goes_on_with_another_worker(server, redis, tmp_path):
    stubs = server.stubs()
    sources = store_all(stubs, [(f"{name}.txt", LONG_TEXT) for name in "ab"] + [("c.pdf", files.pdf("c"))])
    job = jobs.start(stubs, sources, jobs.CONVERT, jobs.MERGE)
    with WorkerProcess(tmp_path, server, broker_url=redis.url(), name="killed", slots=2) as killed:
        jobs.wait_for_running(stubs, job.id)
        killed.kill()

    with WorkerProcess(tmp_path, server, broker_url=redis.url(), name="left", slots=2):
        ended = jobs.finish(stubs, job.id, seconds=120)

    assert ended.state == jobs.DONE, ended.failure
    [record] = ended.actions[1].records
    [merged] = record.output_document_ids
    pages = pypdf.PdfReader(io.BytesIO(content_of(stubs, merged))).pages
    assert pages[-1].extract_text().strip() == "c"
    assert "Line 0 of" in pages[0].extract_text()
