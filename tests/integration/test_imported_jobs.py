"""Recording jobs that another system did, with an admin's key."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.post_processing_pb2 import (
    ActionStatus,
    PostProcessingFailure,
    PostProcessingRecord,
    PostProcessingState,
    PostProcessingType,
)
from osis.document.v1.post_processing_service_pb2 import ImportedPostProcessing, StartPostProcessingRequest
from osis.document.v1.token_service_pb2 import CreateTokenRequest
from tests.support import files, jobs
from tests.support.changes import delete
from tests.support.documents import get
from tests.support.refusals import expect_refusal
from tests.support.uploads import new_id, store, store_all

THEN = Timestamp(seconds=1_500_000_000)
RUNNING, DONE, FAILED = jobs.RUNNING, jobs.DONE, jobs.FAILED
CANCELLED = PostProcessingState.POST_PROCESSING_STATE_CANCELLED


@pytest.fixture
def admin(server):
    return server.stubs("admin")


def record(inputs, outputs=(), state=DONE):
    return PostProcessingRecord(id=new_id(), state=state, input_document_ids=inputs, output_document_ids=outputs)


def status(*records, state=DONE, failure=None):
    return ActionStatus(state=state, records=records, failure=failure)


def importing(stubs, document_ids, actions, *statuses, state=DONE, job_id=None, failure=None):
    """Records a job, and returns it."""
    imported = ImportedPostProcessing(
        post_processing_id=job_id or new_id(), actions=statuses, state=state, failure=failure, create_time=THEN
    )
    request = StartPostProcessingRequest(document_ids=document_ids, actions=actions, imported=imported)
    return stubs.post_processings.StartPostProcessing(request).post_processing


def test_a_job_of_another_system_is_known_here_as_it_was_there(admin, alpha):
    first, second = store_all(alpha, [("a.txt", b"a"), ("b.txt", b"b")])
    a, b, merged = store_all(alpha, [("a.pdf", files.pdf("a")), ("b.pdf", files.pdf("b")), ("c.pdf", files.pdf("c"))])
    converted, joined = (record([first], [a]), record([second], [b])), record([a, b], [merged])
    joined.type = PostProcessingType.POST_PROCESSING_TYPE_MERGE
    job_id = new_id()

    job = importing(admin, [first, second], [jobs.CONVERT, jobs.MERGE], status(*converted), status(joined), job_id=job_id)

    assert job == jobs.job_of(alpha, job_id)
    assert (job.id, job.state, job.create_time) == (job_id, DONE, THEN)
    assert list(job.input_document_ids) == [first, second]
    assert (job.tasks_done, job.tasks_total) == (3, 3)
    assert [one.id for action in job.actions for one in action.records] == [one.id for one in (*converted, joined)]
    assert [list(one.output_document_ids) for action in job.actions for one in action.records] == [[a], [b], [merged]]
    assert alpha.tokens.CreateToken(CreateTokenRequest(document_id=first)).token.document_id == merged


def test_recording_it_again_changes_nothing(admin, alpha):
    source, output = store_all(alpha, [("a.txt", b"a"), ("a.pdf", files.pdf("a"))])
    made, job_id = status(record([source], [output])), new_id()

    once = importing(admin, [source], [jobs.CONVERT], made, job_id=job_id)

    assert importing(admin, [source], [jobs.CONVERT], made, job_id=job_id) == once
    refusal = expect_refusal("REQUEST_ID_CONFLICT", importing, admin, [output], [jobs.CONVERT], made, job_id=job_id)
    assert refusal.metadata["post_processing_id"] == job_id


def test_a_job_that_failed_there_has_failed_with_its_reason(admin, alpha):
    source = store(alpha, b"a").id
    failure = PostProcessingFailure(
        reason=ErrorReason.ERROR_REASON_PASSWORD_REQUIRED, message="It has a password.", document_id=source
    )
    attempt = status(record([source], state=FAILED), state=FAILED, failure=failure)

    job = importing(admin, [source], [jobs.CONVERT, jobs.MERGE], attempt, status(state=CANCELLED), state=FAILED, failure=failure)

    assert (job.state, job.failure, job.actions[0].failure) == (FAILED, failure, failure)
    assert jobs.finish(alpha, job.id) == job


@pytest.mark.needs_libreoffice
def test_a_job_that_had_not_ended_starts_again_under_its_id(admin, alpha):
    source, job_id = store(alpha, b"to be converted").id, new_id()

    started = importing(admin, [source], [jobs.CONVERT], state=RUNNING, job_id=job_id)

    assert started.id == job_id
    ended = jobs.finish(alpha, job_id)
    assert ended.state == DONE
    assert get(alpha, jobs.outputs(ended)[0]).mime_type == "application/pdf"
    assert importing(admin, [source], [jobs.CONVERT], state=RUNNING, job_id=job_id) == ended


@pytest.mark.needs_libreoffice
def test_a_conversion_of_another_system_is_not_used_again(admin, alpha):
    source, output = store_all(alpha, [("a.txt", b"converted there"), ("a.pdf", files.pdf("a"))])
    importing(admin, [source], [jobs.CONVERT], status(record([source], [output])))

    ended = jobs.finish(alpha, jobs.start(alpha, [source], jobs.CONVERT).id)

    assert jobs.outputs(ended) != [output]


def test_what_is_done_to_a_document_is_done_to_what_was_made_of_it_there(admin, alpha):
    source, output = store_all(alpha, [("a.txt", b"a"), ("a.pdf", files.pdf("a"))])
    importing(admin, [source], [jobs.CONVERT], status(record([source], [output])))

    delete(alpha, source)

    expect_refusal("DOCUMENT_DELETED", alpha.tokens.CreateToken, CreateTokenRequest(document_id=output))


def test_what_cannot_be_so_is_refused_and_not_kept(admin, alpha, server):
    source, output = store_all(alpha, [("a.txt", b"a"), ("a.pdf", files.pdf("a"))])
    made = record([source], [output])
    before = server.rows("job")

    for reason, wrong in {
        "an output that is no document": ("DOCUMENT_NOT_FOUND", [status(record([source], [new_id()]))]),
        "done without an output": ("ARGUMENT_INVALID", [status(record([source]))]),
        "done without a record": ("ARGUMENT_INVALID", [status()]),
        "more actions than were asked for": ("ARGUMENT_INVALID", [status(made), status(made)]),
    }.values():
        expect_refusal(reason, importing, admin, [source], [jobs.CONVERT], *wrong)
    expect_refusal("ARGUMENT_INVALID", importing, admin, [source], [jobs.CONVERT], status(made), state=0)
    refusal = expect_refusal("ARGUMENT_INVALID", importing, admin, [source], [jobs.CONVERT], status(made), state=FAILED)
    assert "imported.failure" in refusal.fields
    merged = record([source], [output])
    merged.type = PostProcessingType.POST_PROCESSING_TYPE_MERGE
    refusal = expect_refusal("ARGUMENT_INVALID", importing, admin, [source], [jobs.CONVERT], status(merged))
    assert "imported.actions[0].records[0].type" in refusal.fields
    expect_refusal("ROLE_NOT_ALLOWED", importing, alpha, [source], [jobs.CONVERT], status(made))

    assert server.rows("job") == before
