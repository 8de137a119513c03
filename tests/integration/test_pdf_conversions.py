"""Conversions of documents that are PDFs already: passed through, or their pages and title as asked."""

import pytest

from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.post_processing_pb2 import Action, ConvertAction, PdfProfile
from tests.support import files, jobs
from tests.support.documents import get
from tests.support.downloads import content_of
from tests.support.refusals import expect_refusal
from tests.support.uploads import store

PDF_A = PdfProfile.PDF_PROFILE_PDF_A_2B


def asked(**options) -> Action:
    return Action(convert=ConvertAction(**options))


def run(client, documents, *actions):
    return jobs.finish(client, jobs.start(client, documents, *actions).id)


def output(client, document, *actions) -> bytes:
    """What the job made last, of one document."""
    job = run(client, [document], *actions)
    assert job.state == jobs.DONE, job
    return content_of(client, jobs.outputs(job)[-1])


@pytest.fixture(scope="module")
def form(alpha):
    """A PDF of four pages."""
    return store(alpha, files.pdf("one", "two", "three", "four"), "form.pdf").id


def test_without_options_a_pdf_is_the_same_bytes_at_once(alpha, form):
    job = jobs.start(alpha, [form], jobs.CONVERT)

    assert job.state == jobs.DONE
    [made] = jobs.outputs(job)
    assert made != form
    assert get(alpha, made).sha256 == get(alpha, form).sha256


def test_pages_and_title_are_those_asked_for_and_the_document_stays_as_it_was(alpha, form):
    before = content_of(alpha, form)
    job = run(alpha, [form], asked(page_range="2-3", title="The middle", output_filename="middle"))

    assert job.state == jobs.DONE, job
    [made] = jobs.outputs(job)
    part = content_of(alpha, made)
    assert files.page_texts(part) == ["two", "three"]
    assert files.title_of(part) == "The middle"
    assert (get(alpha, made).name, get(alpha, made).mime_type) == ("middle.pdf", "application/pdf")
    assert content_of(alpha, form) == before


def test_the_same_options_reuse_what_was_made_and_others_do_not(alpha):
    form = store(alpha, files.pdf("uno", "due", "tre"), "reused.pdf").id
    first = run(alpha, [form], asked(page_range="1"))
    assert files.page_texts(content_of(alpha, jobs.outputs(first)[0])) == ["uno"]

    again = jobs.start(alpha, [form], asked(page_range="1", output_filename="another name"))
    assert again.state == jobs.DONE, "without a worker"
    assert [get(alpha, made).sha256 for made in jobs.outputs(again)] == [get(alpha, made).sha256 for made in jobs.outputs(first)]

    assert files.page_texts(output(alpha, form, asked(page_range="2"))) == ["due"]
    titled = output(alpha, form, asked(page_range="1", title="Titled"))
    assert (files.page_texts(titled), files.title_of(titled)) == (["uno"], "Titled")
    assert output(alpha, form, jobs.CONVERT) == content_of(alpha, form)


def test_a_merge_takes_the_pages_that_the_conversion_before_it_left(alpha, form):
    other = store(alpha, files.pdf("ten", "eleven"), "other.pdf").id
    job = run(alpha, [form, other], asked(page_range="2-"), jobs.MERGE)

    assert job.state == jobs.DONE, job
    assert files.page_texts(content_of(alpha, jobs.outputs(job)[-1])) == ["two", "three", "four", "eleven"]


def test_a_conversion_after_a_conversion_works_on_its_result(alpha, form):
    assert files.page_texts(output(alpha, form, asked(page_range="2-4"), asked(page_range="2"))) == ["three"]
    assert files.page_texts(output(alpha, form, asked(page_range="2-4"), jobs.CONVERT)) == ["two", "three", "four"]


def test_pages_that_a_pdf_does_not_have_fail_the_job_by_its_name(alpha, form):
    job = run(alpha, [form], asked(page_range="7-9"))

    assert job.state == jobs.FAILED
    assert ErrorReason.Name(job.failure.reason) == "ERROR_REASON_DOCUMENT_UNREADABLE"
    assert job.failure.message == "'form.pdf': The document has none of the pages 7-9. Ask for pages that it has."
    assert (job.failure.document_id, job.failure.retryable) == (form, False)


def test_pdf_a_of_a_pdf_is_refused_at_once(alpha, form):
    refusal = expect_refusal("TYPE_NOT_CONVERTIBLE", jobs.start, alpha, [form], asked(pdf_profile=PDF_A))

    assert refusal.metadata["document_id"] == form
    assert refusal.metadata["mime_type"] == "application/pdf"
    assert "PDF already" in refusal.message


@pytest.mark.one_database
def test_pdf_a_of_a_pdf_that_was_just_made_fails_the_job(alpha):
    picture = store(alpha, files.png(), "picture.png").id

    job = run(alpha, [picture], jobs.CONVERT, asked(pdf_profile=PDF_A))

    assert job.state == jobs.FAILED
    assert ErrorReason.Name(job.failure.reason) == "ERROR_REASON_TYPE_NOT_CONVERTIBLE"
