"""Tokens for what post-processing made of a document, case by case, asked for alone and in a batch."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.document_service_pb2 import DuplicateDocument
from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.post_processing_pb2 import PostProcessingState
from osis.document.v1.token_service_pb2 import (
    BatchCreateTokensRequest,
    CreateTokenRequest,
    InspectTokenRequest,
    TokenPurpose,
    WantedPostProcess,
)
from tests.support import files, images, jobs, tasks
from tests.support.changes import delete, duplicate_all, infect, rotate
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.refusals import expect_refusal
from tests.support.uploads import store, token_for, upload

pytestmark = pytest.mark.needs_redis

LAST = WantedPostProcess.WANTED_POST_PROCESS_UNSPECIFIED
ORIGINAL = WantedPostProcess.WANTED_POST_PROCESS_ORIGINAL
CONVERT = WantedPostProcess.WANTED_POST_PROCESS_CONVERT
MERGE = WantedPostProcess.WANTED_POST_PROCESS_MERGE
CANCELLED = PostProcessingState.POST_PROCESSING_STATE_CANCELLED

LETTER = files.docx("A letter")
CONVERTED = [files.pdf("The first letter as a PDF"), files.pdf("The second letter as a PDF")]
MERGED = files.pdf("Both letters in one")


@pytest.fixture(scope="module")
def client(queueing_server):
    return queueing_server.stubs()


@pytest.fixture(scope="module")
def worker(queueing_server):
    return queueing_server.stubs("worker")


@pytest.fixture(params=["alone", "in a batch"])
def ask(request, client):
    """Asks for a token, alone or as the second of three; the outcome has `token`, `pending` or `failed`."""
    if request.param == "alone":
        return lambda document_id, wanted=LAST, **fields: client.tokens.CreateToken(
            CreateTokenRequest(document_id=document_id, wanted_post_process=wanted, **fields)
        )
    other = store(client, b"other").id

    def in_a_batch(document_id, wanted=LAST, **fields):
        asked = CreateTokenRequest(document_id=document_id, wanted_post_process=wanted, **fields)
        requests = [CreateTokenRequest(document_id=other), asked, CreateTokenRequest(document_id=other)]
        first, outcome, last = client.tokens.BatchCreateTokens(BatchCreateTokensRequest(requests=requests)).results
        assert first.token.document_id == last.token.document_id == other
        assert not outcome.HasField("error"), outcome
        return outcome

    return in_a_batch


class Case:
    """Two letters, and a job over them that has come so far as its name says."""

    def __init__(self, client, worker, state):
        self.client, self.worker = client, worker
        self.letters = [store(client, LETTER, f"{name}.docx").id for name in ("first", "second")]
        self.converted, self.merged, self.job_id = [], "", ""
        if state == "none":
            return
        job = jobs.start(client, self.letters, jobs.CONVERT, jobs.MERGE)
        self.job_id = job.id
        if state == "PENDING at once":
            return
        convert_ids, [merge_id] = jobs.task_ids(job), jobs.task_ids(job, 1)
        if state == "FAILED at once":
            self.fail(convert_ids[1])
            return
        self.converted = [tasks.do(worker, task_id, content) for task_id, content in zip(convert_ids, CONVERTED, strict=True)]
        if state == "FAILED":
            self.fail(merge_id)
        elif state == "DONE":
            self.merged = tasks.do(worker, merge_id, MERGED)

    def fail(self, task_id):
        """Fails a task for good, by the fault of the second letter."""
        task = tasks.claim(self.worker, task_id)
        tasks.fail(self.worker, task.lease_id, "DOCUMENT_UNREADABLE", document_id=self.letters[1])


@pytest.fixture
def case(client, worker):
    return lambda state: Case(client, worker, state)


def expect_token(client, outcome, document_id, content):
    assert outcome.WhichOneof("outcome") == "token", outcome
    assert outcome.token.document_id == document_id
    assert download(client, outcome.token.token).data == content


def expect_pending(client, outcome, job_id):
    """Unfinished, with each action's status as the job itself tells it."""
    assert outcome.WhichOneof("outcome") == "pending", outcome
    assert outcome.pending == jobs.job_of(client, job_id)
    assert outcome.pending.state in {jobs.PENDING, jobs.RUNNING}
    assert len(outcome.pending.actions) == 2


def expect_failed(client, outcome, job_id):
    """Failed, with the reason."""
    assert outcome.WhichOneof("outcome") == "failed", outcome
    assert outcome.failed == jobs.job_of(client, job_id)
    assert outcome.failed.state == jobs.FAILED
    assert outcome.failed.failure.reason == ErrorReason.ERROR_REASON_DOCUMENT_UNREADABLE
    assert outcome.failed.failure.message == "It failed because the test says so."


# ---- the job is done ----------------------------------------------------------------------------------------------------


def test_done_and_nothing_said_is_the_last_actions_output(client, ask, case):
    found = case("DONE")

    for letter in found.letters:
        expect_token(client, ask(letter), found.merged, MERGED)


def test_done_and_an_action_that_is_done_is_that_actions_output(client, ask, case):
    found = case("DONE")

    for letter, converted, content in zip(found.letters, found.converted, CONVERTED, strict=True):
        expect_token(client, ask(letter, CONVERT), converted, content)
        expect_token(client, ask(letter, MERGE), found.merged, MERGED)


def test_done_and_the_original_is_the_document_itself(client, ask, case):
    found = case("DONE")

    expect_token(client, ask(found.letters[0], ORIGINAL), found.letters[0], LETTER)


# ---- the job is pending -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("state", ["PENDING", "PENDING at once"])
def test_pending_and_nothing_said_is_pending(client, ask, case, state):
    found = case(state)

    for letter in found.letters:
        expect_pending(client, ask(letter), found.job_id)


def test_pending_and_an_action_that_is_done_is_that_actions_output(client, ask, case):
    found = case("PENDING")

    for letter, converted, content in zip(found.letters, found.converted, CONVERTED, strict=True):
        expect_token(client, ask(letter, CONVERT), converted, content)


@pytest.mark.slow
@pytest.mark.parametrize(("state", "wanted"), [("PENDING", MERGE), ("PENDING at once", CONVERT), ("PENDING at once", MERGE)])
def test_pending_and_an_action_that_is_not_done_is_pending(client, ask, case, state, wanted):
    found = case(state)

    expect_pending(client, ask(found.letters[1], wanted), found.job_id)


@pytest.mark.parametrize("state", ["PENDING", "PENDING at once"])
def test_pending_and_the_original_is_the_document_itself(client, ask, case, state):
    found = case(state)

    expect_token(client, ask(found.letters[0], ORIGINAL), found.letters[0], LETTER)


# ---- the job has failed -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("state", ["FAILED", "FAILED at once"])
def test_failed_and_nothing_said_is_failed(client, ask, case, state):
    found = case(state)

    for letter in found.letters:
        expect_failed(client, ask(letter), found.job_id)


@pytest.mark.slow
def test_failed_and_an_action_that_is_done_is_that_actions_output(client, ask, case):
    found = case("FAILED")

    for letter, converted, content in zip(found.letters, found.converted, CONVERTED, strict=True):
        expect_token(client, ask(letter, CONVERT), converted, content)


@pytest.mark.slow
@pytest.mark.parametrize(("state", "wanted"), [("FAILED", MERGE), ("FAILED at once", CONVERT), ("FAILED at once", MERGE)])
def test_failed_and_an_action_that_is_not_done_is_failed(client, ask, case, state, wanted):
    found = case(state)

    expect_failed(client, ask(found.letters[1], wanted), found.job_id)


@pytest.mark.slow
@pytest.mark.parametrize("state", ["FAILED", "FAILED at once"])
def test_failed_and_the_original_is_the_document_itself(client, ask, case, state):
    found = case(state)

    expect_token(client, ask(found.letters[0], ORIGINAL), found.letters[0], LETTER)


# ---- there is no job ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [LAST, CONVERT, MERGE, ORIGINAL], ids=["last", "convert", "merge", "original"])
def test_no_job_is_the_document_itself_whatever_is_said(client, ask, case, wanted):
    found = case("none")

    expect_token(client, ask(found.letters[0], wanted), found.letters[0], LETTER)


def test_a_document_that_is_not_confirmed_is_itself(client, ask):
    result = upload(client, b"waiting")

    expect_token(client, ask(result.document.id), result.document.id, b"waiting")


# ---- which job ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_newest_job_counts_while_it_is_pending_and_when_it_is_done(client, worker, ask, case):
    found = case("DONE")
    newer = jobs.start(client, [found.converted[0], found.letters[0]][1:], jobs.CONVERT)

    if newer.state != jobs.DONE:  # the finished conversion may be reused at once
        newer = jobs.job_of(client, newer.id)
    [output] = jobs.outputs(newer) or [tasks.do(worker, jobs.task_ids(newer)[0], CONVERTED[0])]

    expect_token(client, ask(found.letters[0]), output, CONVERTED[0])
    expect_token(client, ask(found.letters[1]), found.merged, MERGED)


@pytest.mark.slow
def test_a_newer_job_that_is_pending_hides_an_older_one_that_is_done(client, ask, case):
    found = case("DONE")
    fresh = store(client, files.docx("never converted before"), "fresh.docx").id
    newer = jobs.start(client, [found.letters[0], fresh], jobs.CONVERT, jobs.MERGE)

    expect_pending(client, ask(found.letters[0]), newer.id)
    expect_token(client, ask(found.letters[1]), found.merged, MERGED)


@pytest.mark.slow
def test_a_newer_job_that_is_done_hides_an_older_one_that_failed(client, worker, ask, case):
    found = case("FAILED")
    newer = jobs.start(client, found.converted, jobs.MERGE)
    merged = tasks.do(worker, jobs.task_ids(newer)[0], MERGED)

    expect_token(client, ask(found.converted[0]), merged, MERGED)
    expect_failed(client, ask(found.letters[0]), found.job_id)


@pytest.mark.slow
def test_a_job_over_an_output_counts_for_the_output_alone(client, worker, ask, case):
    found = case("DONE")
    over_it = jobs.start(client, [found.merged, found.converted[0]], jobs.MERGE)
    binder = tasks.do(worker, jobs.task_ids(over_it)[0], files.pdf("binder"))

    assert ask(found.merged).token.document_id == binder
    assert ask(found.letters[0]).token.document_id == found.merged


def test_an_output_of_which_nothing_was_made_is_itself(client, ask, case):
    found = case("DONE")

    expect_token(client, ask(found.merged), found.merged, MERGED)


def test_a_document_that_was_given_twice_has_its_first_output(client, worker, ask):
    letter = store(client, LETTER, "twice.docx").id
    job = jobs.start(client, [letter, letter], jobs.CONVERT)
    for task_id, content in zip(jobs.task_ids(job), CONVERTED, strict=True):
        if tasks.claim(worker, task_id, task_id):
            tasks.complete(worker, task_id, tasks.upload_output(worker, task_id, content))
    first, _ = jobs.outputs(jobs.finish(client, job.id))

    assert ask(letter).token.document_id == first


def test_a_duplicate_has_no_part_in_its_sources_jobs(client, ask, case):
    found = case("DONE")
    [copy] = duplicate_all(client, [DuplicateDocument(document_id=found.letters[0])])

    expect_token(client, ask(copy.document.id), copy.document.id, LETTER)


def test_a_rotation_is_no_post_processing(alpha):
    """A rotated picture is itself, not an output of the job that rotated it."""
    image = store(alpha, images.picture(), "image.png").id
    rotated = rotate(alpha, token_for(alpha, image, write=True)).document

    token = alpha.tokens.CreateToken(CreateTokenRequest(document_id=image)).token

    assert token.document_id == image
    assert download(alpha, token.token).header.sha256 == rotated.sha256


@pytest.mark.slow
def test_a_rotation_after_a_conversion_does_not_hide_it(alpha):
    image = store(alpha, images.picture(), "image.png").id
    [pdf] = jobs.outputs(jobs.finish(alpha, jobs.start(alpha, [image], jobs.CONVERT).id))
    rotate(alpha, token_for(alpha, image, write=True, wanted_post_process=ORIGINAL))

    assert alpha.tokens.CreateToken(CreateTokenRequest(document_id=image)).token.document_id == pdf


def test_a_rotation_that_is_under_way_makes_nothing_pending(queueing_server, client, worker, ask):
    image = store(client, images.picture(), "image.png").id
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(rotate, client, token_for(client, image, write=True))
        task_id = tasks.wait_for_task(queueing_server, image)
        expect_token(client, ask(image), image, images.picture())
        tasks.do(worker, task_id, images.picture(width=10, height=20), "o.png")
        assert call.result(20).document.revision == 1


# ---- what the token is --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_write_token_for_an_output_changes_the_output(client, ask, case):
    found = case("DONE")

    token = ask(found.letters[0], purpose=TokenPurpose.TOKEN_PURPOSE_WRITE).token
    inspected = client.tokens.InspectToken(InspectTokenRequest(token=token.token))

    assert (token.document_id, token.purpose) == (found.merged, TokenPurpose.TOKEN_PURPOSE_WRITE)
    assert inspected.token.document_id == found.merged
    assert not inspected.HasField("refusal")


def test_asking_makes_nothing_and_changes_nothing(client, ask, case):
    found = case("PENDING")
    before = jobs.job_of(client, found.job_id)

    for wanted in (LAST, ORIGINAL, CONVERT, MERGE):
        ask(found.letters[0], wanted)

    assert jobs.job_of(client, found.job_id) == before
    assert get(client, found.letters[0]).revision == 0


# ---- what is gone -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("end", "reason"), [(delete, "DOCUMENT_DELETED"), (infect, "DOCUMENT_INFECTED")])
def test_an_output_that_is_gone_is_named(client, case, end, reason):
    found = case("DONE")
    end(client, found.merged)

    refusal = expect_refusal(reason, token_for, client, found.letters[0])

    assert refusal.metadata["document_id"] == found.merged
    assert download(client, token_for(client, found.letters[0], wanted_post_process=CONVERT)).data == CONVERTED[0]
    assert download(client, token_for(client, found.letters[0], wanted_post_process=ORIGINAL)).data == LETTER


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [LAST, CONVERT, MERGE, ORIGINAL], ids=["last", "convert", "merge", "original"])
@pytest.mark.parametrize("state", ["DONE", "PENDING", "FAILED", "none"])
@pytest.mark.parametrize(("end", "reason"), [(delete, "DOCUMENT_DELETED"), (infect, "DOCUMENT_INFECTED")])
def test_a_document_that_is_gone_has_no_results_either(client, case, end, reason, state, wanted):
    found = case(state)
    end(client, found.letters[0])

    refusal = expect_refusal(reason, token_for, client, found.letters[0], wanted_post_process=wanted)

    assert refusal.metadata["document_id"] == found.letters[0]


def test_the_other_input_of_a_merge_that_is_gone_has_its_own_conversion_still(client, case):
    found = case("DONE")
    delete(client, found.letters[0])

    assert get(client, found.merged).status == DocumentStatus.DOCUMENT_STATUS_DELETED
    expect_refusal("DOCUMENT_DELETED", token_for, client, found.letters[1])
    assert download(client, token_for(client, found.letters[1], wanted_post_process=CONVERT)).data == CONVERTED[1]
    assert download(client, token_for(client, found.letters[1], wanted_post_process=ORIGINAL)).data == LETTER


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [LAST, MERGE, ORIGINAL], ids=["last", "merge", "original"])
def test_of_a_job_that_was_cancelled_nothing_is_pending_any_more(client, ask, case, wanted):
    """It counts as if it had never been: the document itself is to be had."""
    found = case("PENDING")
    delete(client, found.letters[0])
    assert jobs.job_of(client, found.job_id).state == CANCELLED

    expect_token(client, ask(found.letters[1], wanted), found.letters[1], LETTER)
