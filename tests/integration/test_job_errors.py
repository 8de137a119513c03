"""Jobs that are refused, and jobs that fail: each says why, whose fault it is, and what to do."""

import pytest

from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.post_processing_pb2 import Action, ConvertAction, MergeAction
from osis.document.v1.post_processing_service_pb2 import (
    GetPostProcessingRequest,
    ListPostProcessingsRequest,
    WatchPostProcessingRequest,
)
from osis_document_client import PasswordRequired, PostProcessingFailed
from tests.support import files, jobs
from tests.support.refusals import expect_refusal
from tests.support.server import serving
from tests.support.uploads import new_id, store, upload


@pytest.fixture(scope="module")
def pdf(alpha):
    return store(alpha, files.pdf("text"), "form.pdf").id


@pytest.fixture(scope="module")
def letter(alpha):
    return store(alpha, files.docx("text"), "letter.docx").id


def reason_of(job):
    return ErrorReason.Name(job.failure.reason).removeprefix("ERROR_REASON_")


def failed(stubs, name, content, *actions):
    """Starts a job over one document and returns how it failed."""
    document = store(stubs, content, name)
    job = jobs.finish(stubs, jobs.start(stubs, [document.id], *actions).id)
    assert job.state == jobs.FAILED
    return document, job


# ---- refused at the start -----------------------------------------------------------------------------------------------


def test_a_document_that_does_not_exist_is_named(alpha, pdf):
    unknown = new_id()

    refusal = expect_refusal("DOCUMENT_NOT_FOUND", jobs.start, alpha, [pdf, unknown], jobs.CONVERT)

    assert refusal.metadata["document_id"] == unknown


def test_a_document_that_is_not_confirmed_is_named(alpha, pdf):
    waiting = upload(alpha, files.pdf("text"), "form.pdf").document.id

    refusal = expect_refusal("DOCUMENT_NOT_CONFIRMED", jobs.start, alpha, [pdf, waiting], jobs.CONVERT)

    assert refusal.metadata["document_id"] == waiting


def test_only_pdfs_can_be_merged_and_the_other_document_is_named(alpha, pdf):
    image = store(alpha, files.png(), "image.png").id

    refusal = expect_refusal("MERGE_INPUT_NOT_PDF", jobs.start, alpha, [pdf, image], jobs.MERGE)

    assert refusal.metadata["document_id"] == image
    assert refusal.metadata["mime_type"] == "image/png"
    assert "onvert" in refusal.message


def test_a_type_that_no_converter_takes_is_named(tmp_path):
    with serving(tmp_path / "zips", ALLOWED_EXTENSIONS="zip pdf", ENABLE_MIMETYPE_VALIDATION="false") as server:
        stubs = server.stubs()
        archive = store(stubs, files.archive(readme=b"words"), "archive.zip").id

        refusal = expect_refusal("TYPE_NOT_CONVERTIBLE", jobs.start, stubs, [archive], jobs.CONVERT)

        assert refusal.metadata["document_id"] == archive
        assert refusal.metadata["mime_type"] == "application/zip"


@pytest.mark.parametrize("count", [0, 1001])
def test_no_document_at_all_and_more_than_a_thousand_are_refused(alpha, pdf, count):
    refusal = expect_refusal("BATCH_TOO_LARGE", jobs.start, alpha, [pdf] * count, jobs.CONVERT)

    assert refusal.metadata["count"] == str(count)
    assert refusal.metadata["limit"] == "1000"


@pytest.mark.parametrize(
    "actions",
    [
        pytest.param([], id="none"),
        pytest.param([Action()], id="empty"),
        pytest.param([jobs.CONVERT, jobs.MERGE, jobs.CONVERT], id="merge-not-last"),
        pytest.param([jobs.CONVERT, jobs.MERGE, jobs.MERGE], id="two-merges"),
        pytest.param([jobs.CONVERT, Action(merge=MergeAction(paper_size=99))], id="unknown-paper-size"),
        pytest.param([Action(convert=ConvertAction(pdf_profile=99))], id="unknown-profile"),
        pytest.param([Action(convert=ConvertAction(page_range="3-x"))], id="page-range"),
        pytest.param([Action(convert=ConvertAction(page_range="0"))], id="page-zero"),
        pytest.param([Action(convert=ConvertAction(page_range="5-2"))], id="backward-page-range"),
    ],
)
def test_actions_that_make_no_sense_are_refused_by_the_fields_name(alpha, letter, actions):
    refusal = expect_refusal("ARGUMENT_INVALID", jobs.start, alpha, [letter], *actions)

    assert "actions" in " ".join(refusal.fields)


def test_more_actions_than_a_job_takes_are_refused_with_the_limit(alpha, letter):
    refusal = expect_refusal("ARGUMENT_INVALID", jobs.start, alpha, [letter], *[jobs.CONVERT] * 10, jobs.MERGE)

    assert "actions" in refusal.fields
    assert (refusal.metadata["count"], refusal.metadata["limit"]) == ("11", "10")


@pytest.mark.parametrize("name", ["../x.pdf", "a/b", "a\nb", "x" * 300])
@pytest.mark.parametrize("action", ["convert", "merge"])
def test_an_output_name_that_is_no_file_name_is_refused(alpha, pdf, action, name):
    asked = {
        "convert": Action(convert=ConvertAction(output_filename=name)),
        "merge": Action(merge=MergeAction(output_filename=name)),
    }

    expect_refusal("NAME_INVALID", jobs.start, alpha, [pdf], asked[action])


def test_a_job_that_does_not_exist_is_not_found(alpha):
    unknown, stubs = new_id(), alpha.post_processings

    for call, request in (
        (stubs.GetPostProcessing, GetPostProcessingRequest(post_processing_id=unknown)),
        (stubs.WatchPostProcessing, WatchPostProcessingRequest(post_processing_id=unknown)),
    ):
        assert expect_refusal("POST_PROCESSING_NOT_FOUND", call, request).metadata == {"post_processing_id": unknown}


@pytest.mark.parametrize("field", ["states", "types"])
def test_jobs_are_not_looked_for_by_more_values_than_there_can_be(alpha, field):
    request = ListPostProcessingsRequest(**{field: [1] * 101})

    refusal = expect_refusal("ARGUMENT_INVALID", alpha.post_processings.ListPostProcessings, request)

    assert field in refusal.fields


# ---- failed by a worker -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.needs_libreoffice
@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param("broken.docx", files.broken_docx(), "DOCUMENT_UNREADABLE", id="broken-docx"),
        pytest.param("password.docx", files.PASSWORD_DOCX.read_bytes(), "PASSWORD_REQUIRED", id="password-docx"),
        pytest.param("broken.png", files.png(200)[:120], "DOCUMENT_UNREADABLE", id="cut-png"),
        pytest.param("broken.jpg", files.turned_jpeg()[:500], "DOCUMENT_UNREADABLE", id="cut-jpeg"),
    ],
)
def test_a_document_that_cannot_be_converted_fails_its_job_and_is_named(alpha, name, content, reason):
    document, job = failed(alpha, name, content, jobs.CONVERT, jobs.MERGE)

    assert reason_of(job) == reason
    assert job.failure.document_id == document.id
    assert job.failure.retryable is False
    assert len(job.failure.message) > 20
    assert job.HasField("end_time")
    assert job.actions[0].state == jobs.FAILED
    assert job.actions[0].failure == job.failure
    assert jobs.outputs(job) == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param("password.pdf", files.password_pdf(), "PASSWORD_REQUIRED", id="password-pdf"),
        pytest.param("broken.pdf", files.pdf_of_size(5000), "DOCUMENT_UNREADABLE", id="broken-pdf"),
    ],
)
def test_a_pdf_that_cannot_be_merged_fails_its_job_and_is_named(alpha, pdf, name, content, reason):
    document = store(alpha, content, name)

    job = jobs.finish(alpha, jobs.start(alpha, [pdf, document.id], jobs.MERGE).id)

    assert job.state == jobs.FAILED
    assert reason_of(job) == reason
    assert job.failure.document_id == document.id
    assert job.failure.retryable is False


@pytest.mark.slow
@pytest.mark.needs_libreoffice
def test_one_bad_document_among_good_ones_fails_the_job_and_the_good_outputs_stay_out_of_the_merge(alpha, pdf):
    bad = store(alpha, files.broken_docx(), "broken.docx").id

    job = jobs.finish(alpha, jobs.start(alpha, [pdf, bad], jobs.CONVERT, jobs.MERGE).id)

    assert job.state == jobs.FAILED
    assert job.failure.document_id == bad
    assert job.tasks_done < job.tasks_total == 3
    assert list(job.actions[1].records[0].output_document_ids) == []


def test_the_client_library_raises_the_class_of_the_reason(server, alpha):
    document = store(alpha, files.password_pdf(), "password.pdf")

    with server.client() as client, pytest.raises(PostProcessingFailed) as caught:
        client.wait(client.start([document.id], [jobs.MERGE]).id, timeout=60)

    assert type(caught.value.error) is PasswordRequired
    assert caught.value.error.metadata["document_id"] == document.id


def test_a_failed_job_can_be_asked_for_again_and_answers_the_same(alpha, pdf):
    _, job = failed(alpha, "password.pdf", files.password_pdf(), jobs.MERGE)

    assert jobs.job_of(alpha, job.id) == job
    assert list(jobs.watch(alpha, job.id)) == [job]


@pytest.mark.slow
def test_without_libreoffice_a_conversion_fails_and_names_the_missing_program(tmp_path):
    nothing = tmp_path / "bin"
    nothing.mkdir()
    with serving(tmp_path / "bare", environment={"PATH": str(nothing)}, SWEEP_SECONDS="0.3", RESEND_SECONDS="1") as server:
        stubs = server.stubs()

        _, job = failed(stubs, "letter.docx", files.docx("text"), jobs.CONVERT)

        assert reason_of(job) == "CONVERTER_MISSING"
        assert "LibreOffice" in job.failure.message or "soffice" in job.failure.message
        assert job.failure.retryable is True


def test_the_only_document_of_a_merge_is_named_once(alpha):
    _, job = failed(alpha, "locked.pdf", files.password_pdf(), jobs.MERGE)

    assert reason_of(job) == "PASSWORD_REQUIRED"
    assert job.failure.message.count("'locked.pdf'") == 1
