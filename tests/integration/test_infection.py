"""Declaring documents infected: for good, with all that shares their bytes and all that was made of them."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import grpc
import pytest

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.document_service_pb2 import DeclareInfectedRequest, DuplicateDocument, FinalizeDocumentsRequest
from osis.document.v1.download_service_pb2 import DownloadRequest
from osis.document.v1.token_service_pb2 import InspectTokenRequest
from tests.support import files, images, jobs, tasks
from tests.support.changes import delete, duplicate, duplicate_all, infect, reason_of, rotate, save_edit
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.imports import bring, bring_modified_copy
from tests.support.refusals import expect_refusal, refusal_of
from tests.support.uploads import MEBIBYTE, confirm, new_id, store, token_for, upload

UPLOADED = DocumentStatus.DOCUMENT_STATUS_UPLOADED
INFECTED = DocumentStatus.DOCUMENT_STATUS_INFECTED


@pytest.fixture(scope="module")
def admin(server):
    return server.stubs("admin")


def status_of(stubs, document_id):
    return get(stubs, document_id).status


def expect_infected(documents, *document_ids):
    """All of them, each once, and no others."""
    assert sorted(document.id for document in documents) == sorted(document_ids)
    assert {document.status for document in documents} == {INFECTED}


def require_no_open_document_shares_bytes_with_an_infected_one(server):
    """Looks at the whole database."""
    rows = server.rows("document")

    def keys_of(*statuses):
        found = [row for row in rows if row["status"] in statuses]
        return {row[column] for row in found for column in ("blob_key", "modified_blob_key")} - {None}

    assert keys_of("INFECTED") & keys_of("REQUESTED", "UPLOADED") == set()


# ---- which documents ----------------------------------------------------------------------------------------------------


def test_an_infected_document_is_described_by_its_id_alone(alpha):
    document = store(alpha, b"content")
    token = token_for(alpha, document.id)

    [infected] = infect(alpha, document.id)

    assert infected == get(alpha, document.id)
    assert (infected.status, infected.sha256, infected.name) == (INFECTED, document.sha256, document.name)
    expect_refusal("DOCUMENT_INFECTED", get, alpha, token=token)
    refusal = alpha.tokens.InspectToken(InspectTokenRequest(token=token)).refusal
    assert refusal.metadata == {"document_id": document.id}


def test_declaring_again_answers_the_same(alpha):
    document = store(alpha, b"content")
    copies = [duplicate(alpha, document.id).id for _ in range(3)]

    first, second = infect(alpha, document.id), infect(alpha, document.id)

    expect_infected(first, document.id, *copies)
    assert first == second


def test_the_document_that_was_named_comes_first(alpha):
    source = store(alpha, b"content")
    copies = [duplicate(alpha, source.id).id for _ in range(5)]

    infected = infect(alpha, copies[2])

    assert infected[0].id == copies[2]
    expect_infected(infected, source.id, *copies)


def test_every_document_with_a_path_is_infected_and_no_other(alpha):
    folder = f"infection/{new_id()}/"

    def at(path):
        return confirm(alpha, upload(alpha, b"content").write_token, path=folder + path).id

    one, two = at("letter.txt"), at("letter.txt")
    others = [at(path) for path in ("letter.txt.txt", "letter", "Letter.txt", "lette_.txt", "letter%", "x/letter.txt")]

    infected = infect(alpha, path=f"{folder}letter.txt")

    expect_infected(infected, one, two)
    assert {status_of(alpha, document_id) for document_id in others} == {UPLOADED}


def test_the_documents_with_the_path_come_first_and_then_what_shares_their_bytes(alpha):
    folder = f"infection/{new_id()}/"
    named = [confirm(alpha, upload(alpha, b"content").write_token, path=f"{folder}letter.txt").id for _ in range(2)]
    copies = [duplicate(alpha, document_id, path=f"{folder}copy.txt").id for document_id in named]

    infected = infect(alpha, path=f"{folder}letter.txt")

    assert {document.id for document in infected[:2]} == set(named)
    expect_infected(infected, *named, *copies)


def test_a_path_is_found_whatever_characters_it_has(alpha):
    folder = f"infection/{new_id()}/"
    path = f"{folder}été %_' 😀.txt"
    document = confirm(alpha, upload(alpha, b"content").write_token, path=path)

    expect_infected(infect(alpha, path=path), document.id)


def test_a_path_is_found_however_its_accents_are_written(alpha):
    folder = f"infection/{new_id()}/"
    apart = f"{folder}e\N{COMBINING ACUTE ACCENT}.txt"
    document = confirm(alpha, upload(alpha, b"content").write_token, path=apart)

    expect_infected(infect(alpha, path=apart), document.id)


@pytest.mark.parametrize(
    "request_fields",
    [{"document_id": new_id()}, {"path": "no/such/path.txt"}, {"path": "infection/"}],
    ids=["id", "path", "folder"],
)
def test_what_no_document_has_is_not_found(alpha, request_fields):
    expect_refusal("DOCUMENT_NOT_FOUND", alpha.documents.DeclareInfected, DeclareInfectedRequest(**request_fields))


@pytest.mark.parametrize(
    "request_fields",
    [{}, {"document_id": ""}, {"document_id": "42"}, {"path": ""}],
    ids=["nothing", "empty-id", "no-uuid", "empty-path"],
)
def test_a_declaration_that_names_nothing_is_refused(alpha, request_fields):
    """Above all the empty path, which every unconfirmed upload has."""
    waiting = upload(alpha, b"content").document

    expect_refusal("ARGUMENT_INVALID", alpha.documents.DeclareInfected, DeclareInfectedRequest(**request_fields))

    assert get(alpha, waiting.id) == waiting


def test_a_deleted_document_and_an_unconfirmed_one_can_be_infected(alpha):
    deleted, waiting = store(alpha, b"deleted"), upload(alpha, b"waiting")
    delete(alpha, deleted.id)

    for document_id in (deleted.id, waiting.document.id):
        expect_infected(infect(alpha, document_id), document_id)
    expect_refusal("DOCUMENT_INFECTED", confirm, alpha, waiting.write_token)


def test_a_document_of_the_same_content_that_was_stored_apart_is_not_infected_along(alpha):
    one, other = store(alpha, b"same content"), store(alpha, b"same content")

    expect_infected(infect(alpha, one.id), one.id)

    assert get(alpha, other.id) == other


# ---- what shares its bytes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["source", "copy", "copy of the copy"])
def test_whatever_shares_the_bytes_is_infected_whichever_is_named(alpha, server, named):
    source = store(alpha, b"content").id
    copy = duplicate(alpha, source).id
    again = duplicate(alpha, copy).id
    tokens = [token_for(alpha, document_id) for document_id in (source, copy, again)]

    infected = infect(alpha, {"source": source, "copy": copy, "copy of the copy": again}[named])

    expect_infected(infected, source, copy, again)
    assert [download(alpha, token).refusal.reason for token in tokens] == ["DOCUMENT_INFECTED"] * 3
    require_no_open_document_shares_bytes_with_an_infected_one(server)


def test_a_deleted_duplicate_is_infected_along(alpha):
    source = store(alpha, b"content").id
    copy = duplicate(alpha, source).id
    delete(alpha, copy)

    expect_infected(infect(alpha, source), source, copy)


def test_an_infected_document_is_duplicated_no_more(alpha):
    source, chosen = store(alpha, b"content").id, new_id()
    infect(alpha, source)

    for item in (DuplicateDocument(document_id=source), DuplicateDocument(document_id=source, new_document_id=chosen)):
        [result] = duplicate_all(alpha, [item])
        assert reason_of(result) == "DOCUMENT_INFECTED"
        assert result.error.metadata["document_id"] == source
    expect_refusal("DOCUMENT_NOT_FOUND", get, alpha, chosen)


def test_a_document_whose_modified_copy_shares_the_bytes_is_infected_along(alpha, admin, server):
    source = bring(admin, b"original")
    bring_modified_copy(admin, source.id, b"edited")
    both = duplicate(alpha, source.id, with_modified=True).id
    original_only = duplicate(alpha, source.id).id

    expect_infected(infect(alpha, both), source.id, both, original_only)
    require_no_open_document_shares_bytes_with_an_infected_one(server)


def test_what_shares_the_modified_copy_alone_is_infected_along(alpha, server):
    """The original is rotated after the duplicate was made, so that they share the modified copy and nothing else."""
    source = store(alpha, files.pdf("text"), "form.pdf").id
    save_edit(alpha, token_for(alpha, source, write=True, for_modified=True), rotations={0: 180})
    copy = duplicate(alpha, source, with_modified=True).id
    save_edit(alpha, token_for(alpha, source, write=True), rotations={0: 90})
    assert get(alpha, source).sha256 != get(alpha, copy).sha256
    assert get(alpha, source).modified.sha256 == get(alpha, copy).modified.sha256

    expect_infected(infect(alpha, source), source, copy)
    require_no_open_document_shares_bytes_with_an_infected_one(server)


def test_a_duplicate_from_before_a_rotation_has_other_bytes_than_the_document_has_now(alpha, server):
    source = store(alpha, images.picture(), "image.png").id
    copy = duplicate(alpha, source).id
    rotate(alpha, token_for(alpha, source, write=True))

    infected = {document.id for document in infect(alpha, source)}

    assert source in infected
    require_no_open_document_shares_bytes_with_an_infected_one(server)
    assert status_of(alpha, copy) == (INFECTED if copy in infected else UPLOADED)


def test_fifty_that_duplicate_while_it_is_declared_infected_get_nothing_that_can_be_read(alpha, server):
    for _ in range(5):
        source, start = store(alpha, b"content").id, Barrier(11)
        callers = [server.stubs() for _ in range(10)]

        def duplicating(stubs, source=source, start=start):
            start.wait(20)
            return [duplicate_all(stubs, [DuplicateDocument(document_id=source)])[0] for _ in range(5)]

        with ThreadPoolExecutor(10) as pool:
            running = [pool.submit(duplicating, stubs) for stubs in callers]
            start.wait(20)
            infect(alpha, source)
            results = [result for future in running for result in future.result(30)]

        assert {reason_of(result) for result in results} <= {"", "DOCUMENT_INFECTED"}
        made = [result.document.id for result in results if not reason_of(result)]
        assert {status_of(alpha, document_id) for document_id in made} <= {INFECTED}
        require_no_open_document_shares_bytes_with_an_infected_one(server)
        for stubs in callers:
            stubs.close()


# ---- what was made of it ------------------------------------------------------------------------------------------------


class Family:
    """Two pictures, the PDF made of each, the merge of both PDFs, and a merge of that with another PDF."""

    def __init__(self, stubs):
        self.sources = [store(stubs, images.picture(width=width), f"{width}.png").id for width in (80, 160)]
        job = jobs.finish(stubs, jobs.start(stubs, self.sources, jobs.CONVERT, jobs.MERGE).id)
        assert job.state == jobs.DONE, job.failure
        self.converted = [record.output_document_ids[0] for record in job.actions[0].records]
        [self.merged] = job.actions[1].records[0].output_document_ids
        self.other = store(stubs, files.pdf("other"), "other.pdf").id
        [self.binder] = jobs.outputs(jobs.finish(stubs, jobs.start(stubs, [self.other, self.merged], jobs.MERGE).id))


@pytest.fixture
def family(alpha):
    return Family(alpha)


@pytest.mark.slow
def test_what_was_made_of_an_infected_document_is_infected_however_far_it_went(alpha, family, server):
    infected = infect(alpha, family.sources[0])

    assert infected[0].id == family.sources[0]
    expect_infected(infected, family.sources[0], family.converted[0], family.merged, family.binder)
    assert {status_of(alpha, document_id) for document_id in (family.sources[1], family.converted[1], family.other)} == {UPLOADED}
    require_no_open_document_shares_bytes_with_an_infected_one(server)


@pytest.mark.slow
def test_what_an_infected_document_was_made_of_is_not_infected_by_that(alpha, family):
    expect_infected(infect(alpha, family.merged), family.merged, family.binder)

    assert {status_of(alpha, document_id) for document_id in [*family.sources, *family.converted, family.other]} == {UPLOADED}


@pytest.mark.slow
def test_duplicates_of_what_was_made_are_infected_and_what_was_made_of_them(alpha, family):
    copy = duplicate(alpha, family.converted[0]).id
    [made_of_copy] = jobs.outputs(jobs.finish(alpha, jobs.start(alpha, [copy, family.other], jobs.MERGE).id))

    infected = infect(alpha, family.sources[0])

    expect_infected(infected, family.sources[0], family.converted[0], family.merged, family.binder, copy, made_of_copy)


def test_what_was_made_of_a_duplicate_is_infected(alpha):
    source = store(alpha, images.picture(), "image.png").id
    copy = duplicate(alpha, source).id
    [pdf] = jobs.outputs(jobs.finish(alpha, jobs.start(alpha, [copy], jobs.CONVERT).id))

    expect_infected(infect(alpha, source), source, copy, pdf)


def test_a_pdf_that_passed_through_shares_the_bytes_both_ways(alpha):
    source = store(alpha, files.pdf("text"), "form.pdf").id
    [output] = jobs.outputs(jobs.finish(alpha, jobs.start(alpha, [source], jobs.CONVERT).id))

    expect_infected(infect(alpha, output), output, source)


@pytest.mark.slow
def test_what_was_made_of_a_document_before_it_was_rotated_is_infected_too(alpha):
    """The conversion read the document; that it reads otherwise by now makes its output no safer."""
    source = store(alpha, images.picture(), "image.png").id
    [pdf] = jobs.outputs(jobs.finish(alpha, jobs.start(alpha, [source], jobs.CONVERT).id))
    rotate(alpha, token_for(alpha, source, write=True, wanted_post_process="WANTED_POST_PROCESS_ORIGINAL"))

    expect_infected(infect(alpha, source), source, pdf)


@pytest.mark.slow
def test_an_output_that_was_deleted_is_infected_too(alpha, family):
    delete(alpha, family.merged)

    infect(alpha, family.sources[0])

    assert status_of(alpha, family.merged) == INFECTED


@pytest.mark.slow
def test_an_infected_output_is_not_reused_for_the_next_conversion(alpha, server):
    """Nobody said that the picture is infected; but the bytes of that PDF are not handed out again."""
    source = store(alpha, images.picture(), "image.png").id
    [pdf] = jobs.outputs(jobs.finish(alpha, jobs.start(alpha, [source], jobs.CONVERT).id))
    infect(alpha, pdf)

    job = jobs.finish(alpha, jobs.start(alpha, [source], jobs.CONVERT).id)

    [again] = jobs.outputs(job)
    assert again != pdf
    assert status_of(alpha, again) == UPLOADED
    assert files.page_sizes(content_of(alpha, again))
    require_no_open_document_shares_bytes_with_an_infected_one(server)


@pytest.mark.slow
def test_an_infected_document_among_the_inputs_of_a_new_job_is_named(alpha, family):
    infect(alpha, family.converted[0])

    refusal = expect_refusal("DOCUMENT_INFECTED", jobs.start, alpha, [family.converted[1], family.converted[0]], jobs.MERGE)

    assert refusal.metadata["document_id"] == family.converted[0]


def test_an_infected_document_is_not_made_final(alpha):
    document = store(alpha, b"content").id
    infect(alpha, document)

    [result] = alpha.documents.FinalizeDocuments(FinalizeDocumentsRequest(document_ids=[document])).results

    assert reason_of(result) == "DOCUMENT_INFECTED"


@pytest.mark.needs_redis
def test_a_job_over_a_duplicate_of_an_infected_document_is_cancelled(queueing_server):
    client, worker = queueing_server.stubs(), queueing_server.stubs("worker")
    source = store(client, images.picture(), "image.png").id
    copy = duplicate(client, source).id
    job = jobs.start(client, [copy], jobs.CONVERT)
    task = tasks.claim(worker, jobs.task_ids(job)[0])
    output = tasks.upload_output(worker, task.lease_id, files.pdf("output"))

    infect(client, source)

    assert not jobs.outputs(jobs.finish(client, job.id, seconds=10))
    expect_refusal("LEASE_LOST", tasks.complete, worker, task.lease_id, output)


# ---- reads that are under way -------------------------------------------------------------------------------------------


def read_slowly_until_refused(stubs, token, blocks_per_second=10):
    """Reads one block after the other, slower than the network, and answers how many bytes came and how it ended."""
    received, refusal = 0, None
    try:
        for message in stubs.downloads.Download(DownloadRequest(token=token)):
            received += len(message.data)
            yield received, None
            time.sleep(1 / blocks_per_second)
    except grpc.RpcError as exc:
        refusal = refusal_of(exc)
    yield received, refusal


@pytest.mark.slow
@pytest.mark.parametrize("shared_by", ["itself", "a duplicate", "its original", "the path"])
def test_a_download_that_is_under_way_is_broken_off(alpha, nobody, shared_by):
    size = 96 * MEBIBYTE
    path = f"infection/{new_id()}.pdf"
    document = confirm(alpha, upload(alpha, files.pdf_of_size(size), "large.pdf").write_token, path=path).id
    copy = duplicate(alpha, document, path="elsewhere/").id
    read, named = {
        "itself": (document, {"document_id": document}),
        "a duplicate": (document, {"document_id": copy}),
        "its original": (copy, {"document_id": document}),
        "the path": (document, {"path": path}),
    }[shared_by]
    reading = read_slowly_until_refused(nobody, token_for(alpha, read))
    received, refusal = next((received, refusal) for received, refusal in reading if received >= MEBIBYTE)
    assert refusal is None

    infect(alpha, **named)
    declared = time.monotonic()
    ended = (read for read in reading if read[1] is not None or time.monotonic() > declared + 8)
    received, refusal = next(ended, (size, None))

    assert refusal is not None, f"it was still sent after 8 s: {received} bytes"
    assert refusal.reason == "DOCUMENT_INFECTED"
    assert refusal.metadata == {"document_id": read}
    assert received < size
