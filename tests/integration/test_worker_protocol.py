"""What a worker and the service say to each other, with a worker that does as the test says."""

import grpc
import pytest

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.post_processing_pb2 import PostProcessingFailure
from osis.document.v1.worker_service_pb2 import (
    ClaimTaskRequest,
    CompleteTaskRequest,
    ExtendLeaseRequest,
    FailTaskRequest,
    GiveBackTaskRequest,
)
from tests.support import files, jobs
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.refusals import expect_refusal
from tests.support.server import serving
from tests.support.uploads import confirm, messages, new_id, spec, store
from tests.support.waiting import wait_until

pytestmark = pytest.mark.needs_redis

OUTPUT = files.pdf("made by the test")


@pytest.fixture(scope="module")
def client(queueing_server):
    return queueing_server.stubs()


@pytest.fixture(scope="module")
def worker(queueing_server):
    return queueing_server.stubs("worker")


@pytest.fixture
def job(client):
    """A job of one conversion that waits for a worker."""
    return jobs.start(client, [store(client, files.docx("text"), "letter.docx").id], jobs.CONVERT)


def claim(worker, task_id, lease_id=None):
    """Claims a task; answers it, or None if there is nothing to do."""
    request = ClaimTaskRequest(task_id=task_id, lease_id=lease_id or new_id(), worker="test:1")
    answer = worker.workers.ClaimTask(request)
    return answer.task if answer.HasField("task") else None


def upload_output(worker, lease_id, content=OUTPUT):
    return worker.uploads.WriteUpload(messages(spec("output.pdf", lease_id=lease_id), content)).result.document.id


def complete(worker, lease_id, *upload_ids):
    return worker.workers.CompleteTask(CompleteTaskRequest(lease_id=lease_id, output_upload_ids=upload_ids))


def failure(reason="ENGINE_CRASHED", *, retryable=True):
    return PostProcessingFailure(
        reason=ErrorReason.Value(f"ERROR_REASON_{reason}"), message="as the test says", retryable=retryable
    )


def fail(worker, lease_id, **fields):
    return worker.workers.FailTask(FailTaskRequest(lease_id=lease_id, failure=failure(**fields))).will_retry


def give_back(worker, lease_id):
    worker.workers.GiveBackTask(GiveBackTaskRequest(lease_id=lease_id))


def test_a_claimed_task_says_all_that_a_worker_needs(client, worker, job):
    task = claim(worker, jobs.task_ids(job)[0])
    [item] = task.inputs

    assert task.post_processing_id == job.id
    assert (task.attempt, task.max_attempts) == (1, 3)
    assert task.WhichOneof("action") == "convert"
    assert item.display_name == "letter.docx"
    assert item.document == get(client, job.input_document_ids[0])
    assert download(worker, item.read_token).data == content_of(client, item.document.id)
    assert jobs.job_of(client, job.id).state == jobs.RUNNING
    give_back(worker, task.lease_id)


def test_a_claim_whose_answer_was_lost_may_be_repeated(worker, job):
    [task_id], lease_id = jobs.task_ids(job), new_id()

    first, second = claim(worker, task_id, lease_id), claim(worker, task_id, lease_id)

    assert second.lease_id == first.lease_id == lease_id
    assert second.attempt == first.attempt == 1
    give_back(worker, lease_id)


def test_a_task_is_leased_to_one_worker_at_a_time(worker, job):
    [task_id] = jobs.task_ids(job)
    task = claim(worker, task_id)

    assert claim(worker, task_id) is None

    give_back(worker, task.lease_id)


@pytest.mark.parametrize("fields", [{"task_id": "42", "lease_id": "x"}, {"task_id": ""}], ids=["no-uuids", "empty"])
def test_a_claim_that_names_no_task_is_refused(worker, fields):
    expect_refusal("ARGUMENT_INVALID", worker.workers.ClaimTask, ClaimTaskRequest(**fields))


def test_a_task_that_does_not_exist_is_nothing_to_do(worker):
    assert claim(worker, new_id()) is None


def test_the_output_of_a_completed_task_is_a_confirmed_document(client, worker, job):
    task = claim(worker, jobs.task_ids(job)[0])
    output = upload_output(worker, task.lease_id)
    complete(worker, task.lease_id, output)

    ended = jobs.finish(client, job.id)

    assert ended.state == jobs.DONE
    assert jobs.outputs(ended) == [output]
    assert get(client, output).status == DocumentStatus.DOCUMENT_STATUS_UPLOADED
    assert get(client, output).name == "letter.pdf"
    assert content_of(client, output) == OUTPUT


def test_repeating_a_completion_answers_the_same_and_changes_nothing(client, worker, job):
    task = claim(worker, jobs.task_ids(job)[0])
    output = upload_output(worker, task.lease_id)
    complete(worker, task.lease_id, output)
    ended = jobs.finish(client, job.id)

    complete(worker, task.lease_id, output)

    assert jobs.job_of(client, job.id) == ended


def test_a_done_task_is_nothing_to_do(worker, job):
    [task_id] = jobs.task_ids(job)
    task = claim(worker, task_id)
    complete(worker, task.lease_id, upload_output(worker, task.lease_id))

    assert claim(worker, task_id) is None


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 2])
def test_a_wrong_number_of_outputs_is_refused_and_the_task_goes_on(client, worker, job, count):
    task = claim(worker, jobs.task_ids(job)[0])
    outputs = [upload_output(worker, task.lease_id) for _ in range(count)]

    expect_refusal("ARGUMENT_INVALID", complete, worker, task.lease_id, *outputs)

    complete(worker, task.lease_id, upload_output(worker, task.lease_id))
    assert jobs.finish(client, job.id).state == jobs.DONE


def test_an_output_that_was_not_uploaded_is_refused(worker, job):
    task = claim(worker, jobs.task_ids(job)[0])

    expect_refusal("UPLOAD_NOT_FOUND", complete, worker, task.lease_id, new_id())

    give_back(worker, task.lease_id)


def test_a_document_of_somebody_else_is_no_output(client, worker, job):
    task = claim(worker, jobs.task_ids(job)[0])
    foreign = store(client, files.pdf("not an output"), "form.pdf")

    expect_refusal("UPLOAD_NOT_FOUND", complete, worker, task.lease_id, foreign.id)

    assert get(client, foreign.id) == foreign
    give_back(worker, task.lease_id)


def test_an_output_is_not_confirmed_by_anybody_before_its_task_is_complete(client, worker, job):
    task = claim(worker, jobs.task_ids(job)[0])
    result = worker.uploads.WriteUpload(messages(spec("output.pdf", lease_id=task.lease_id), OUTPUT)).result

    if result.write_token:
        with pytest.raises(grpc.RpcError):
            confirm(client, result.write_token)

    assert get(client, result.document.id).status == DocumentStatus.DOCUMENT_STATUS_REQUESTED
    give_back(worker, task.lease_id)


@pytest.mark.slow
def test_a_merge_waits_for_its_inputs_and_gets_them_in_order(client, worker):
    letters = [store(client, files.docx(name), f"{name}.docx").id for name in ("one", "two")]
    job = jobs.start(client, letters, jobs.CONVERT, jobs.MERGE)
    [merge_id] = jobs.task_ids(job, 1)
    assert claim(worker, merge_id) is None

    made = {}
    for position in (1, 0):
        task = claim(worker, jobs.task_ids(job)[position])
        made[position] = upload_output(worker, task.lease_id, files.pdf(f"page {position}"))
        complete(worker, task.lease_id, made[position])
    merge = claim(worker, merge_id)

    assert [item.document.id for item in merge.inputs] == [made[0], made[1]]
    assert [item.display_name for item in merge.inputs] == ["one.docx", "two.docx"]
    assert jobs.job_of(client, job.id).tasks_done == 2
    give_back(worker, merge.lease_id)


@pytest.mark.slow
@pytest.mark.parametrize("call", ["extend", "complete", "fail", "give back", "upload"])
def test_whoever_does_not_hold_the_lease_can_change_nothing(client, worker, job, call):
    task = claim(worker, jobs.task_ids(job)[0])
    before, stranger = jobs.job_of(client, job.id), new_id()
    attempt = {
        "extend": lambda: worker.workers.ExtendLease(ExtendLeaseRequest(lease_id=stranger)),
        "complete": lambda: complete(worker, stranger, new_id()),
        "fail": lambda: fail(worker, stranger),
        "give back": lambda: give_back(worker, stranger),
        "upload": lambda: upload_output(worker, stranger),
    }[call]

    expect_refusal("LEASE_LOST", attempt)

    assert jobs.job_of(client, job.id) == before
    give_back(worker, task.lease_id)


def test_a_lease_lasts_from_each_extension(worker, job):
    task = claim(worker, jobs.task_ids(job)[0])

    extended = worker.workers.ExtendLease(ExtendLeaseRequest(lease_id=task.lease_id)).lease_expire_time

    assert task.lease_duration.seconds == 30
    assert extended.ToNanoseconds() > task.lease_expire_time.ToNanoseconds()
    give_back(worker, task.lease_id)


@pytest.mark.slow
def test_a_task_given_back_can_be_claimed_again_and_the_attempt_is_not_counted(worker, job):
    [task_id] = jobs.task_ids(job)

    attempts = []
    for _ in range(5):
        task = claim(worker, task_id)
        attempts.append(task.attempt)
        give_back(worker, task.lease_id)

    assert attempts == [1] * 5
    expect_refusal("LEASE_LOST", complete, worker, task.lease_id, new_id())


def test_a_failure_that_is_the_documents_own_is_not_tried_again(client, worker, job):
    task = claim(worker, jobs.task_ids(job)[0])

    assert fail(worker, task.lease_id, reason="DOCUMENT_UNREADABLE", retryable=False) is False

    ended = jobs.finish(client, job.id)
    assert ended.state == jobs.FAILED
    assert ended.failure.reason == ErrorReason.ERROR_REASON_DOCUMENT_UNREADABLE
    assert ended.failure.message == "as the test says"
    assert ended.failure.retryable is False
    assert claim(worker, task.task_id) is None


def test_repeating_a_failure_answers_the_same(worker, job):
    task = claim(worker, jobs.task_ids(job)[0])

    assert [fail(worker, task.lease_id, reason="DOCUMENT_UNREADABLE", retryable=False) for _ in range(2)] == [False, False]


def test_repeating_a_failure_that_is_tried_again_answers_the_same(worker, job):
    task = claim(worker, jobs.task_ids(job)[0])

    assert [fail(worker, task.lease_id) for _ in range(2)] == [True, True]


def test_a_retryable_failure_is_tried_three_times_and_the_last_one_is_told(client, worker, job):
    [task_id], told = jobs.task_ids(job), []
    for attempt in (1, 2, 3):
        task = wait_until(lambda: claim(worker, task_id), f"attempt {attempt} can be claimed", seconds=20)
        assert task.attempt == attempt
        told.append(fail(worker, task.lease_id))

    ended = jobs.finish(client, job.id)

    assert told == [True, True, False]
    assert ended.state == jobs.FAILED
    assert ended.failure.reason == ErrorReason.ERROR_REASON_ENGINE_CRASHED
    assert ended.failure.retryable is True


@pytest.fixture(scope="module")
def hasty(redis_server, tmp_path_factory):
    """A server whose leases are short, and long enough for an upload on a busy machine."""
    url = redis_server.url(3)
    with serving(tmp_path_factory.mktemp("hasty"), BROKER_URL=url, LEASE_SECONDS="1.5", SWEEP_SECONDS="0.2") as running:
        yield running


@pytest.fixture
def hasty_job(hasty):
    client = hasty.stubs()
    return jobs.start(client, [store(client, files.docx("text"), "letter.docx").id], jobs.CONVERT)


def lose_three_workers(worker, task_id):
    for attempt in (1, 2, 3):
        task = wait_until(lambda: claim(worker, task_id), f"attempt {attempt} can be claimed", seconds=10)
        assert task.attempt == attempt


@pytest.mark.slow
def test_a_document_that_lost_three_workers_is_not_given_to_a_fourth(hasty, hasty_job):
    client, worker, [task_id] = hasty.stubs(), hasty.stubs("worker"), jobs.task_ids(hasty_job)
    lose_three_workers(worker, task_id)

    def ended_without_a_fourth_attempt():
        assert claim(worker, task_id) is None
        return jobs.job_of(client, hasty_job.id).state == jobs.FAILED

    wait_until(ended_without_a_fourth_attempt, "the job is given up", seconds=10)
    ended = jobs.job_of(client, hasty_job.id)

    assert ended.failure.reason == ErrorReason.ERROR_REASON_ATTEMPTS_EXHAUSTED
    assert ended.failure.document_id == hasty_job.input_document_ids[0]


@pytest.mark.slow
def test_a_document_that_lost_three_workers_is_given_up_although_no_worker_is_left_to_ask(hasty, hasty_job):
    lose_three_workers(hasty.stubs("worker"), jobs.task_ids(hasty_job)[0])

    ended = jobs.finish(hasty.stubs(), hasty_job.id, seconds=8)

    assert ended.failure.reason == ErrorReason.ERROR_REASON_ATTEMPTS_EXHAUSTED


@pytest.mark.slow
def test_after_its_lease_ran_out_a_worker_can_change_nothing(hasty, hasty_job):
    client, worker, [task_id] = hasty.stubs(), hasty.stubs("worker"), jobs.task_ids(hasty_job)
    late = claim(worker, task_id)
    output = upload_output(worker, late.lease_id)
    prompt = wait_until(lambda: claim(worker, task_id), "the task is free again")

    for call in (
        lambda: complete(worker, late.lease_id, output),
        lambda: fail(worker, late.lease_id),
        lambda: upload_output(worker, late.lease_id),
        lambda: worker.workers.ExtendLease(ExtendLeaseRequest(lease_id=late.lease_id)),
    ):
        expect_refusal("LEASE_LOST", call)

    mine = upload_output(worker, prompt.lease_id, files.pdf("of the second worker"))
    complete(worker, prompt.lease_id, mine)
    assert jobs.outputs(jobs.finish(client, hasty_job.id)) == [mine]


@pytest.mark.slow
def test_a_lease_that_is_extended_in_time_is_kept(hasty, hasty_job):
    worker, [task_id] = hasty.stubs("worker"), jobs.task_ids(hasty_job)
    task = claim(worker, task_id)
    kept = [0]

    def extended_for_two_seconds():
        kept.append(worker.workers.ExtendLease(ExtendLeaseRequest(lease_id=task.lease_id)).lease_expire_time.ToMilliseconds())
        return kept[-1] > task.lease_expire_time.ToMilliseconds() + 2000

    wait_until(extended_for_two_seconds, "the lease is extended past its first end", seconds=10)

    assert claim(worker, task_id) is None
    complete(worker, task.lease_id, upload_output(worker, task.lease_id))
