"""What a task reads, in one stream, and what a worker does when that breaks off."""

import hashlib
from contextlib import contextmanager
from itertools import count

import google_crc32c
import pytest

from osis.document.v1.document_service_pb2 import SaveEditRequest
from osis.document.v1.worker_service_pb2 import ReadInputsRequest
from osis_document_client import Client, ClientConfig, ContentChanged, DocumentCorrupt, LeaseLost
from osis_document_workers.inputs import fetch
from tests.support import changes, files, jobs
from tests.support.proxy import Cut, Proxy
from tests.support.refusals import expect_refusal
from tests.support.server import KEYS
from tests.support.tasks import claim, complete, give_back, upload_output
from tests.support.uploads import MEBIBYTE, new_id, store, token_for
from tests.support.waiting import wait_until

pytestmark = pytest.mark.needs_redis


SEEDS = count(1000)


@pytest.fixture(scope="module")
def client(queueing_server):
    return queueing_server.stubs()


@pytest.fixture(scope="module")
def worker(queueing_server):
    return queueing_server.stubs("worker")


@pytest.fixture
def contents():
    """Two small PDFs, and one of more than two blocks between them, that no other test has."""
    seed = next(SEEDS)
    return [files.pdf(f"first {seed}"), files.pdf_of_size(2 * MEBIBYTE + 7, seed=seed), files.pdf(f"last {seed}")]


@pytest.fixture
def documents(client, contents):
    return [store(client, content, f"page {number}.pdf") for number, content in enumerate(contents)]


@pytest.fixture
def task(client, worker, documents):
    """A merge of the first, the second, the first again and the third, leased."""
    first, second, third = [document.id for document in documents]
    job = jobs.start(client, [first, second, first, third], jobs.MERGE)
    claimed = claim(worker, jobs.task_ids(job)[0])
    yield claimed
    give_back(worker, claimed.lease_id)


def read_inputs(stubs, lease_id):
    return stubs.workers.ReadInputs(ReadInputsRequest(lease_id=lease_id))


def read_into(received, stubs, lease_id):
    """Keeps the bytes of each block, also where the stream is refused in the middle."""
    received.extend(block.data for message in read_inputs(stubs, lease_id) for block in message.blocks)


def test_each_document_comes_once_in_the_order_of_the_inputs_in_blocks_with_their_checksums(worker, task, documents, contents):
    messages = list(read_inputs(worker, task.lease_id))

    blocks = [block for message in messages for block in message.blocks]
    headers = [block.header for block in blocks if block.HasField("header")]
    assert [header.document for header in headers] == documents
    assert [(header.range.start, header.range.end) for header in headers] == [(0, len(content)) for content in contents]
    assert [header.sha256 for header in headers] == [hashlib.sha256(content).hexdigest() for content in contents]
    assert [block.HasField("header") for block in blocks] == [True, True, False, False, True]
    assert [len(block.data) for block in blocks] == [len(contents[0]), MEBIBYTE, MEBIBYTE, 7, len(contents[2])]
    assert [len(message.blocks) for message in messages] == [2, 1, 2]
    assert all(google_crc32c.value(block.data) == block.crc32c for block in blocks)
    assert b"".join(block.data for block in blocks) == b"".join(contents)


def test_under_a_lease_that_nobody_holds_nothing_is_read(worker):
    expect_refusal("LEASE_LOST", read_inputs, worker, new_id())
    expect_refusal("ARGUMENT_INVALID", read_inputs, worker, "42")


def test_once_a_task_is_given_back_its_documents_are_not_read_under_its_lease(client, worker, documents):
    task = claim(worker, jobs.task_ids(jobs.start(client, [documents[0].id], jobs.MERGE))[0])
    give_back(worker, task.lease_id)

    expect_refusal("LEASE_LOST", read_inputs, worker, task.lease_id)


def test_what_is_damaged_is_not_sent_and_what_comes_before_it_is_sound(queueing_server, worker, task, contents, documents):
    file = queueing_server.blob_file_of(contents[1])
    file.chmod(0o600)
    with file.open("r+b") as writable:
        writable.seek(MEBIBYTE + 3)
        writable.write(b"?" if contents[1][MEBIBYTE + 3 : MEBIBYTE + 4] != b"?" else b"!")
    received = []
    refusal = expect_refusal("DOCUMENT_CORRUPT", read_into, received, worker, task.lease_id)

    assert refusal.metadata == {"document_id": documents[1].id, "block": "1"}
    assert b"".join(received) == contents[0] + contents[1][:MEBIBYTE]


def test_small_documents_before_one_that_is_damaged_are_sent_all_the_same(queueing_server, client, worker):
    contents = [files.pdf(f"sound {next(SEEDS)}"), files.pdf(f"lost {next(SEEDS)}")]
    documents = [store(client, content, "page.pdf") for content in contents]
    job = jobs.start(client, [document.id for document in documents], jobs.MERGE)
    task = claim(worker, jobs.task_ids(job)[0])
    queueing_server.blob_file_of(contents[1]).unlink()
    received = []
    refusal = expect_refusal("DOCUMENT_CORRUPT", read_into, received, worker, task.lease_id)

    assert refusal.metadata["document_id"] == documents[1].id
    assert received == [contents[0]]
    give_back(worker, task.lease_id)


@contextmanager
def client_of(target):
    """The client library with the worker's key."""
    with Client(ClientConfig(target=target, api_key=KEYS["worker"])) as found:
        yield found


def fetched(client, task, folder):
    """What a worker has then: the bytes of each input."""
    return [(found.message.display_name, found.path.read_bytes()) for found in fetch(client, task, folder)]


def expected(contents):
    first, second, third = contents
    return [("page 0.pdf", first), ("page 1.pdf", second), ("page 0.pdf", first), ("page 2.pdf", third)]


def test_a_document_whose_content_has_changed_since_the_task_was_claimed_is_not_read_for_it(
    queueing_server, client, worker, documents, tmp_path
):
    task = claim(worker, jobs.task_ids(jobs.start(client, [document.id for document in documents], jobs.MERGE))[0])
    token = token_for(client, documents[0].id, write=True, wanted_post_process="WANTED_POST_PROCESS_ORIGINAL")
    saved = client.documents.SaveEdit.future(SaveEditRequest(token=token, rotations={0: 90}))
    edit = wait_until(lambda: edit_of(queueing_server), "the edit waits for a worker")
    lease_id = claim(worker, edit).lease_id
    complete(worker, lease_id, upload_output(worker, lease_id, files.pdf("changed meanwhile")))
    assert saved.result(30).document.revision == 1

    refusal = expect_refusal("CONTENT_CHANGED", read_inputs, worker, task.lease_id)
    assert refusal.metadata["document_id"] == documents[0].id
    with client_of(queueing_server.target) as fetching, pytest.raises(ContentChanged):
        fetched(fetching, task, tmp_path)
    give_back(worker, task.lease_id)


def edit_of(server):
    """The id of the task of an edit that waits; None if there is none."""
    found = [str(row["id"]) for row in server.rows("task") if (row["type"], row["state"]) == ("EDIT", "PENDING")]
    return found[0] if found else None


def test_a_worker_has_every_input_by_one_call(queueing_server, task, contents, tmp_path):
    before = len(queueing_server.output())
    with client_of(queueing_server.target) as client:
        assert fetched(client, task, tmp_path) == expected(contents)

    files_there = sorted(path.name for path in tmp_path.iterdir())
    assert files_there == ["input-0", "input-1", "input-2"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o444}
    wait_until(lambda: "method=WorkerService/ReadInputs code=OK" in queueing_server.output()[before:], "the call is in the log")
    assert "DownloadService/Download" not in queueing_server.output()[before:]


@pytest.mark.parametrize("after", [1, 3_000, MEBIBYTE, 2 * MEBIBYTE + 2_000])
def test_a_worker_fetches_what_a_broken_stream_did_not_bring(queueing_server, task, contents, tmp_path, after):
    with Proxy(queueing_server.target) as proxy:
        proxy.plan.append(Cut(after=after, reset=True))
        with client_of(proxy.target) as client:
            assert fetched(client, task, tmp_path) == expected(contents)

        assert proxy.connections > 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input-0", "input-1", "input-2"]


def test_a_worker_is_told_what_is_wrong_with_a_document_that_is_not_to_be_had(
    queueing_server, worker, task, contents, documents, tmp_path
):
    queueing_server.blob_file_of(contents[2]).unlink()

    with client_of(queueing_server.target) as client, pytest.raises(DocumentCorrupt) as caught:
        fetched(client, task, tmp_path)

    assert caught.value.metadata["document_id"] == documents[2].id


def test_a_worker_whose_job_has_ended_reads_nothing_more(queueing_server, client, worker, documents, tmp_path):
    task = claim(worker, jobs.task_ids(jobs.start(client, [document.id for document in documents], jobs.MERGE))[0])
    changes.infect(client, documents[2].id)

    with client_of(queueing_server.target) as fetching, pytest.raises(LeaseLost):
        fetched(fetching, task, tmp_path)

    assert list(tmp_path.iterdir()) == []
