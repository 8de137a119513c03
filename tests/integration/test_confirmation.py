"""Confirming uploads: once, by one, all or none."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from osis.document.v1.document_pb2 import DocumentStatus, ExpirationPolicy
from osis.document.v1.document_service_pb2 import ConfirmUpload, ConfirmUploadsRequest, FinalizeDocumentsRequest, Hold
from osis.document.v1.error_reason_pb2 import ErrorReason
from tests.support.documents import get
from tests.support.refusals import expect_refusal, refusal_of
from tests.support.uploads import confirm, new_id, store, token_for, upload

REQUESTED = DocumentStatus.DOCUMENT_STATUS_REQUESTED
UPLOADED = DocumentStatus.DOCUMENT_STATUS_UPLOADED
DAY_SECONDS = 24 * 3600


def confirm_all(stubs, tokens, **fields):
    request = ConfirmUploadsRequest(uploads=[ConfirmUpload(token=token) for token in tokens], **fields)
    return list(stubs.documents.ConfirmUploads(request).documents)


def test_a_confirmed_document_is_uploaded_and_kept_for_ever(alpha):
    result = upload(alpha, b"content")

    document = confirm(alpha, result.write_token)

    assert document.status == UPLOADED
    assert document.id == result.document.id
    assert document.sha256 == result.document.sha256
    assert not document.HasField("expire_time")
    assert not document.HasField("hold_expire_time")
    assert document.expiration_policy == ExpirationPolicy.EXPIRATION_POLICY_NONE
    assert get(alpha, document.id) == document


def test_documents_are_answered_in_the_order_of_their_tokens(alpha):
    results = [upload(alpha, b"content", f"{number}.txt") for number in range(10)]

    documents = confirm_all(alpha, [result.write_token for result in reversed(results)])

    assert [document.name for document in documents] == [f"{number}.txt" for number in reversed(range(10))]


def test_an_upload_token_confirms_once(alpha):
    result = upload(alpha, b"content")
    confirm(alpha, result.write_token)

    refusal = expect_refusal("TOKEN_SPENT", confirm, alpha, result.write_token, path="elsewhere/")

    assert refusal.metadata["document_id"] == result.document.id
    assert get(alpha, result.document.id).path == "note.txt"


def test_a_fresh_token_of_a_repeated_upload_does_not_confirm_a_second_time(alpha):
    first = upload(alpha, b"content")
    again = upload(alpha, b"content", upload_id=first.document.id)
    confirm(alpha, first.write_token)

    expect_refusal("TOKEN_SPENT", confirm, alpha, again.write_token)


def test_repeating_a_confirmation_with_its_request_id_gets_the_first_answer(alpha):
    results, request_id = [upload(alpha, b"content") for _ in range(3)], new_id()
    tokens = [result.write_token for result in results]

    first = confirm_all(alpha, tokens, request_id=request_id)

    assert confirm_all(alpha, tokens, request_id=request_id) == first


def test_another_request_id_does_not_get_the_first_answer(alpha):
    result = upload(alpha, b"content")
    confirm(alpha, result.write_token, request_id=new_id())

    expect_refusal("TOKEN_SPENT", confirm, alpha, result.write_token, request_id=new_id())


def test_of_twenty_that_confirm_one_upload_at_once_one_wins(alpha, server):
    result, start = upload(alpha, b"content"), Barrier(20)
    callers = [server.stubs() for _ in range(20)]

    def race(number):
        start.wait(20)
        try:
            return confirm(callers[number], result.write_token, path=f"{number}/", request_id=new_id())
        except grpc.RpcError as exc:
            return refusal_of(exc)

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(race, range(20)))

    [winner] = [number for number, outcome in enumerate(outcomes) if not hasattr(outcome, "reason")]
    assert {outcome.reason for number, outcome in enumerate(outcomes) if number != winner} == {"TOKEN_SPENT"}
    assert get(alpha, result.document.id).path == f"{winner}/note.txt"


def test_of_twenty_that_confirm_with_one_request_id_at_once_all_get_the_same_answer(alpha):
    result, start, request_id = upload(alpha, b"content"), Barrier(20), new_id()

    def race(_):
        start.wait(20)
        return confirm(alpha, result.write_token, request_id=request_id).SerializeToString(deterministic=True)

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(race, range(20)))) == 1


@pytest.mark.parametrize("position", [0, 2])
def test_one_upload_that_cannot_be_confirmed_fails_the_call_and_is_named(alpha, position):
    spent = upload(alpha, b"content")
    confirm(alpha, spent.write_token)
    others = [upload(alpha, b"content") for _ in range(3)]
    tokens = [result.write_token for result in others]
    tokens.insert(position, spent.write_token)

    refusal = expect_refusal("TOKEN_SPENT", confirm_all, alpha, tokens)

    assert refusal.metadata["index"] == str(position)
    assert refusal.metadata["document_id"] == spent.document.id
    assert {get(alpha, result.document.id).status for result in others} == {REQUESTED}


def test_a_forged_token_among_good_ones_fails_the_call_and_is_named(alpha):
    good = upload(alpha, b"content")

    refusal = expect_refusal("TOKEN_INVALID", confirm_all, alpha, [good.write_token, "garbage"])

    assert refusal.metadata == {"index": "1"}
    assert get(alpha, good.document.id).status == REQUESTED
    assert confirm(alpha, good.write_token).status == UPLOADED


def test_a_write_token_of_a_confirmed_document_confirms_it_unchanged(alpha):
    document = store(alpha, b"content")
    token = token_for(alpha, document.id, write=True)

    again = confirm(alpha, token, path="elsewhere/", expiration_policy=ExpirationPolicy.EXPIRATION_POLICY_EXPORT)

    assert again == document
    assert get(alpha, document.id) == document
    assert confirm(alpha, token) == document


def test_new_uploads_and_documents_confirmed_before_go_together(alpha):
    old, new = store(alpha, b"old"), upload(alpha, b"new")

    documents = confirm_all(alpha, [token_for(alpha, old.id, write=True), new.write_token])

    assert documents[0] == old
    assert documents[1].status == UPLOADED


@pytest.mark.parametrize("count", [0, 1001])
def test_no_upload_at_all_and_more_than_a_thousand_are_refused(alpha, count):
    refusal = expect_refusal("BATCH_TOO_LARGE", confirm_all, alpha, ["garbage"] * count)

    assert refusal.metadata["count"] == str(count)
    assert refusal.metadata["limit"] == "1000"


@pytest.mark.parametrize(
    ("path", "becomes"),
    [
        ("", "note.txt"),
        ("admission/2026/", "admission/2026/note.txt"),
        ("admission/2026/id-card.txt", "admission/2026/id-card.txt"),
        ("..dots../a..b", "..dots../a..b"),
        ("été/ملف.txt", "été/ملف.txt"),
        ("x" * 1024, "x" * 1024),
    ],
)
def test_a_path_is_kept_and_a_folder_gets_the_name(alpha, path, becomes):
    assert confirm(alpha, upload(alpha, b"content").write_token, path=path).path == becomes


@pytest.mark.parametrize(
    "path",
    ["..", "../", "../../etc/", "a/../b", "a/..", "/etc/", "/", "a\0b", "a\nb/", "x" * 1025, "x" * 1020 + "/"],
    ids=[
        "parent",
        "parent-folder",
        "parents",
        "inside",
        "at-the-end",
        "absolute",
        "root",
        "nul",
        "newline",
        "1025-characters",
        "too-long-with-the-name",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(alpha, path):
    result = upload(alpha, b"content")

    refusal = expect_refusal("PATH_INVALID", confirm, alpha, result.write_token, path=path)

    assert refusal.metadata["index"] == "0"
    assert get(alpha, result.document.id).status == REQUESTED


def test_several_documents_may_share_a_path(alpha):
    paths = [confirm(alpha, upload(alpha, b"content").write_token, path="same/").path for _ in range(2)]

    assert paths == ["same/note.txt"] * 2


def test_an_export_is_kept_for_fifteen_days(alpha):
    policy = ExpirationPolicy.EXPIRATION_POLICY_EXPORT
    document = confirm(alpha, upload(alpha, b"content").write_token, expiration_policy=policy)

    assert document.expiration_policy == policy
    assert document.expire_time.seconds - time.time() == pytest.approx(15 * DAY_SECONDS, abs=10)


def test_a_held_document_that_is_made_final_is_kept_and_the_others_are_told_apart(alpha):
    [held] = confirm_all(alpha, [upload(alpha, b"content").write_token], hold=Hold())
    unknown = new_id()
    request = FinalizeDocumentsRequest(document_ids=[held.id, unknown, held.id])

    for _ in range(2):
        first, missing, again = alpha.documents.FinalizeDocuments(request).results
        assert first.document == again.document == get(alpha, held.id)
        assert not first.document.HasField("hold_expire_time")
        assert ErrorReason.Name(missing.error.reason) == "ERROR_REASON_DOCUMENT_NOT_FOUND"
        assert missing.error.metadata == {"document_id": unknown}


@pytest.mark.parametrize(("hold", "seconds"), [(Hold(), 7 * DAY_SECONDS), (Hold(duration=Duration(seconds=60)), 60)])
def test_a_held_document_is_readable_and_says_until_when_it_waits(alpha, hold, seconds):
    [document] = confirm_all(alpha, [upload(alpha, b"content").write_token], hold=hold)

    assert document.status == UPLOADED
    assert document.hold_expire_time.seconds - time.time() == pytest.approx(seconds, abs=10)
    assert get(alpha, token=token_for(alpha, document.id)) == document


@pytest.mark.parametrize(
    "duration",
    [Duration(), Duration(seconds=-5), Duration(seconds=3_155_760_001), Duration(seconds=2**62), Duration(seconds=1, nanos=-5)],
    ids=["none", "negative", "above-100-years", "no-duration", "two-signs"],
)
def test_a_hold_for_no_time_or_for_ever_is_refused(alpha, duration):
    token = upload(alpha, b"content").write_token

    refusal = expect_refusal("ARGUMENT_INVALID", confirm_all, alpha, [token], hold=Hold(duration=duration))

    assert "hold.duration" in refusal.fields
