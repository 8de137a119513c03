"""Documents through the whole system: uploaded, confirmed, converted, merged, watched, downloaded."""

import hashlib
import io

import pytest
from pypdf import PdfReader

from osis.document.v1.post_processing_pb2 import PostProcessingState, PostProcessingType
from osis_document_client import Client, convert, merge
from tests.support import files
from tests.support.uploads import new_id

pytestmark = [pytest.mark.one_database, pytest.mark.needs_libreoffice]

A4 = (595, 842)
PENDING = PostProcessingState.POST_PROCESSING_STATE_PENDING
RUNNING = PostProcessingState.POST_PROCESSING_STATE_RUNNING
DONE = PostProcessingState.POST_PROCESSING_STATE_DONE
CONVERT = PostProcessingType.POST_PROCESSING_TYPE_CONVERT
MERGE = PostProcessingType.POST_PROCESSING_TYPE_MERGE


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("server", id="memory"),
        pytest.param("distributed_server", id="redis", marks=[pytest.mark.needs_redis, pytest.mark.slow]),
    ],
)
def client(request):
    """The client library, over a server with its worker inside and over one whose worker is a process of its own."""
    with request.getfixturevalue(request.param).client() as client:
        yield client


class Run:
    """One job over a letter, a photo, a text and a PDF, followed to its end."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.sent = {
            "letter.docx": files.docx("A letter from Word"),
            "photo.jpg": files.turned_jpeg(),
            "notes.txt": "Élève, été, œuvre\n".encode(),
            "form.pdf": files.pdf("Form page one", "Form page two"),
        }
        uploads = [client.upload(io.BytesIO(content), name=name) for name, content in self.sent.items()]
        self.documents = client.confirm(uploads, path="admission/")
        job = client.start(
            [document.id for document in self.documents], [convert(), merge("dossier", paper_size="A4")], request_id=new_id()
        )
        self.seen = [job, *client.watch(job.id, timeout=100)]
        self.job = self.seen[-1]
        self.converted = [
            client.get_document(output) for record in self.job.actions[0].records for output in record.output_document_ids
        ]

    def read(self, document_id: str) -> bytes:
        """The content of a document itself."""
        target = io.BytesIO()
        token = self.client.create_token(document_id, wanted_post_process="WANTED_POST_PROCESS_ORIGINAL").token.token
        self.client.download(token, target)
        return target.getvalue()


@pytest.fixture(scope="module")
def run(client):
    return Run(client)


@pytest.fixture(scope="module")
def merged(run):
    """The merged PDF's document and content."""
    [record] = run.job.actions[1].records
    [document_id] = record.output_document_ids
    return run.client.get_document(document_id), run.read(document_id)


def test_every_upload_comes_back_byte_for_byte_with_the_sha256_of_its_content(run):
    for document, content in zip(run.documents, run.sent.values(), strict=True):
        assert run.read(document.id) == content
        assert document.sha256 == hashlib.sha256(content).hexdigest()
        assert document.size_bytes == len(content)


def test_the_types_are_found_in_the_content(run):
    assert [document.mime_type for document in run.documents] == [
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "image/jpeg",
        "text/plain",
        "application/pdf",
    ]


def test_a_path_that_is_a_folder_gets_the_names_of_the_documents_confirmed_under_it(run):
    assert [document.path for document in run.documents] == [f"admission/{name}" for name in run.sent]


def test_a_job_is_seen_in_states_that_only_go_forward_and_ends_done(run):
    order = [PENDING, RUNNING, DONE]
    seen = [order.index(job.state) for job in run.seen]

    assert seen == sorted(seen)
    assert run.job.state == DONE
    assert [action.state for action in run.job.actions] == [DONE, DONE]
    assert not run.job.HasField("failure")
    assert run.job.HasField("end_time")


def test_the_tasks_done_never_decrease_and_end_at_all_of_them(run):
    done = [job.tasks_done for job in run.seen]

    assert done == sorted(done)
    assert {job.tasks_total for job in run.seen} == {5}
    assert done[-1] == 5


def test_there_is_one_record_per_conversion_in_order_and_one_for_the_merge(run):
    conversions, merges = run.job.actions[0].records, run.job.actions[1].records

    assert [record.type for record in [*conversions, *merges]] == [CONVERT] * 4 + [MERGE]
    assert [list(record.input_document_ids) for record in conversions] == [[document.id] for document in run.documents]
    assert list(merges[0].input_document_ids) == [document.id for document in run.converted]
    assert len({record.id for record in [*conversions, *merges]}) == 5


def test_converting_two_documents_and_merging_them_makes_three_records(client):
    uploads = [client.upload(io.BytesIO(files.pdf(text)), name=f"{text}.pdf") for text in ("one", "two")]
    ids = [document.id for document in client.confirm(uploads)]

    job = client.wait(client.start(ids, [convert(), merge()]).id, timeout=60)

    assert [len(action.records) for action in job.actions] == [2, 1]
    assert job.tasks_done == 3


def test_outputs_are_confirmed_pdfs_named_after_their_sources(run):
    assert [document.name for document in run.converted] == ["letter.pdf", "photo.pdf", "notes.pdf", "form.pdf"]
    assert {document.mime_type for document in run.converted} == {"application/pdf"}
    assert {document.status for document in run.converted} == {run.documents[0].status}


def test_a_pdf_passes_through_as_a_document_of_its_own_that_shares_the_bytes(run):
    source, output = run.documents[3], run.converted[3]

    assert output.id != source.id
    assert output.sha256 == source.sha256
    assert run.read(output.id) == run.sent["form.pdf"]


def test_each_conversion_holds_the_text_of_its_source(run):
    texts = [" ".join(files.page_texts(run.read(document.id))) for document in run.converted]

    assert texts == ["A letter from Word", "", "Élève, été, œuvre", "Form page one Form page two"]


def test_a_photo_is_shown_upright_as_its_exif_orientation_says(run):
    [(width, height)] = files.page_sizes(run.read(run.converted[1].id))

    assert height == pytest.approx(2 * width, abs=2)


def test_the_merge_has_the_pages_of_all_documents_in_order(run, merged):
    _, content = merged

    assert files.page_texts(content) == ["A letter from Word", "", "Élève, été, œuvre", "Form page one", "Form page two"]


def test_the_pages_of_the_merge_are_all_a4_upright_where_their_sources_were(run, merged):
    _, content = merged

    assert files.page_sizes(content) == [A4] * 5


def test_the_merge_has_the_name_that_was_asked_for_and_the_sha256_of_its_content(run, merged):
    document, content = merged

    assert document.name == "dossier.pdf"
    assert document.sha256 == hashlib.sha256(content).hexdigest()


def test_the_merge_has_a_bookmark_for_each_document(run, merged):
    _, content = merged
    reader = PdfReader(io.BytesIO(content))

    assert [reader.get_destination_page_number(mark) for mark in reader.outline] == [0, 1, 2, 3]
    assert [mark.title for mark in reader.outline] == list(run.sent)
