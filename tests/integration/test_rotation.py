"""Rotating images: what becomes of the picture, of the document, and of the token."""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import grpc
import pytest

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.document_service_pb2 import RotateImageRequest
from osis.document.v1.post_processing_pb2 import PostProcessingType
from osis.document.v1.token_service_pb2 import InspectTokenRequest, TokenPurpose
from tests.support import files, images, jobs, tasks
from tests.support.changes import delete, duplicate, infect, rotate, save_edit, update
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.imports import bring, bring_modified_copy
from tests.support.outcomes import outcome_of, reason_of
from tests.support.refusals import expect_refusal, refusal_of
from tests.support.server import serving
from tests.support.signing import changed, claims_of, expired
from tests.support.uploads import confirm, new_id, store, token_for, upload
from tests.support.waiting import wait_until

UPLOAD = TokenPurpose.TOKEN_PURPOSE_UPLOAD
WRITE = TokenPurpose.TOKEN_PURPOSE_WRITE

#: How many may wait for workers at once.
WAITERS = 64

PICTURE = images.picture()
TURNED = images.picture(width=images.HEIGHT, height=images.WIDTH)


def inspect(stubs, token):
    return stubs.tokens.InspectToken(InspectTokenRequest(token=token))


@pytest.fixture
def image(alpha):
    return store(alpha, PICTURE, "image.png")


@pytest.fixture
def token(alpha, image):
    return token_for(alpha, image.id, write=True)


# ---- the picture --------------------------------------------------------------------------------------------------------

PICTURES = {
    "png": (images.picture(), "image.png"),
    "palette png": (images.picture(mode="P"), "image.png"),
    "grey png": (images.picture(mode="L"), "image.png"),
    "odd png": (images.picture(width=33, height=17), "image.png"),
    "jpeg": (images.picture("JPEG", quality=90), "image.jpg"),
    "grey jpeg": (images.picture("JPEG", mode="L", quality=90), "image.jpg"),
    "photo on its side": (files.turned_jpeg(), "photo.jpeg"),
}


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [90, 180, 270, -90, 450, -630])
@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_is_turned_clockwise_and_loses_nothing(alpha, kind, degrees):
    content, name = PICTURES[kind]
    document = store(alpha, content, name)

    answered = rotate(alpha, token_for(alpha, document.id, write=True), degrees).document

    now = content_of(alpha, document.id)
    assert answered.sha256 == hashlib.sha256(now).hexdigest() != document.sha256
    assert answered.size_bytes == len(now)
    assert (answered.mime_type, answered.name) == (document.mime_type, document.name)
    expected = images.turned(content, degrees)
    assert images.shown(now).size == expected.size
    assert images.largest_difference(images.shown(now), expected) <= (0 if name.endswith("png") else 8)


def test_four_quarter_turns_lead_back(alpha, image, token):
    for _ in range(4):
        token = rotate(alpha, token).token

    assert get(alpha, image.id).revision == 4
    assert images.are_equal(images.shown(content_of(alpha, image.id)), images.shown(PICTURE))


@pytest.mark.parametrize("degrees", [0, 360, -720])
def test_a_turn_that_leads_back_at_once_leaves_the_picture_as_it_is(alpha, image, token, degrees):
    answered = rotate(alpha, token, degrees)

    assert answered.document == get(alpha, image.id)
    assert content_of(alpha, image.id) == PICTURE
    assert rotate(alpha, answered.token).document.sha256 != image.sha256


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [1, 45, -89, 100, 2**31 - 1])
def test_what_is_no_multiple_of_90_is_refused_and_spends_nothing(alpha, image, token, degrees):
    refusal = expect_refusal("ARGUMENT_INVALID", rotate, alpha, token, degrees)

    assert "degrees" in refusal.fields
    assert get(alpha, image.id) == image
    assert rotate(alpha, token).document.revision == 1


# ---- the document -------------------------------------------------------------------------------------------------------


def test_a_rotation_raises_the_revision_and_leaves_all_else_as_it_was(alpha, admin):
    image = bring(admin, PICTURE, "image.png", path="folder/")
    update(alpha, token_for(alpha, image.id, write=True), metadata={"number": 5})
    before = get(alpha, image.id)

    after = rotate(alpha, token_for(alpha, image.id, write=True)).document

    assert after == get(alpha, image.id)
    assert after.revision == before.revision + 1
    assert after.update_time.ToNanoseconds() > before.update_time.ToNanoseconds()
    for field in ("sha256", "size_bytes", "revision", "update_time"):
        after.ClearField(field)
        before.ClearField(field)
    assert after == before


def test_a_download_that_goes_on_after_a_rotation_is_told_that_the_content_changed(alpha, image, token):
    reading = token_for(alpha, image.id)
    rotate(alpha, token)

    received = download(alpha, reading, read_offset=10, expected_sha256=image.sha256)

    assert received.refusal.reason == "CONTENT_CHANGED"


def test_a_duplicate_keeps_the_picture_as_it_was(alpha, image, token):
    copy = duplicate(alpha, image.id)

    rotate(alpha, token)

    assert content_of(alpha, copy.id) == PICTURE
    assert get(alpha, copy.id) == copy


def test_the_modified_copy_stays_as_it_is_when_the_original_is_rotated(alpha, admin):
    image = bring(admin, PICTURE, "image.png")
    bring_modified_copy(admin, image.id, TURNED, "image.png")

    rotate(alpha, token_for(alpha, image.id, write=True), 180)

    assert download(alpha, token_for(alpha, image.id, for_modified=True)).data == TURNED
    assert images.are_equal(images.shown(content_of(alpha, image.id)), images.turned(PICTURE, 180))


@pytest.mark.slow
def test_with_a_token_of_the_modified_copy_the_rotated_picture_lies_beside_the_original(alpha, image):
    token = token_for(alpha, image.id, write=True, for_modified=True)

    first = rotate(alpha, token, 90)
    second = rotate(alpha, first.token, 90)

    assert content_of(alpha, image.id) == PICTURE
    assert (second.document.sha256, second.document.revision) == (image.sha256, 2)
    copy = download(alpha, second.token)
    assert copy.header.for_modified
    assert copy.header.sha256 == second.document.modified.sha256 == hashlib.sha256(copy.data).hexdigest()
    assert images.are_equal(images.shown(copy.data), images.turned(PICTURE, 180))


def test_an_upload_is_rotated_before_it_is_confirmed(alpha):
    result = upload(alpha, PICTURE, "image.png")

    answered = rotate(alpha, result.write_token)

    assert answered.document.status == DocumentStatus.DOCUMENT_STATUS_REQUESTED
    assert inspect(alpha, answered.token).token.purpose == UPLOAD
    expect_refusal("TOKEN_SPENT", confirm, alpha, result.write_token)
    document = confirm(alpha, answered.token, path="folder/")
    assert (document.revision, document.path, document.sha256) == (1, "folder/image.png", answered.document.sha256)


def test_a_rotated_picture_is_converted_anew(alpha, image, token):
    sizes = []
    for _ in range(2):
        [pdf] = jobs.outputs(jobs.finish(alpha, jobs.start(alpha, [image.id], jobs.CONVERT).id))
        sizes.extend(files.page_sizes(content_of(alpha, pdf)))
        rotate(alpha, token_for(alpha, image.id, write=True, wanted_post_process="WANTED_POST_PROCESS_ORIGINAL"))

    assert sizes[0] == sizes[1][::-1]
    assert sizes[0] != sizes[1]


# ---- the token ----------------------------------------------------------------------------------------------------------


def test_the_token_is_spent_and_the_next_one_is_like_it(alpha, nobody, image, token):
    answered = rotate(nobody, token)

    refusal = expect_refusal("TOKEN_SPENT", rotate, nobody, token)
    assert refusal.metadata == {"document_id": image.id}
    inspected = inspect(alpha, answered.token)
    assert not inspected.HasField("refusal")
    assert (inspected.token.document_id, inspected.token.purpose, inspected.revision) == (image.id, WRITE, 1)
    assert inspected.token.expire_time == answered.token_expire_time
    assert answered.token_expire_time.seconds > time.time() + 800
    assert rotate(nobody, answered.token).document.revision == 2


@pytest.mark.parametrize("purpose", ["read", "write"])
def test_tokens_of_a_past_revision_still_read_what_there_is_now(alpha, image, token, purpose):
    old = token_for(alpha, image.id, write=purpose == "write")
    answered = rotate(alpha, token)

    assert download(alpha, old).data == content_of(alpha, image.id) != PICTURE
    assert get(alpha, token=old) == answered.document


def test_a_read_token_rotates_nothing(alpha, image):
    refusal = expect_refusal("TOKEN_WRONG_PURPOSE", rotate, alpha, token_for(alpha, image.id))

    assert refusal.metadata["purpose"] == "read"
    assert get(alpha, image.id) == image


def test_an_upload_token_that_has_confirmed_rotates_nothing_more(alpha):
    """It does what a write token does until the document is confirmed; then it is spent."""
    result = upload(alpha, PICTURE, "image.png")
    document = confirm(alpha, result.write_token)

    expect_refusal("TOKEN_SPENT", rotate, alpha, result.write_token)

    assert get(alpha, document.id) == document


def test_a_token_whose_time_is_over_rotates_nothing(alpha, image, token):
    expect_refusal("TOKEN_EXPIRED", rotate, alpha, expired(token))

    assert get(alpha, image.id) == image


@pytest.mark.parametrize("token", ["", "garbage"])
def test_without_a_good_token_nothing_is_rotated(nobody, token):
    expect_refusal("TOKEN_INVALID", rotate, nobody, token)


def test_a_token_of_a_document_that_does_not_exist_is_refused(alpha, token):
    expect_refusal("DOCUMENT_NOT_FOUND", rotate, alpha, changed(token, document=new_id()))


def test_a_token_of_a_revision_that_is_still_to_come_is_refused(alpha, token):
    """Only the service's own key can make one; it opens nothing all the same."""
    expect_refusal("TOKEN_SPENT", rotate, alpha, changed(token, revision=1))


def test_of_ten_that_rotate_with_one_token_at_once_one_wins(alpha, server, image, token):
    callers, start = [server.stubs(None) for _ in range(5)], Barrier(10)

    def race(number):
        start.wait(20)
        return outcome_of(rotate, callers[number % 5], token, request_id=new_id())

    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(race, range(10)))

    [won] = [outcome for outcome in outcomes if not reason_of(outcome)]
    assert {(lost.reason, lost.metadata["document_id"]) for lost in outcomes if lost is not won} == {("TOKEN_SPENT", image.id)}
    document = get(alpha, image.id)
    assert document == won.document
    assert document.revision == 1
    assert images.are_equal(images.shown(content_of(alpha, image.id)), images.turned(PICTURE, 90))


# ---- what cannot be rotated ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "mime_type"),
    [("form.pdf", files.pdf("text"), "application/pdf"), ("note.txt", b"text", "text/plain")],
)
def test_only_images_are_rotated(alpha, name, content, mime_type):
    document = store(alpha, content, name)

    refusal = expect_refusal("NOT_AN_IMAGE", rotate, alpha, token_for(alpha, document.id, write=True))

    assert refusal.metadata == {"document_id": document.id, "mime_type": mime_type}
    assert get(alpha, document.id) == document


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_that_cannot_be_read_is_told_and_spends_nothing(alpha, kind):
    whole = images.picture(kind, width=640, height=480)
    document = store(alpha, whole[:200] + b"\0" * 50, f"cut.{kind.lower()}")
    token = token_for(alpha, document.id, write=True)

    refusal = expect_refusal("DOCUMENT_UNREADABLE", rotate, alpha, token)

    assert refusal.metadata["document_id"] == document.id
    assert get(alpha, document.id) == document
    expect_refusal("DOCUMENT_UNREADABLE", rotate, alpha, token)


def test_a_picture_whose_bytes_are_damaged_is_not_rotated(alpha, server):
    content = images.picture(compress_level=0, width=71)
    document = store(alpha, content, "image.png")
    token = token_for(alpha, document.id, write=True)
    file = server.blob_file_of(content)
    file.chmod(0o600)
    file.write_bytes(content[:-1] + b"!")
    assert download(alpha, token).refusal.reason == "DOCUMENT_CORRUPT"

    refusal = expect_refusal("DOCUMENT_CORRUPT", rotate, alpha, token)

    assert refusal.metadata["document_id"] == document.id
    assert get(alpha, document.id).revision == 0


def test_a_picture_whose_damage_nobody_has_found_yet_is_not_rotated_either(alpha, server):
    content = images.picture(compress_level=0, width=73)
    document = store(alpha, content, "image.png")
    file = server.blob_file_of(content)
    file.chmod(0o600)
    file.write_bytes(content[:-1] + b"!")

    expect_refusal("DOCUMENT_CORRUPT", rotate, alpha, token_for(alpha, document.id, write=True))

    assert get(alpha, document.id).corrupt is True
    assert get(alpha, document.id).revision == 0


# ---- repeating a call ---------------------------------------------------------------------------------------------------


def test_a_call_that_is_repeated_with_its_request_id_gets_the_first_outcome(alpha, nobody, image, token):
    request_id = new_id()
    first = rotate(nobody, token, request_id=request_id)

    for _ in range(3):
        again = rotate(nobody, token, request_id=request_id)
        assert again.document == first.document == get(alpha, image.id)
        assert claims_of(again.token)["revision"] == 1
    assert rotate(nobody, again.token).document.revision == 2


def test_a_request_id_that_was_used_for_another_turn_conflicts(alpha, image, token):
    request_id = new_id()
    rotated = rotate(alpha, token, request_id=request_id)

    refusal = expect_refusal("REQUEST_ID_CONFLICT", rotate, alpha, token, 180, request_id=request_id)

    assert refusal.metadata["request_id"] == request_id
    assert get(alpha, image.id) == rotated.document


@pytest.mark.slow
@pytest.mark.parametrize("change", ["rotation", "edit"])
def test_a_request_id_never_answers_for_another_document(alpha, token, change):
    """Whoever has a token of one document learns nothing of another by the id of a request that somebody else made."""
    request_id = new_id()
    rotate(alpha, token, request_id=request_id)
    name, content = {"rotation": ("image.png", PICTURE), "edit": ("form.pdf", files.pdf("text"))}[change]
    other = store(alpha, content, name)
    other_token = token_for(alpha, other.id, write=True)

    if change == "rotation":
        outcome = outcome_of(rotate, alpha, other_token, request_id=request_id)
    else:
        outcome = outcome_of(save_edit, alpha, other_token, rotations={0: 90}, request_id=request_id)

    assert reason_of(outcome) in {"", "REQUEST_ID_CONFLICT"}
    if not reason_of(outcome):
        assert (outcome.document.id, outcome.document.revision) == (other.id, 1)
        assert claims_of(outcome.token)["document"] == other.id


def test_the_same_turn_written_otherwise_is_the_same_request(alpha, token):
    request_id = new_id()
    first = rotate(alpha, token, 90, request_id=request_id)

    assert rotate(alpha, token, 450, request_id=request_id).document == first.document


def test_a_request_id_that_is_no_uuid_is_refused(alpha, image, token):
    refusal = expect_refusal("ARGUMENT_INVALID", rotate, alpha, token, request_id="42")

    assert "request_id" in refusal.fields
    assert get(alpha, image.id) == image


def test_a_read_token_does_not_fetch_the_next_write_token(alpha, nobody, image, token):
    request_id = new_id()
    rotate(nobody, token, request_id=request_id)

    expect_refusal("TOKEN_WRONG_PURPOSE", rotate, nobody, token_for(alpha, image.id), request_id=request_id)


def test_a_token_whose_time_is_over_does_not_fetch_the_next_one(alpha, nobody, image, token):
    request_id = new_id()
    rotate(nobody, token, request_id=request_id)

    expect_refusal("TOKEN_EXPIRED", rotate, nobody, expired(token), request_id=request_id)


@pytest.mark.parametrize(("end", "reason"), [(delete, "DOCUMENT_DELETED"), (infect, "DOCUMENT_INFECTED")])
def test_the_outcome_is_fetched_no_more_when_the_document_is_gone(alpha, image, token, end, reason):
    request_id = new_id()
    rotate(alpha, token, request_id=request_id)
    end(alpha, image.id)

    expect_refusal(reason, rotate, alpha, token, request_id=request_id)


def test_an_outcome_that_is_fetched_late_says_how_the_document_is_by_then(alpha, image, token):
    request_id = new_id()
    first = rotate(alpha, token, request_id=request_id)
    second = rotate(alpha, first.token)

    fetched = rotate(alpha, token, request_id=request_id)

    assert get(alpha, image.id) == second.document == fetched.document
    assert get(alpha, token=fetched.token) == second.document


def test_of_ten_that_send_one_request_at_once_all_get_the_same_document(alpha, server, image, token):
    callers, start, request_id = [server.stubs(None) for _ in range(5)], Barrier(10), new_id()

    def race(number):
        start.wait(20)
        return rotate(callers[number % 5], token, request_id=request_id).document.SerializeToString(deterministic=True)

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(race, range(10)))) == 1
    assert get(alpha, image.id).revision == 1


# ---- with a worker that does as the test says ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def admin(server):
    return server.stubs("admin")


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
    """A picture for whose rotation a worker is awaited, and the call that waits."""

    def __init__(self, server, client, pool, **fields):
        self.image = store(client, PICTURE, "image.png")
        self.token = token_for(client, self.image.id, write=True)
        self.call = pool.submit(rotate, client, self.token, **fields)
        self.task_id = tasks.wait_for_task(server, self.image.id)

    def outcome(self, *, seconds=20):
        """What the call answered, or how it was refused."""
        try:
            return self.call.result(seconds)
        except grpc.RpcError as exc:
            return refusal_of(exc)


@pytest.fixture
def waiting(queueing_server, client, pool):
    return Waiting(queueing_server, client, pool)


pytestmark = pytest.mark.needs_redis


def test_a_worker_is_told_what_to_rotate_and_by_how_much(client, worker, waiting):
    task = tasks.claim(worker, waiting.task_id)
    [item] = task.inputs

    assert task.WhichOneof("action") == "rotate"
    assert task.rotate.degrees == 90
    assert item.document == waiting.image
    assert download(worker, item.read_token).data == PICTURE
    job = jobs.job_of(client, task.post_processing_id)
    assert job.state == jobs.RUNNING
    assert [record.type for record in job.actions[0].records] == [PostProcessingType.POST_PROCESSING_TYPE_ROTATE]
    assert list(job.input_document_ids) == [waiting.image.id]

    tasks.complete(worker, task.lease_id, tasks.upload_output(worker, task.lease_id, TURNED, "image.png"))
    assert waiting.outcome().document.sha256 == hashlib.sha256(TURNED).hexdigest()


@pytest.mark.parametrize(("degrees", "told"), [(180, 180), (-90, 270), (-180, 180), (450, 90), (630, 270)])
def test_a_worker_gets_a_turn_between_90_and_270(queueing_server, client, worker, pool, degrees, told):
    waiting = Waiting(queueing_server, client, pool, degrees=degrees)
    task = tasks.claim(worker, waiting.task_id)

    assert task.rotate.degrees == told

    tasks.fail(worker, task.lease_id, "DOCUMENT_UNREADABLE")
    assert waiting.outcome().reason == "DOCUMENT_UNREADABLE"


def test_the_output_becomes_the_documents_content_and_no_document_of_its_own(client, worker, waiting):
    output = tasks.do(worker, waiting.task_id, TURNED, "image.png")

    answered = waiting.outcome()

    assert answered.document == get(client, waiting.image.id)
    assert content_of(client, waiting.image.id) == TURNED
    expect_refusal("DOCUMENT_NOT_FOUND", get, client, output)


def test_nothing_changes_before_the_worker_is_done(client, worker, waiting):
    task = tasks.claim(worker, waiting.task_id)
    tasks.upload_output(worker, task.lease_id, TURNED, "image.png")

    assert get(client, waiting.image.id) == waiting.image
    assert content_of(client, waiting.image.id) == PICTURE

    tasks.give_back(worker, task.lease_id)
    tasks.do(worker, waiting.task_id, TURNED, "image.png")
    assert waiting.outcome().document.revision == 1


def test_after_its_deadline_a_client_fetches_the_outcome_with_its_request_id(queueing_server, client, worker):
    image, request_id = store(client, PICTURE, "image.png"), new_id()
    token = token_for(client, image.id, write=True)
    with pytest.raises(grpc.RpcError) as caught:
        rotate(client, token, request_id=request_id, seconds=0.5)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED

    tasks.do(worker, tasks.wait_for_task(queueing_server, image.id), TURNED, "image.png")
    answered = rotate(client, token, request_id=request_id)

    assert (answered.document.revision, answered.document.sha256) == (1, hashlib.sha256(TURNED).hexdigest())
    assert not inspect(client, answered.token).HasField("refusal")
    expect_refusal("TOKEN_SPENT", rotate, client, token)


def test_a_client_that_comes_back_while_the_worker_is_at_it_waits_for_the_same_task(queueing_server, client, worker, pool):
    image, request_id = store(client, PICTURE, "image.png"), new_id()
    token = token_for(client, image.id, write=True)
    for _ in range(2):
        with pytest.raises(grpc.RpcError):
            rotate(client, token, request_id=request_id, seconds=0.5)
    again = pool.submit(rotate, client, token, request_id=request_id)

    [task_id] = tasks.unfinished(queueing_server, image.id)
    tasks.do(worker, task_id, TURNED, "image.png")

    assert again.result(20).document.revision == 1
    assert tasks.unfinished(queueing_server, image.id) == []


def test_while_a_request_is_under_way_its_id_does_for_nothing_else(queueing_server, client, worker, pool):
    request_id = new_id()
    waiting = Waiting(queueing_server, client, pool, request_id=request_id)

    expect_refusal("REQUEST_ID_CONFLICT", rotate, client, waiting.token, 180, request_id=request_id)

    tasks.do(worker, waiting.task_id, TURNED, "image.png")
    assert waiting.outcome().document.revision == 1


def test_of_two_rotations_that_wait_with_one_token_the_first_that_is_done_wins(queueing_server, client, worker, pool):
    waiting = Waiting(queueing_server, client, pool)
    second = pool.submit(rotate, client, waiting.token, 180)

    def both_wait_or_the_second_is_refused():
        return second.done() or len(tasks.unfinished(queueing_server, waiting.image.id)) == 2

    wait_until(both_wait_or_the_second_is_refused, "the second call has begun")
    for task_id in tasks.unfinished(queueing_server, waiting.image.id):
        task = tasks.claim(worker, task_id)
        if task is not None:
            output = tasks.upload_output(worker, task.lease_id, TURNED, "image.png")
            assert reason_of(outcome_of(tasks.complete, worker, task.lease_id, output)) in {"", "LEASE_LOST"}

    outcomes = [outcome_of(call.result, 20) for call in (waiting.call, second)]
    [won] = [outcome for outcome in outcomes if not reason_of(outcome)]
    [lost] = [outcome for outcome in outcomes if reason_of(outcome)]
    assert lost.reason == "TOKEN_SPENT"
    assert lost.metadata["document_id"] == waiting.image.id
    assert get(client, waiting.image.id) == won.document
    assert won.document.revision == 1


@pytest.mark.parametrize(("end", "reason"), [(delete, "DOCUMENT_DELETED"), (infect, "DOCUMENT_INFECTED")])
def test_whoever_waits_is_told_that_the_document_is_gone(client, worker, waiting, end, reason):
    task = tasks.claim(worker, waiting.task_id)
    output = tasks.upload_output(worker, task.lease_id, TURNED, "image.png")

    end(client, waiting.image.id)

    outcome = waiting.outcome()
    assert (outcome.reason, outcome.metadata["document_id"]) == (reason, waiting.image.id)
    expect_refusal("LEASE_LOST", tasks.complete, worker, task.lease_id, output)
    assert get(client, waiting.image.id).sha256 == waiting.image.sha256


@pytest.mark.parametrize("reason", ["DOCUMENT_UNREADABLE", "PROCESSING_TIMED_OUT", "PROCESSING_TOO_LARGE"])
def test_whoever_waits_is_told_why_it_failed_and_the_token_is_good_for_another_try(queueing_server, client, worker, pool, reason):
    request_id = new_id()
    waiting = Waiting(queueing_server, client, pool, request_id=request_id)
    task = tasks.claim(worker, waiting.task_id)
    tasks.fail(worker, task.lease_id, reason, document_id=waiting.image.id)

    outcome = waiting.outcome()
    assert outcome.reason == reason
    assert outcome.message == "It failed because the test says so."
    assert get(client, waiting.image.id) == waiting.image
    expect_refusal(reason, rotate, client, waiting.token, request_id=request_id)

    again = pool.submit(rotate, client, waiting.token, request_id=new_id())
    tasks.do(worker, tasks.wait_for_task(queueing_server, waiting.image.id), TURNED, "image.png")
    assert again.result(20).document.revision == 1


def test_metadata_that_change_meanwhile_are_kept(client, worker, waiting):
    update(client, waiting.token, name="renamed.png", metadata={"number": 5})

    tasks.do(worker, waiting.task_id, TURNED, "image.png")

    answered = waiting.outcome()
    assert (answered.document.name, answered.document.metadata["number"], answered.document.revision) == ("renamed.png", 5, 1)


def test_completing_twice_rotates_once(client, worker, waiting):
    task = tasks.claim(worker, waiting.task_id)
    output = tasks.upload_output(worker, task.lease_id, TURNED, "image.png")
    for _ in range(2):
        tasks.complete(worker, task.lease_id, output)

    assert waiting.outcome().document.revision == 1
    assert get(client, waiting.image.id).revision == 1


@pytest.mark.slow
def test_a_worker_that_lost_its_lease_changes_nothing_and_the_next_one_does(redis_server, tmp_path, pool):
    url = redis_server.url(4)
    with serving(tmp_path / "hasty", BROKER_URL=url, LEASE_SECONDS="0.5", SWEEP_SECONDS="0.2") as hasty:
        client, worker = hasty.stubs(), hasty.stubs("worker")
        waiting = Waiting(hasty, client, pool)
        late = tasks.claim(worker, waiting.task_id)
        output = tasks.upload_output(worker, late.lease_id, images.picture(width=10, height=10), "late.png")
        prompt = wait_until(lambda: tasks.claim(worker, waiting.task_id), "the task is free again")

        expect_refusal("LEASE_LOST", tasks.complete, worker, late.lease_id, output)
        assert get(client, waiting.image.id).revision == 0
        tasks.complete(worker, prompt.lease_id, tasks.upload_output(worker, prompt.lease_id, TURNED, "image.png"))

        assert waiting.outcome().document.sha256 == hashlib.sha256(TURNED).hexdigest()


@pytest.mark.slow
def test_a_rotation_is_given_up_after_three_lost_workers_and_whoever_waits_is_told(redis_server, tmp_path, pool):
    url = redis_server.url(5)
    with serving(tmp_path / "hasty", BROKER_URL=url, LEASE_SECONDS="0.3", SWEEP_SECONDS="0.2") as hasty:
        client, worker = hasty.stubs(), hasty.stubs("worker")
        waiting = Waiting(hasty, client, pool)
        for attempt in (1, 2, 3):
            task = wait_until(lambda: tasks.claim(worker, waiting.task_id), f"attempt {attempt} can be claimed")
            assert task.attempt == attempt

        assert waiting.outcome().reason == "ATTEMPTS_EXHAUSTED"
        assert get(client, waiting.image.id) == waiting.image


@pytest.mark.slow
def test_a_rotation_that_no_worker_does_is_given_up_and_whoever_waits_is_told(redis_server, tmp_path, pool):
    url = redis_server.url(7)
    with serving(tmp_path / "lonely", BROKER_URL=url, JOB_MAX_AGE="1", SWEEP_SECONDS="0.2") as lonely:
        client = lonely.stubs()
        waiting = Waiting(lonely, client, pool)

        assert waiting.outcome().reason == "PROCESSING_TIMED_OUT"
        assert get(client, waiting.image.id) == waiting.image


@pytest.mark.slow
@pytest.mark.one_database
def test_of_three_hundred_that_would_wait_some_are_told_to_come_back_later(redis_server, tmp_path):
    with serving(tmp_path / "busy", BROKER_URL=redis_server.url(8), SWEEP_SECONDS="60") as busy:
        client = busy.stubs()
        image = store(client, PICTURE, "image.png")
        token = token_for(client, image.id, write=True)
        request = RotateImageRequest(token=token, degrees=90, request_id=new_id())
        calls = [client.documents.RotateImage.future(request, timeout=100) for _ in range(300)]

        wait_until(lambda: sum(call.done() for call in calls) == 300 - WAITERS, "those too many are refused", seconds=60)
        refusals = [outcome_of(call.result) for call in calls if call.done()]
        assert {(refusal.reason, refusal.code) for refusal in refusals} == {("SERVER_OVERLOADED", "RESOURCE_EXHAUSTED")}
        assert all(refusal.retry_after_seconds > 0 for refusal in refusals)
        assert get(client, image.id) == image, "other calls are answered"

        for call in calls[1:]:
            call.cancel()
        tasks.do(busy.stubs("worker"), tasks.wait_for_task(busy, image.id), TURNED, "image.png")

        def fetched():
            outcome = outcome_of(rotate, client, token, request_id=request.request_id)
            return outcome if reason_of(outcome) != "SERVER_OVERLOADED" else None

        assert wait_until(fetched, "there is room again").document.revision == 1


@pytest.mark.slow
def test_a_rotation_outlives_a_restart_of_the_service(redis_server, tmp_path, pool):
    settings = {"BROKER_URL": redis_server.url(6), "SWEEP_SECONDS": "0.2", "STOP_GRACE_SECONDS": "0.5"}
    request_id = new_id()
    with serving(tmp_path / "one", **settings) as first:
        waiting = Waiting(first, first.stubs(), pool, request_id=request_id)
    with pytest.raises(grpc.RpcError):
        waiting.call.result(20)

    with serving(tmp_path / "one", **settings) as second:
        client, worker = second.stubs(), second.stubs("worker")
        [task_id] = tasks.unfinished(second, waiting.image.id)
        again = pool.submit(rotate, client, waiting.token, request_id=request_id)
        tasks.do(worker, task_id, TURNED, "image.png")

        assert again.result(20).document.revision == 1
