"""Deleting documents, and taking it back: what goes with them and what does not."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from google.protobuf.duration_pb2 import Duration

from osis.document.v1.document_pb2 import DocumentStatus, ExpirationPolicy
from osis.document.v1.document_service_pb2 import (
    ConfirmUpload,
    ConfirmUploadsRequest,
    DuplicateDocument,
    FinalizeDocumentsRequest,
    Hold,
)
from osis.document.v1.post_processing_pb2 import PostProcessingState
from tests.support import files, images, jobs, outcomes, tasks
from tests.support.changes import (
    delete,
    duplicate,
    duplicate_all,
    infect,
    reason_of,
    rotate,
    save_edit,
    undelete,
    update,
)
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.imports import bring, bring_modified_copy
from tests.support.outcomes import outcome_of
from tests.support.refusals import expect_refusal
from tests.support.uploads import confirm, new_id, store, token_for, upload

REQUESTED = DocumentStatus.DOCUMENT_STATUS_REQUESTED
UPLOADED = DocumentStatus.DOCUMENT_STATUS_UPLOADED
DELETED = DocumentStatus.DOCUMENT_STATUS_DELETED
CANCELLED = PostProcessingState.POST_PROCESSING_STATE_CANCELLED


@pytest.fixture(scope="module")
def admin(server):
    return server.stubs("admin")


def statuses(stubs, *document_ids):
    return [get(stubs, document_id).status for document_id in document_ids]


def without_times(document):
    """A document without the time at which it last changed."""
    copy = type(document)()
    copy.CopyFrom(document)
    copy.ClearField("update_time")
    return copy


# ---- one document -------------------------------------------------------------------------------------------------------


def test_a_deleted_document_is_still_described_by_its_id(alpha):
    document = store(alpha, b"content")

    [result] = delete(alpha, document.id)

    assert result.document == get(alpha, document.id)
    assert result.document.status == DELETED
    assert result.document.update_time.ToNanoseconds() > document.update_time.ToNanoseconds()
    document.status = DELETED
    assert without_times(result.document) == without_times(document)


REFUSED = {
    "description by token": lambda stubs, document, read, write: get(stubs, token=read),
    "description by write token": lambda stubs, document, read, write: get(stubs, token=write),
    "read token": lambda stubs, document, read, write: token_for(stubs, document.id),
    "write token": lambda stubs, document, read, write: token_for(stubs, document.id, write=True),
    "token of the document itself": lambda stubs, document, read, write: token_for(
        stubs, document.id, wanted_post_process="WANTED_POST_PROCESS_ORIGINAL"
    ),
    "metadata": lambda stubs, document, read, write: update(stubs, write, metadata={"new": 1}),
    "rotation": lambda stubs, document, read, write: rotate(stubs, write),
    "edit": lambda stubs, document, read, write: save_edit(stubs, write, rotations={0: 90}),
    "confirmation": lambda stubs, document, read, write: confirm(stubs, write),
    "conversion": lambda stubs, document, read, write: jobs.start(stubs, [document.id], jobs.CONVERT),
}


@pytest.mark.parametrize("use", REFUSED)
@pytest.mark.parametrize(("end", "reason"), [(delete, "DOCUMENT_DELETED"), (infect, "DOCUMENT_INFECTED")])
def test_a_deleted_or_infected_document_refuses_everything_but_a_description_by_its_id(alpha, end, reason, use):
    document = store(alpha, images.picture(), "image.png")
    read, write = token_for(alpha, document.id), token_for(alpha, document.id, write=True)
    end(alpha, document.id)

    refusal = expect_refusal(reason, REFUSED[use], alpha, document, read, write)

    assert refusal.metadata["document_id"] == document.id
    assert get(alpha, document.id).sha256 == document.sha256


@pytest.mark.parametrize(("end", "reason"), [(delete, "DOCUMENT_DELETED"), (infect, "DOCUMENT_INFECTED")])
def test_not_a_byte_of_a_deleted_or_infected_document_is_sent(alpha, end, reason):
    document = store(alpha, b"content")
    tokens = [token_for(alpha, document.id, write=write) for write in (False, True)]
    end(alpha, document.id)

    for token in tokens:
        received = download(alpha, token)
        assert (received.header, received.data) == (None, b"")
        assert received.refusal.reason == reason
        assert received.refusal.metadata == {"document_id": document.id}


def test_deleting_again_answers_the_same(alpha):
    document = store(alpha, b"content")

    first, second = delete(alpha, document.id), delete(alpha, document.id)

    assert first == second


def test_undeleting_brings_back_all_that_there_was_and_the_tokens_made_before(alpha, admin):
    document = bring(admin, b"content", path="kept/", expiration_policy=ExpirationPolicy.EXPIRATION_POLICY_EXPORT)
    bring_modified_copy(admin, document.id, b"edited")
    before = get(alpha, document.id)
    read, modified = token_for(alpha, document.id), token_for(alpha, document.id, for_modified=True)
    delete(alpha, document.id)

    [result] = undelete(alpha, document.id)

    assert without_times(result.document) == without_times(before)
    assert get(alpha, document.id) == result.document
    assert (download(alpha, read).data, download(alpha, modified).data) == (b"content", b"edited")


def test_undeleting_again_answers_the_same_and_a_document_that_was_never_deleted_is_left_as_it_is(alpha):
    document = store(alpha, b"content")
    delete(alpha, document.id)

    first, second = undelete(alpha, document.id), undelete(alpha, document.id)

    assert first == second
    other = store(alpha, b"content")
    assert [result.document for result in undelete(alpha, other.id)] == [other] == [get(alpha, other.id)]


def test_an_upload_that_was_deleted_and_undeleted_can_be_confirmed(alpha):
    result = upload(alpha, b"content")
    delete(alpha, result.document.id)
    expect_refusal("DOCUMENT_DELETED", confirm, alpha, result.write_token)

    [undeleted] = undelete(alpha, result.document.id)

    assert undeleted.document.status == REQUESTED
    assert confirm(alpha, result.write_token, path="folder/").path == "folder/note.txt"


def test_a_held_document_is_still_held_after_it_was_undeleted(alpha):
    request = ConfirmUploadsRequest(
        uploads=[ConfirmUpload(token=upload(alpha, b"content").write_token)], hold=Hold(duration=Duration(seconds=500))
    )
    [held] = alpha.documents.ConfirmUploads(request).documents
    delete(alpha, held.id)

    [result] = undelete(alpha, held.id)

    assert result.document.hold_expire_time == held.hold_expire_time
    final = alpha.documents.FinalizeDocuments(FinalizeDocumentsRequest(document_ids=[held.id])).results[0].document
    assert not final.HasField("hold_expire_time")


def test_a_deleted_document_is_not_duplicated_and_not_made_final(alpha):
    document = store(alpha, b"content")
    delete(alpha, document.id)

    [duplicated] = duplicate_all(alpha, [DuplicateDocument(document_id=document.id)])
    [finalized] = alpha.documents.FinalizeDocuments(FinalizeDocumentsRequest(document_ids=[document.id])).results

    assert {reason_of(duplicated), reason_of(finalized)} == {"DOCUMENT_DELETED"}
    assert duplicated.error.metadata["document_id"] == document.id


def test_a_document_of_which_one_input_is_deleted_is_not_merged(alpha):
    kept, gone = (store(alpha, files.pdf(text), f"{text}.pdf") for text in ("kept", "gone"))
    delete(alpha, gone.id)

    refusal = expect_refusal("DOCUMENT_DELETED", jobs.start, alpha, [kept.id, gone.id], jobs.MERGE)

    assert refusal.metadata["document_id"] == gone.id


@pytest.mark.parametrize("call", [delete, undelete])
def test_a_document_that_does_not_exist_is_named(alpha, call):
    unknown = new_id()

    [result] = call(alpha, unknown)

    assert reason_of(result) == "DOCUMENT_NOT_FOUND"
    assert result.error.metadata == {"document_id": unknown}


@pytest.mark.parametrize("call", [delete, undelete])
def test_an_infected_document_stays_infected(alpha, call):
    document = store(alpha, b"content")
    infect(alpha, document.id)
    before = get(alpha, document.id)

    [result] = call(alpha, document.id)

    assert reason_of(result) == "DOCUMENT_INFECTED"
    assert result.error.metadata == {"document_id": document.id}
    assert get(alpha, document.id) == before


def test_a_duplicate_and_its_source_are_deleted_apart(alpha):
    source = store(alpha, b"content")
    made = duplicate(alpha, source.id)

    delete(alpha, source.id)
    assert content_of(alpha, made.id) == b"content"
    assert get(alpha, made.id) == made

    undelete(alpha, source.id)
    delete(alpha, made.id)
    assert content_of(alpha, source.id) == b"content"


def test_a_document_with_the_same_content_is_not_deleted_along(alpha):
    one, other = store(alpha, b"same content"), store(alpha, b"same content")

    delete(alpha, one.id)

    assert get(alpha, other.id) == other


# ---- what was made of it ------------------------------------------------------------------------------------------------


class Family:
    """Two pictures, the PDF made of each, and the merge of both PDFs."""

    def __init__(self, stubs):
        self.sources = [store(stubs, images.picture(width=width), f"{width}.png").id for width in (80, 160)]
        job = jobs.finish(stubs, jobs.start(stubs, self.sources, jobs.CONVERT, jobs.MERGE).id)
        assert job.state == jobs.DONE, job.failure
        self.job_id = job.id
        self.converted = [record.output_document_ids[0] for record in job.actions[0].records]
        [self.merged] = job.actions[1].records[0].output_document_ids


@pytest.fixture
def family(alpha):
    return Family(alpha)


def test_what_was_made_of_a_deleted_document_is_deleted_with_it_and_nothing_else(alpha, family):
    delete(alpha, family.sources[0])

    assert statuses(alpha, *family.sources) == [DELETED, UPLOADED]
    assert statuses(alpha, *family.converted) == [DELETED, UPLOADED]
    assert statuses(alpha, family.merged) == [DELETED]
    assert files.page_sizes(content_of(alpha, family.converted[1])), "the other's PDF can still be read"


def test_undeleting_brings_back_what_was_made_of_it(alpha, family):
    family_ids = [*family.sources, *family.converted, family.merged]
    before = [without_times(get(alpha, document_id)) for document_id in family_ids]
    pdf = content_of(alpha, family.merged)
    delete(alpha, family.sources[0])

    undelete(alpha, family.sources[0])

    assert [without_times(get(alpha, document_id)) for document_id in family_ids] == before
    assert content_of(alpha, family.merged) == pdf


def test_what_was_made_of_a_deleted_document_refuses_the_tokens_made_before(alpha, family):
    token = token_for(alpha, family.merged)

    delete(alpha, family.sources[1])

    assert download(alpha, token).refusal.reason == "DOCUMENT_DELETED"
    undelete(alpha, family.sources[1])
    assert download(alpha, token).refusal is None


def test_deleting_what_was_made_of_a_document_leaves_the_document(alpha, family):
    delete(alpha, family.merged)

    assert statuses(alpha, *family.sources, *family.converted) == [UPLOADED] * 4


def test_a_merge_stays_deleted_as_long_as_one_of_its_inputs_is(alpha, family):
    """It shows what is deleted."""
    delete(alpha, *family.sources)

    undelete(alpha, family.sources[0])
    assert statuses(alpha, *family.sources) == [UPLOADED, DELETED]
    assert statuses(alpha, *family.converted) == [UPLOADED, DELETED]
    assert statuses(alpha, family.merged) == [DELETED]

    undelete(alpha, family.sources[1])
    assert statuses(alpha, *family.sources, *family.converted, family.merged) == [UPLOADED] * 5


@pytest.mark.slow
def test_what_was_made_of_what_was_made_goes_and_comes_too(alpha, family):
    other = store(alpha, files.pdf("other"), "other.pdf").id
    job = jobs.finish(alpha, jobs.start(alpha, [family.merged, other], jobs.MERGE).id)
    [binder] = jobs.outputs(job)

    delete(alpha, family.sources[0])
    assert statuses(alpha, binder, other) == [DELETED, UPLOADED]

    undelete(alpha, family.sources[0])
    assert statuses(alpha, binder, other) == [UPLOADED, UPLOADED]


@pytest.mark.slow
def test_duplicates_of_what_was_made_stay(alpha, family):
    copies = [duplicate(alpha, document_id).id for document_id in (family.sources[0], family.converted[0], family.merged)]

    delete(alpha, family.sources[0])

    assert statuses(alpha, *copies) == [UPLOADED] * 3
    assert all(content_of(alpha, document_id) for document_id in copies)


def test_a_pdf_that_passed_through_is_deleted_with_its_source(alpha):
    source = store(alpha, files.pdf("text"), "form.pdf").id
    [output] = jobs.outputs(jobs.finish(alpha, jobs.start(alpha, [source], jobs.CONVERT).id))

    delete(alpha, source)
    assert statuses(alpha, source, output) == [DELETED, DELETED]

    undelete(alpha, source)
    assert content_of(alpha, output) == content_of(alpha, source)


@pytest.mark.slow
def test_an_output_that_was_reused_by_a_second_job_goes_with_its_own_input(alpha):
    """Two documents that share their bytes are converted once; the two PDFs go with their own sources."""
    source = store(alpha, images.picture(), "image.png").id
    copy = duplicate(alpha, source).id
    first, second = (
        jobs.outputs(jobs.finish(alpha, jobs.start(alpha, [document_id], jobs.CONVERT).id))[0] for document_id in (source, copy)
    )

    delete(alpha, source)

    assert statuses(alpha, source, first, copy, second) == [DELETED, DELETED, UPLOADED, UPLOADED]
    assert content_of(alpha, second)


@pytest.mark.slow
def test_the_job_itself_still_says_how_it_ended(alpha, family):
    before = jobs.job_of(alpha, family.job_id)

    delete(alpha, family.sources[0])

    assert jobs.job_of(alpha, family.job_id) == before


@pytest.mark.slow
def test_all_of_a_family_in_one_batch(alpha, family):
    family_ids = [*family.sources, *family.converted, family.merged]

    deleted = delete(alpha, *reversed(family_ids))
    assert [result.document.id for result in deleted] == list(reversed(family_ids))
    assert {result.document.status for result in deleted} == {DELETED}

    undeleted = undelete(alpha, *family_ids)
    assert {result.document.status for result in undeleted} == {UPLOADED}
    assert statuses(alpha, *family_ids) == [UPLOADED] * 5


# ---- jobs that are under way --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(queueing_server):
    return queueing_server.stubs()


@pytest.fixture(scope="module")
def worker(queueing_server):
    return queueing_server.stubs("worker")


@pytest.fixture
def job(client):
    """A job over two pictures that waits for a worker."""
    sources = [store(client, images.picture(width=width), f"{width}.png").id for width in (80, 160)]
    return jobs.start(client, sources, jobs.CONVERT, jobs.MERGE)


ENDS = {"deleted": delete, "infected": infect}


@pytest.mark.slow
@pytest.mark.needs_redis
@pytest.mark.parametrize("end", ENDS)
def test_a_job_over_a_deleted_or_infected_document_is_cancelled_and_its_watchers_are_told(client, job, end):
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(jobs.finish, client, job.id)
        ENDS[end](client, job.input_document_ids[1])
        ended = watching.result(30)

    assert ended.state == CANCELLED
    assert ended.HasField("end_time")
    assert jobs.job_of(client, job.id) == ended


@pytest.mark.slow
@pytest.mark.needs_redis
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("call", ["extend", "complete", "fail", "give back", "upload"])
def test_a_worker_at_a_deleted_or_infected_document_has_lost_its_lease(client, worker, job, end, call):
    first, second = (tasks.claim(worker, task_id) for task_id in jobs.task_ids(job))
    output = tasks.upload_output(worker, second.lease_id, files.pdf("output"))
    ENDS[end](client, job.input_document_ids[0])

    for lease_id in (first.lease_id, second.lease_id):
        attempt = {
            "extend": lambda lease_id=lease_id: tasks.extend(worker, lease_id),
            "complete": lambda lease_id=lease_id: tasks.complete(worker, lease_id, output),
            "fail": lambda lease_id=lease_id: tasks.fail(worker, lease_id, "ENGINE_CRASHED", retryable=True),
            "give back": lambda lease_id=lease_id: tasks.give_back(worker, lease_id),
            "upload": lambda lease_id=lease_id: tasks.upload_output(worker, lease_id, files.pdf("late")),
        }[call]
        expect_refusal("LEASE_LOST", attempt)

    assert jobs.job_of(client, job.id).state == CANCELLED
    assert jobs.outputs(jobs.job_of(client, job.id)) == []


@pytest.mark.needs_redis
@pytest.mark.parametrize("end", ENDS)
def test_a_worker_at_a_deleted_or_infected_document_can_read_it_no_more(client, worker, job, end):
    task = tasks.claim(worker, jobs.task_ids(job)[0])
    ENDS[end](client, job.input_document_ids[0])

    assert download(worker, task.inputs[0].read_token).refusal.reason == f"DOCUMENT_{end.upper()}"


@pytest.mark.needs_redis
@pytest.mark.parametrize("end", ENDS)
def test_nothing_more_is_begun_of_a_job_over_a_deleted_or_infected_document(client, worker, job, end):
    ENDS[end](client, job.input_document_ids[0])

    assert [tasks.claim(worker, task_id) for task_id in [*jobs.task_ids(job), *jobs.task_ids(job, 1)]] == [None] * 3


@pytest.mark.needs_redis
def test_a_job_that_was_cancelled_by_a_deletion_stays_cancelled_and_can_be_started_anew(client, worker, job):
    [first, _] = job.input_document_ids
    delete(client, first)
    undelete(client, first)

    assert jobs.job_of(client, job.id).state == CANCELLED
    assert tasks.claim(worker, jobs.task_ids(job)[0]) is None
    again = jobs.start(client, job.input_document_ids, jobs.CONVERT)
    outputs = [tasks.do(worker, task_id, files.pdf("output")) for task_id in jobs.task_ids(again)]
    assert jobs.outputs(jobs.finish(client, again.id)) == outputs


@pytest.mark.needs_redis
def test_what_a_cancelled_job_had_made_goes_with_what_it_was_made_of(client, worker, job):
    """The first picture's PDF is done when the second picture is deleted: it was not made of that one."""
    first_pdf = tasks.do(worker, jobs.task_ids(job)[0], files.pdf("first"))
    delete(client, job.input_document_ids[1])
    assert get(client, first_pdf).status == UPLOADED

    delete(client, job.input_document_ids[0])

    assert get(client, first_pdf).status == DELETED


@pytest.mark.needs_redis
def test_a_job_over_what_was_made_of_a_deleted_document_is_cancelled_too(client, worker, job):
    first, _ = job.input_document_ids
    pdf = tasks.do(worker, jobs.task_ids(job)[0], files.pdf("first"))
    other = store(client, files.pdf("other"), "other.pdf").id
    merging = jobs.start(client, [pdf, other], jobs.MERGE)
    task = tasks.claim(worker, jobs.task_ids(merging)[0])

    delete(client, first)

    assert jobs.job_of(client, merging.id).state == CANCELLED
    expect_refusal("LEASE_LOST", tasks.extend, worker, task.lease_id)


@pytest.mark.slow
@pytest.mark.needs_redis
@pytest.mark.parametrize("end", ENDS)
def test_a_deletion_and_a_completion_at_once_never_leave_an_output_that_can_be_read(queueing_server, client, worker, end):
    """Either the task is complete and its output goes with the input, or its lease is lost."""
    other = queueing_server.stubs()
    for _ in range(10):
        source, start = store(client, images.picture(), "image.png").id, Barrier(2)
        job = jobs.start(client, [source], jobs.CONVERT)
        task = tasks.claim(worker, jobs.task_ids(job)[0])
        output = tasks.upload_output(worker, task.lease_id, files.pdf("output"))

        def completing(task=task, output=output, start=start):
            start.wait(20)
            return outcomes.reason_of(outcome_of(tasks.complete, worker, task.lease_id, output))

        with ThreadPoolExecutor(1) as pool:
            completed = pool.submit(completing)
            start.wait(20)
            ENDS[end](other, source)
            reason = completed.result(30)

        state = jobs.job_of(client, job.id).state
        assert (reason, state) in {("", jobs.DONE), ("LEASE_LOST", CANCELLED)}
        left = outcome_of(get, client, output)
        assert outcomes.reason_of(left) in {"", "DOCUMENT_NOT_FOUND"}
        assert outcomes.reason_of(left) or left.status != UPLOADED, f"the output of a document that is {end} can be read"
