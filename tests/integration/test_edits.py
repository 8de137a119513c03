"""Saving edited PDFs: over the original, or as a modified copy beside it."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import grpc
import pytest
from pypdf import PdfReader

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.post_processing_pb2 import PostProcessingType
from osis.document.v1.token_service_pb2 import InspectTokenRequest, TokenPurpose
from osis.document.v1.upload_service_pb2 import GetUploadStatusRequest
from tests.support import files, images, jobs, tasks
from tests.support.changes import delete, duplicate, infect, save_edit
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.listing import ids
from tests.support.outcomes import outcome_of, reason_of
from tests.support.refusals import expect_refusal, refusal_of
from tests.support.signing import changed, expired
from tests.support.uploads import confirm, new_id, store, token_for, upload
from tests.support.waiting import wait_until

WRITE = TokenPurpose.TOKEN_PURPOSE_WRITE

FORM = files.pdf("Form page one", "Form page two", "Form page three")
EDITED = files.pdf("Edited page one", "Edited page two", "Edited page three")
OUTPUT = files.pdf("As the worker made it")


def page_rotations(content):
    """How each page is turned, in degrees clockwise."""
    return [page.rotation % 360 for page in PdfReader(io.BytesIO(content)).pages]


def modified_copy_of(stubs, document_id):
    """The content of the modified copy, by a token of its own."""
    received = download(stubs, token_for(stubs, document_id, for_modified=True))
    assert received.refusal is None, received.refusal
    assert received.header.for_modified
    return received.data


@pytest.fixture
def form(alpha):
    return store(alpha, FORM, "form.pdf")


@pytest.fixture
def token(alpha, form):
    return token_for(alpha, form.id, write=True)


@pytest.fixture
def modified_token(alpha, form):
    return token_for(alpha, form.id, write=True, for_modified=True)


@pytest.fixture
def edited(alpha):
    """The finished upload of an edited PDF."""
    return upload(alpha, EDITED, "edited.pdf")


def expect_consumed(stubs, result):
    """The upload is nowhere to be found any more."""
    document_id = result.document.id
    expect_refusal("DOCUMENT_NOT_FOUND", get, stubs, document_id)
    expect_refusal("DOCUMENT_NOT_FOUND", get, stubs, token=result.write_token)
    expect_refusal("DOCUMENT_NOT_FOUND", confirm, stubs, result.write_token)
    expect_refusal("UPLOAD_NOT_FOUND", stubs.uploads.GetUploadStatus, GetUploadStatusRequest(upload_id=document_id))
    assert download(stubs, result.write_token).refusal.reason == "DOCUMENT_NOT_FOUND"


# ---- over the original --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_edited_pdf_takes_the_originals_place(alpha, form, token, edited):
    answered = save_edit(alpha, token, edited.write_token).document

    now = content_of(alpha, form.id)
    assert files.page_texts(now) == ["Edited page one", "Edited page two", "Edited page three"]
    assert answered == get(alpha, form.id)
    assert answered.sha256 == hashlib.sha256(now).hexdigest()
    assert answered.size_bytes == len(now)
    assert answered.revision == 1
    assert not answered.HasField("modified")
    for field in ("id", "name", "path", "mime_type", "status", "upload_time", "client"):
        assert getattr(answered, field) == getattr(form, field)


def test_the_upload_is_consumed(alpha, form, token, edited):
    save_edit(alpha, token, edited.write_token)

    expect_consumed(alpha, edited)


def test_rotations_are_applied_to_the_pages_of_the_edited_pdf(alpha, form, token, edited):
    save_edit(alpha, token, edited.write_token, rotations={0: 90, 2: 180})

    now = content_of(alpha, form.id)
    assert page_rotations(now) == [90, 0, 180]
    assert files.page_texts(now)[1] == "Edited page two"
    assert files.page_sizes(now) == [(595, 420), (420, 595), (420, 595)]


@pytest.mark.slow
def test_rotations_alone_turn_the_stored_pages(alpha, form, token):
    first = save_edit(alpha, token, rotations={1: 90})
    second = save_edit(alpha, first.token, rotations={1: -180, 2: 450})

    now = content_of(alpha, form.id)
    assert page_rotations(now) == [0, 270, 90]
    assert [text for text in files.page_texts(now) if text] == ["Form page one", "Form page two", "Form page three"]
    assert second.document.revision == 2


def test_a_duplicate_keeps_the_pdf_as_it_was(alpha, form, token, edited):
    copy = duplicate(alpha, form.id)

    save_edit(alpha, token, edited.write_token)

    assert content_of(alpha, copy.id) == FORM


# ---- beside the original ------------------------------------------------------------------------------------------------


def test_with_a_token_of_the_modified_copy_the_edited_pdf_lies_beside_the_untouched_original(alpha, form, modified_token, edited):
    answered = save_edit(alpha, modified_token, edited.write_token, rotations={0: 90}).document

    copy = modified_copy_of(alpha, form.id)
    assert content_of(alpha, form.id) == FORM
    assert files.page_texts(copy)[1:] == ["Edited page two", "Edited page three"]
    assert page_rotations(copy) == [90, 0, 0]
    assert (answered.sha256, answered.size_bytes) == (form.sha256, form.size_bytes)
    assert answered.revision == 1
    assert answered.modified.sha256 == hashlib.sha256(copy).hexdigest()
    assert answered.modified.size_bytes == len(copy)
    assert answered.modified.mime_type == "application/pdf"
    assert answered.modified.create_time == answered.modified.update_time
    assert answered == get(alpha, form.id)
    expect_consumed(alpha, edited)


def test_each_copy_is_downloaded_by_tokens_of_its_own(alpha, nobody, form, modified_token, edited):
    save_edit(alpha, modified_token, edited.write_token)
    tokens = {modified: token_for(alpha, form.id, for_modified=modified) for modified in (False, True)}

    original, copy = download(nobody, tokens[False]), download(nobody, tokens[True])

    assert original.data == FORM
    assert files.page_texts(copy.data)[0] == "Edited page one"
    assert (original.header.for_modified, copy.header.for_modified) == (False, True)
    assert original.header.sha256 == hashlib.sha256(original.data).hexdigest()
    assert copy.header.sha256 == hashlib.sha256(copy.data).hexdigest()
    assert copy.header.range.complete_size == len(copy.data)


@pytest.mark.slow
def test_the_next_token_is_for_the_modified_copy_too(alpha, form, modified_token, edited):
    first = save_edit(alpha, modified_token, edited.write_token)

    inspected = alpha.tokens.InspectToken(InspectTokenRequest(token=first.token))
    assert (inspected.token.for_modified, inspected.token.purpose, inspected.revision) == (True, WRITE, 1)
    again = upload(alpha, files.pdf("Edited again"), "again.pdf")
    second = save_edit(alpha, first.token, again.write_token).document

    assert files.page_texts(modified_copy_of(alpha, form.id)) == ["Edited again"]
    assert content_of(alpha, form.id) == FORM
    assert second.modified.create_time == first.document.modified.create_time
    assert second.modified.update_time.ToNanoseconds() > first.document.modified.update_time.ToNanoseconds()
    assert second.revision == 2


def test_rotations_alone_make_a_modified_copy_of_the_original(alpha, form, modified_token):
    save_edit(alpha, modified_token, rotations={0: 270})

    assert content_of(alpha, form.id) == FORM
    assert page_rotations(modified_copy_of(alpha, form.id)) == [270, 0, 0]


@pytest.mark.slow
def test_rotations_alone_turn_the_modified_copy_on_where_there_is_one(alpha, form, modified_token, edited):
    first = save_edit(alpha, modified_token, edited.write_token, rotations={0: 90})

    save_edit(alpha, first.token, rotations={0: 90, 1: 180})

    copy = modified_copy_of(alpha, form.id)
    assert page_rotations(copy) == [180, 180, 0]
    assert "Edited page three" in files.page_texts(copy)


@pytest.mark.slow
def test_an_edit_of_the_original_leaves_the_modified_copy(alpha, form, modified_token, edited):
    copy = save_edit(alpha, modified_token, edited.write_token).document.modified

    answered = save_edit(alpha, token_for(alpha, form.id, write=True), rotations={0: 180}).document

    assert answered.modified == copy
    assert page_rotations(content_of(alpha, form.id)) == [180, 0, 0]


def test_an_upload_is_edited_before_it_is_confirmed(alpha, edited):
    result = upload(alpha, FORM, "form.pdf")

    answered = save_edit(alpha, result.write_token, edited.write_token)

    assert answered.document.status == DocumentStatus.DOCUMENT_STATUS_REQUESTED
    assert confirm(alpha, answered.token).sha256 == answered.document.sha256
    expect_consumed(alpha, edited)


def test_a_token_from_before_the_first_edit_does_not_read_a_copy_that_is_not_there(alpha, form, modified_token):
    """A write token for the modified copy can be had before there is one."""
    assert download(alpha, modified_token).refusal.reason == "MODIFIED_COPY_NOT_FOUND"
    expect_refusal("MODIFIED_COPY_NOT_FOUND", get, alpha, token=modified_token)
    expect_refusal("MODIFIED_COPY_NOT_FOUND", token_for, alpha, form.id, for_modified=True)


# ---- tokens -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_token_is_spent_by_any_edit_or_rotation_whichever_copy_it_is_for(alpha, form, token, modified_token, edited):
    save_edit(alpha, token, rotations={0: 90})

    for spent in (token, modified_token):
        refusal = expect_refusal("TOKEN_SPENT", save_edit, alpha, spent, edited.write_token)
        assert refusal.metadata == {"document_id": form.id}
    assert get(alpha, edited.document.id) == edited.document, "the upload is not consumed"


@pytest.mark.slow
def test_of_eight_that_save_with_one_token_at_once_one_wins_and_the_others_keep_their_uploads(alpha, server, form, token):
    uploads = [upload(alpha, files.pdf(f"edit {number}"), "edited.pdf") for number in range(8)]
    callers, start = [server.stubs(None) for _ in range(4)], Barrier(8)

    def race(number):
        start.wait(20)
        return outcome_of(save_edit, callers[number % 4], token, uploads[number].write_token, request_id=new_id())

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(race, range(8)))

    [winner] = [number for number, outcome in enumerate(outcomes) if not reason_of(outcome)]
    lost = [number for number in range(8) if number != winner]
    assert {outcomes[number].reason for number in lost} == {"TOKEN_SPENT"}
    assert files.page_texts(content_of(alpha, form.id)) == [f"edit {winner}"]
    assert get(alpha, form.id) == outcomes[winner].document
    expect_consumed(alpha, uploads[winner])
    assert [get(alpha, uploads[number].document.id) for number in lost] == [uploads[number].document for number in lost]
    assert confirm(alpha, uploads[lost[0]].write_token).revision == 0


def test_of_two_documents_that_consume_one_upload_at_once_one_gets_it(alpha, server, edited):
    forms = [store(alpha, FORM, "form.pdf") for _ in range(2)]
    tokens = [token_for(alpha, document.id, write=True) for document in forms]
    callers, start = [server.stubs(None) for _ in range(2)], Barrier(2)

    def race(number):
        start.wait(20)
        return reason_of(outcome_of(save_edit, callers[number], tokens[number], edited.write_token))

    with ThreadPoolExecutor(2) as pool:
        reasons = list(pool.map(race, range(2)))

    assert reasons.count("") == 1
    assert set(reasons) - {""} <= {"DOCUMENT_NOT_FOUND", "TOKEN_SPENT"}
    assert sorted(get(alpha, document.id).revision for document in forms) == [0, 1]


def test_a_read_token_saves_nothing(alpha, form, edited):
    expect_refusal("TOKEN_WRONG_PURPOSE", save_edit, alpha, token_for(alpha, form.id), edited.write_token)

    assert get(alpha, form.id) == form
    assert get(alpha, edited.document.id) == edited.document


@pytest.mark.parametrize("token", ["", "garbage"])
def test_without_a_good_token_nothing_is_saved(nobody, token, edited):
    expect_refusal("TOKEN_INVALID", save_edit, nobody, token, edited.write_token)


def test_a_token_whose_time_is_over_saves_nothing(alpha, form, token, edited):
    expect_refusal("TOKEN_EXPIRED", save_edit, alpha, expired(token), edited.write_token)

    assert get(alpha, form.id) == form


@pytest.mark.parametrize(("end", "reason"), [(delete, "DOCUMENT_DELETED"), (infect, "DOCUMENT_INFECTED")])
def test_nothing_is_saved_over_a_document_that_is_gone(alpha, form, token, edited, end, reason):
    end(alpha, form.id)

    assert expect_refusal(reason, save_edit, alpha, token, edited.write_token).metadata == {"document_id": form.id}
    assert get(alpha, edited.document.id) == edited.document


# ---- the upload ---------------------------------------------------------------------------------------------------------


BAD_UPLOADS = {
    "garbage": ("TOKEN_INVALID", lambda stubs: "garbage"),
    "read token": ("TOKEN_WRONG_PURPOSE", lambda stubs: token_for(stubs, upload(stubs, EDITED, "e.pdf").document.id)),
    "write token": ("TOKEN_WRONG_PURPOSE", lambda stubs: token_for(stubs, store(stubs, EDITED, "e.pdf").id, write=True)),
    "expired": ("TOKEN_EXPIRED", lambda stubs: expired(upload(stubs, EDITED, "e.pdf").write_token)),
    "unknown": ("DOCUMENT_NOT_FOUND", lambda stubs: changed(upload(stubs, EDITED, "e.pdf").write_token, document=new_id())),
    "no pdf": ("NOT_A_PDF", lambda stubs: upload(stubs, images.picture(), "e.png").write_token),
    "deleted": ("DOCUMENT_DELETED", lambda stubs: _ended(stubs, delete)),
    "infected": ("DOCUMENT_INFECTED", lambda stubs: _ended(stubs, infect)),
    "confirmed": ("TOKEN_SPENT", lambda stubs: _confirmed(stubs)),
    "password": ("PASSWORD_REQUIRED", lambda stubs: upload(stubs, files.password_pdf(), "e.pdf").write_token),
    "broken": ("DOCUMENT_UNREADABLE", lambda stubs: upload(stubs, files.pdf_of_size(5000), "e.pdf").write_token),
}


def _ended(stubs, end):
    result = upload(stubs, EDITED, "e.pdf")
    end(stubs, result.document.id)
    return result.write_token


def _confirmed(stubs):
    result = upload(stubs, EDITED, "e.pdf")
    confirm(stubs, result.write_token)
    return result.write_token


@pytest.mark.slow
@pytest.mark.parametrize("kind", BAD_UPLOADS)
def test_an_upload_that_cannot_be_saved_is_refused_and_the_token_is_good_for_another_try(alpha, form, token, edited, kind):
    reason, make = BAD_UPLOADS[kind]
    bad = make(alpha)

    expect_refusal(reason, save_edit, alpha, token, bad, rotations={0: 90})

    assert get(alpha, form.id) == form
    assert save_edit(alpha, token, edited.write_token).document.revision == 1


@pytest.mark.slow
@pytest.mark.parametrize("content", [files.password_pdf(), files.pdf_of_size(5000)], ids=["password", "broken"])
def test_an_upload_that_could_not_be_saved_is_not_consumed(alpha, form, token, content):
    bad = upload(alpha, content, "bad.pdf")
    with pytest.raises(grpc.RpcError):
        save_edit(alpha, token, bad.write_token, rotations={0: 90})

    assert get(alpha, bad.document.id) == bad.document
    assert confirm(alpha, bad.write_token).status == DocumentStatus.DOCUMENT_STATUS_UPLOADED


def test_an_upload_is_not_saved_over_itself(alpha):
    result = upload(alpha, FORM, "form.pdf")

    refusal = expect_refusal("ARGUMENT_INVALID", save_edit, alpha, result.write_token, result.write_token)

    assert "edited_upload_token" in refusal.fields
    assert get(alpha, result.document.id) == result.document
    assert confirm(alpha, result.write_token).sha256 == result.document.sha256


# ---- what cannot be edited ----------------------------------------------------------------------------------------------


def test_only_pdfs_are_edited(alpha, edited):
    image = store(alpha, images.picture(), "image.png")

    refusal = expect_refusal("NOT_A_PDF", save_edit, alpha, token_for(alpha, image.id, write=True), edited.write_token)

    assert refusal.metadata == {"document_id": image.id, "mime_type": "image/png"}
    assert get(alpha, image.id) == image
    assert get(alpha, edited.document.id) == edited.document


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "reason"), [(files.password_pdf(), "PASSWORD_REQUIRED"), (files.pdf_of_size(5000), "DOCUMENT_UNREADABLE")]
)
def test_a_pdf_that_cannot_be_turned_is_told_and_spends_nothing(alpha, content, reason):
    document = store(alpha, content, "form.pdf")
    token = token_for(alpha, document.id, write=True)

    refusal = expect_refusal(reason, save_edit, alpha, token, rotations={0: 90})

    assert refusal.metadata["document_id"] == document.id
    assert get(alpha, document.id) == document


def test_a_damaged_pdf_is_not_turned(alpha, server):
    content = files.pdf("to be damaged", new_id())
    document = store(alpha, content, "form.pdf")
    token = token_for(alpha, document.id, write=True)
    file = server.blob_file_of(content)
    file.chmod(0o600)
    file.write_bytes(content[:-1] + b"!")
    assert download(alpha, token).refusal.reason == "DOCUMENT_CORRUPT"

    assert expect_refusal("DOCUMENT_CORRUPT", save_edit, alpha, token, rotations={0: 90}).metadata["document_id"] == document.id


@pytest.mark.slow
@pytest.mark.parametrize("rotations", [{0: 45}, {0: 90, 1: 1}, {-1: 90}, {0: -91}], ids=str)
def test_rotations_that_mean_nothing_are_refused_and_spend_nothing(alpha, form, token, edited, rotations):
    refusal = expect_refusal("ARGUMENT_INVALID", save_edit, alpha, token, edited.write_token, rotations=rotations)

    assert any("rotations" in field for field in refusal.fields)
    assert get(alpha, form.id) == form
    assert save_edit(alpha, token, edited.write_token, rotations={0: 90}).document.revision == 1


@pytest.mark.slow
def test_a_page_that_is_not_there_is_refused_and_spends_nothing(alpha, form, token):
    with pytest.raises(grpc.RpcError) as caught:
        save_edit(alpha, token, rotations={3: 90})

    refusal = refusal_of(caught.value)
    assert refusal.code in {"INVALID_ARGUMENT", "FAILED_PRECONDITION"}, refusal
    assert "3" in refusal.message or "4" in refusal.message, refusal
    assert get(alpha, form.id) == form


def test_an_edit_of_nothing_is_refused(alpha, form, token):
    expect_refusal("ARGUMENT_INVALID", save_edit, alpha, token)

    assert get(alpha, form.id) == form


# ---- repeating a call ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_call_that_is_repeated_with_its_request_id_gets_the_first_outcome_although_the_upload_is_gone(
    alpha, nobody, form, token, edited
):
    request_id = new_id()
    first = save_edit(nobody, token, edited.write_token, rotations={0: 90}, request_id=request_id)

    again = save_edit(nobody, token, edited.write_token, rotations={0: 90}, request_id=request_id)

    assert again.document == first.document == get(alpha, form.id)
    assert save_edit(nobody, again.token, rotations={0: 90}).document.revision == 2


@pytest.mark.slow
@pytest.mark.parametrize("difference", ["rotations", "upload", "no upload", "modified"])
def test_a_request_id_that_was_used_for_something_else_conflicts(alpha, form, token, modified_token, edited, difference):
    request_id = new_id()
    save_edit(alpha, token, edited.write_token, rotations={0: 90}, request_id=request_id)
    other = upload(alpha, EDITED, "other.pdf").write_token
    call = {
        "rotations": lambda: save_edit(alpha, token, edited.write_token, rotations={0: 180}, request_id=request_id),
        "upload": lambda: save_edit(alpha, token, other, rotations={0: 90}, request_id=request_id),
        "no upload": lambda: save_edit(alpha, token, rotations={0: 90}, request_id=request_id),
        "modified": lambda: save_edit(alpha, modified_token, edited.write_token, rotations={0: 90}, request_id=request_id),
    }[difference]
    before = get(alpha, form.id)

    assert expect_refusal("REQUEST_ID_CONFLICT", call).metadata["request_id"] == request_id
    assert get(alpha, form.id) == before


# ---- with a worker that does as the test says ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(queueing_server):
    return queueing_server.stubs()


@pytest.fixture(scope="module")
def worker(queueing_server):
    return queueing_server.stubs("worker")


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as running:
        yield running


class Waiting:
    """A PDF for whose edit a worker is awaited, the upload to save over it, and the call that waits."""

    def __init__(self, server, client, pool, *, modified=False, with_upload=True, **fields):
        self.form = store(client, FORM, "form.pdf")
        self.token = token_for(client, self.form.id, write=True, for_modified=modified)
        self.edited = upload(client, EDITED, "edited.pdf")
        self.fields = {"edited": self.edited.write_token if with_upload else "", "rotations": {0: 90, 2: -90}} | fields
        self.call = pool.submit(save_edit, client, self.token, **self.fields)
        self.task_id = tasks.wait_for_task(server, self.form.id)

    def outcome(self, *, seconds=20):
        """What the call answered, or how it was refused."""
        try:
            return self.call.result(seconds)
        except grpc.RpcError as exc:
            return refusal_of(exc)


pytestmark = pytest.mark.needs_redis


@pytest.mark.parametrize("with_upload", [True, False])
def test_a_worker_is_told_which_pages_to_turn_of_what(queueing_server, client, worker, pool, with_upload):
    waiting = Waiting(queueing_server, client, pool, with_upload=with_upload)
    task = tasks.claim(worker, waiting.task_id)
    [item] = task.inputs

    assert task.WhichOneof("action") == "edit"
    assert {page: degrees % 360 for page, degrees in task.edit.rotations.items()} == {0: 90, 2: 270}
    assert download(worker, item.read_token).data == (EDITED if with_upload else FORM)
    job = jobs.job_of(client, task.post_processing_id)
    assert [record.type for record in job.actions[0].records] == [PostProcessingType.POST_PROCESSING_TYPE_EDIT]

    tasks.complete(worker, task.lease_id, tasks.upload_output(worker, task.lease_id, OUTPUT))
    assert waiting.outcome().document.sha256 == hashlib.sha256(OUTPUT).hexdigest()
    assert content_of(client, waiting.form.id) == OUTPUT


def test_the_upload_cannot_be_confirmed_or_saved_a_second_time_after_the_edit(queueing_server, client, worker, pool):
    waiting = Waiting(queueing_server, client, pool)
    tasks.do(worker, waiting.task_id, OUTPUT)
    assert waiting.outcome().document.revision == 1

    expect_consumed(client, waiting.edited)
    other = token_for(client, store(client, FORM, "form.pdf").id, write=True)
    expect_refusal("DOCUMENT_NOT_FOUND", save_edit, client, other, waiting.edited.write_token)


def test_nothing_changes_before_the_worker_is_done(queueing_server, client, worker, pool):
    waiting = Waiting(queueing_server, client, pool, modified=True)
    task = tasks.claim(worker, waiting.task_id)
    output = tasks.upload_output(worker, task.lease_id, OUTPUT)

    assert get(client, waiting.form.id) == waiting.form
    assert content_of(client, waiting.form.id) == FORM

    tasks.complete(worker, task.lease_id, output)
    assert waiting.outcome().document.modified.sha256 == hashlib.sha256(OUTPUT).hexdigest()
    assert content_of(client, waiting.form.id) == FORM


def test_after_its_deadline_a_client_fetches_the_outcome_with_its_request_id(queueing_server, client, worker, pool):
    request_id = new_id()
    waiting = Waiting(queueing_server, client, pool, request_id=request_id, seconds=0.5)
    with pytest.raises(grpc.RpcError) as caught:
        waiting.call.result(20)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED

    tasks.do(worker, waiting.task_id, OUTPUT)
    answered = save_edit(client, waiting.token, waiting.edited.write_token, rotations={0: 90, 2: -90}, request_id=request_id)

    assert answered.document.revision == 1
    assert answered.document == get(client, waiting.form.id)
    expect_consumed(client, waiting.edited)


@pytest.mark.parametrize("gone", ["form", "upload"])
@pytest.mark.parametrize(("end", "reason"), [(delete, "DOCUMENT_DELETED"), (infect, "DOCUMENT_INFECTED")])
def test_whoever_waits_is_told_that_the_document_or_the_upload_is_gone(queueing_server, client, worker, pool, gone, end, reason):
    waiting = Waiting(queueing_server, client, pool)
    document_id = waiting.form.id if gone == "form" else waiting.edited.document.id
    task = tasks.claim(worker, waiting.task_id)
    output = tasks.upload_output(worker, task.lease_id, OUTPUT)

    end(client, document_id)

    outcome = waiting.outcome()
    assert (outcome.reason, outcome.metadata["document_id"]) == (reason, document_id)
    expect_refusal("LEASE_LOST", tasks.complete, worker, task.lease_id, output)
    assert get(client, waiting.form.id).sha256 == waiting.form.sha256


def test_an_upload_that_is_confirmed_meanwhile_is_not_consumed(queueing_server, client, worker, pool):
    """It is a document of its own by then; the edit loses it, or it was too late to confirm it."""
    waiting = Waiting(queueing_server, client, pool)
    task = tasks.claim(worker, waiting.task_id)
    output = tasks.upload_output(worker, task.lease_id, OUTPUT)
    confirmed = outcome_of(confirm, client, waiting.edited.write_token)
    completed = outcome_of(tasks.complete, worker, task.lease_id, output)

    assert reason_of(confirmed) in {"", "TOKEN_SPENT", "DOCUMENT_NOT_FOUND"}
    assert reason_of(completed) in {"", "LEASE_LOST"}
    if not reason_of(confirmed):
        assert get(client, confirmed.id) == confirmed
        assert content_of(client, confirmed.id) == EDITED
    outcome = waiting.outcome()
    if reason_of(outcome):
        assert outcome.reason == "TOKEN_SPENT"
        assert get(client, waiting.form.id) == waiting.form
    else:
        assert outcome.document.revision == 1


def test_a_failed_edit_leaves_document_upload_and_token_as_they_were(queueing_server, client, worker, pool):
    waiting = Waiting(queueing_server, client, pool)
    task = tasks.claim(worker, waiting.task_id)
    tasks.fail(worker, task.lease_id, "PASSWORD_REQUIRED", document_id=waiting.edited.document.id)

    assert waiting.outcome().reason == "PASSWORD_REQUIRED"
    assert get(client, waiting.form.id) == waiting.form
    assert get(client, waiting.edited.document.id) == waiting.edited.document
    again = pool.submit(save_edit, client, waiting.token, waiting.edited.write_token)
    tasks.do(worker, tasks.wait_for_task(queueing_server, waiting.form.id), OUTPUT)
    assert again.result(20).document.revision == 1
    expect_consumed(client, waiting.edited)


def test_an_edit_loses_to_a_rotation_of_pages_that_was_done_first(queueing_server, client, worker, pool):
    waiting = Waiting(queueing_server, client, pool)
    second = pool.submit(save_edit, client, waiting.token, rotations={0: 180})

    def the_other_task():
        return set(tasks.unfinished(queueing_server, waiting.form.id)) - {waiting.task_id}

    [other_id] = wait_until(the_other_task, "both calls wait for a worker")
    tasks.do(worker, other_id, OUTPUT)
    assert second.result(20).document.revision == 1

    task = tasks.claim(worker, waiting.task_id)
    if task is not None:
        tasks.complete(worker, task.lease_id, tasks.upload_output(worker, task.lease_id, files.pdf("late")))

    assert waiting.outcome().reason == "TOKEN_SPENT"
    assert content_of(client, waiting.form.id) == OUTPUT
    assert get(client, waiting.edited.document.id) == waiting.edited.document


def test_an_edit_that_a_worker_is_at_loses_to_one_that_is_done_first(queueing_server, client, worker, pool):
    waiting = Waiting(queueing_server, client, pool)
    task = tasks.claim(worker, waiting.task_id)
    output = tasks.upload_output(worker, task.lease_id, files.pdf("late"))
    second = pool.submit(save_edit, client, waiting.token, rotations={0: 180})
    other = wait_until(lambda: set(tasks.unfinished(queueing_server, waiting.form.id)) - {waiting.task_id}, "both calls wait")
    tasks.do(worker, other.pop(), OUTPUT)
    assert second.result(20).document.revision == 1

    assert reason_of(outcome_of(tasks.complete, worker, task.lease_id, output)) in {"", "LEASE_LOST"}

    assert waiting.outcome().reason == "TOKEN_SPENT"
    assert content_of(client, waiting.form.id) == OUTPUT
    assert get(client, waiting.edited.document.id) == waiting.edited.document


def test_of_two_edits_that_a_worker_is_at_with_one_upload_the_first_that_is_done_gets_it(queueing_server, client, worker, pool):
    waiting = Waiting(queueing_server, client, pool)
    other = store(client, FORM, "other.pdf")
    other_call = pool.submit(save_edit, client, token_for(client, other.id, write=True), waiting.edited.write_token)
    leases = {
        document_id: tasks.claim(worker, tasks.wait_for_task(queueing_server, document_id)).lease_id
        for document_id in (waiting.form.id, other.id)
    }
    outputs = {document_id: tasks.upload_output(worker, lease_id, OUTPUT) for document_id, lease_id in leases.items()}

    for document_id, lease_id in leases.items():
        assert reason_of(outcome_of(tasks.complete, worker, lease_id, outputs[document_id])) in {"", "LEASE_LOST"}

    assert waiting.outcome().document.revision == 1
    refusal = outcome_of(other_call.result, 20)
    assert (refusal.reason, refusal.metadata["document_id"]) == ("DOCUMENT_NOT_FOUND", waiting.edited.document.id)
    assert get(client, other.id) == other


def test_the_upload_is_listed_no_more_after_it_was_consumed(alpha, form, token):
    mark = new_id()
    result = upload(alpha, EDITED, f"{mark}.pdf")
    assert ids(alpha, name_contains=mark) == [result.document.id]

    save_edit(alpha, token, result.write_token)

    assert ids(alpha, name_contains=mark) == []
