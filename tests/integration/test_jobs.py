"""Jobs that go well: names, order, repetition, reuse."""

import hashlib

import pytest

from osis.document.v1.post_processing_pb2 import Action, ConvertAction, MergeAction, PaperSize
from tests.support import files, jobs
from tests.support.documents import get
from tests.support.downloads import content_of
from tests.support.refusals import expect_refusal
from tests.support.uploads import new_id, store


def run(stubs, document_ids, *actions):
    job = jobs.finish(stubs, jobs.start(stubs, document_ids, *actions).id)
    assert job.state == jobs.DONE, job.failure
    return job


@pytest.fixture(scope="module")
def pdfs(alpha):
    return [store(alpha, files.pdf(f"{name} page"), f"{name}.pdf").id for name in ("first", "second", "third")]


@pytest.mark.slow
def test_the_answer_to_a_start_is_the_job_with_its_tasks_counted(alpha, pdfs):
    job = jobs.start(alpha, pdfs, jobs.CONVERT, jobs.MERGE)

    assert job.tasks_total == 4
    assert list(job.input_document_ids) == pdfs
    assert job.client == "alpha"
    assert [action.action for action in job.actions] == [jobs.CONVERT, jobs.MERGE]
    assert job.create_time.seconds > 0
    assert jobs.finish(alpha, job.id).state == jobs.DONE


def test_pages_are_merged_in_the_order_of_the_documents_duplicates_included(alpha, pdfs):
    first, second, third = pdfs

    job = run(alpha, [third, first, third, second], jobs.MERGE)

    [output] = jobs.outputs(job)
    assert files.page_texts(content_of(alpha, output)) == ["third page", "first page", "third page", "second page"]
    assert list(job.input_document_ids) == [third, first, third, second]


@pytest.mark.slow
def test_a_merge_is_named_merged_unless_asked_otherwise_and_ends_in_pdf(alpha, pdfs):
    names = [
        get(alpha, jobs.outputs(run(alpha, pdfs[:1], Action(merge=MergeAction(output_filename=name))))[0]).name
        for name in ("", "dossier", "dossier.pdf", "été 2026")
    ]

    assert names == ["merged.pdf", "dossier.pdf", "dossier.pdf", "été 2026.pdf"]


def test_conversions_that_share_a_name_are_numbered(alpha, pdfs):
    job = run(alpha, pdfs, Action(convert=ConvertAction(output_filename="part.pdf")))

    names = [get(alpha, output).name for output in jobs.outputs(job)]
    assert len(set(names)) == 3
    assert all(name.startswith("part") and name.endswith(".pdf") for name in names)


def test_without_a_paper_size_pages_keep_their_own(alpha, pdfs):
    [output] = jobs.outputs(run(alpha, pdfs, jobs.MERGE))

    assert files.page_sizes(content_of(alpha, output)) == [(420, 595)] * 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("paper_size", "points"),
    [("A3", (842, 1191)), ("A6", (298, 420)), ("LETTER", (612, 792)), ("LEGAL", (612, 1008)), ("C4", (649, 918))],
)
def test_pages_are_fitted_to_the_paper_size_that_was_asked_for(alpha, pdfs, paper_size, points):
    [output] = jobs.outputs(
        run(alpha, pdfs[:1], Action(merge=MergeAction(paper_size=PaperSize.Value(f"PAPER_SIZE_{paper_size}"))))
    )

    content = content_of(alpha, output)
    assert files.page_sizes(content) == [points]
    assert files.page_texts(content) == ["first page"]


def test_outputs_are_described_by_what_they_hold(alpha, pdfs):
    [output] = jobs.outputs(run(alpha, pdfs, jobs.MERGE))
    document, content = get(alpha, output), content_of(alpha, output)

    assert document.sha256 == hashlib.sha256(content).hexdigest()
    assert document.size_bytes == len(content)
    assert document.mime_type == "application/pdf"
    assert document.client == "alpha"


def test_starting_again_with_the_same_request_id_answers_the_first_job(alpha, pdfs):
    request_id = new_id()
    first = jobs.start(alpha, pdfs, jobs.MERGE, request_id=request_id)
    jobs.finish(alpha, first.id)

    again = jobs.start(alpha, pdfs, jobs.MERGE, request_id=request_id)

    assert again.id == first.id
    assert again.state == jobs.DONE


def test_a_request_id_that_was_used_for_another_job_conflicts(alpha, pdfs):
    request_id = new_id()
    jobs.start(alpha, pdfs, jobs.MERGE, request_id=request_id)

    refusal = expect_refusal("REQUEST_ID_CONFLICT", jobs.start, alpha, pdfs[:2], jobs.MERGE, request_id=request_id)

    assert refusal.metadata["request_id"] == request_id


def test_two_clients_may_use_the_same_request_id(alpha, beta, pdfs):
    request_id = new_id()

    ids = {jobs.start(stubs, pdfs, jobs.MERGE, request_id=request_id).id for stubs in (alpha, beta)}

    assert len(ids) == 2


@pytest.mark.needs_libreoffice
def test_a_document_that_was_converted_before_with_the_same_options_is_not_converted_again(alpha):
    letter = store(alpha, files.docx("Convert me once"), "letter.docx").id

    first, second = (jobs.outputs(run(alpha, [letter], jobs.CONVERT))[0] for _ in range(2))

    assert get(alpha, first).sha256 == get(alpha, second).sha256


@pytest.mark.needs_libreoffice
def test_a_title_and_a_page_range_are_honoured(alpha):
    text = store(alpha, "\f".join(f"Text of page {number}" for number in range(1, 6)).encode(), "pages.txt").id
    whole = content_of(alpha, jobs.outputs(run(alpha, [text], jobs.CONVERT))[0])

    asked = Action(convert=ConvertAction(page_range="2-3,5", title="A title"))
    part = content_of(alpha, jobs.outputs(run(alpha, [text], asked))[0])

    texts = files.page_texts(whole)
    assert len(texts) == 5
    assert files.page_texts(part) == [texts[1], texts[2], texts[4]]
    assert files.title_of(part) == "A title"


@pytest.mark.slow
@pytest.mark.needs_libreoffice
def test_accents_survive_whatever_encoding_a_text_is_in(alpha):
    accents = "Élève à l'été, garçon"
    texts = [store(alpha, accents.encode(encoding), f"{encoding}.txt").id for encoding in ("utf-8", "latin-1", "utf-16")]

    outputs = jobs.outputs(run(alpha, texts, jobs.CONVERT))

    assert [files.page_texts(content_of(alpha, output)) for output in outputs] == [[accents]] * 3
