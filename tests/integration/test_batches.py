"""Batches: one answer per item in the order of the request, whatever becomes of the others; or all or nothing."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from google.protobuf.duration_pb2 import Duration

from osis.document.v1.document_pb2 import DocumentRef, DocumentStatus
from osis.document.v1.document_service_pb2 import (
    BatchGetDocumentsRequest,
    ConfirmUpload,
    ConfirmUploadsRequest,
    DuplicateDocument,
    FinalizeDocumentsRequest,
    GetDocumentRequest,
    Hold,
)
from osis.document.v1.token_service_pb2 import BatchCreateTokensRequest, CreateTokenRequest, TokenPurpose
from tests.support import files, outcomes
from tests.support.changes import delete, duplicate_all, infect, reason_of, undelete
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.imports import bring, bring_modified_copy
from tests.support.outcomes import outcome_of
from tests.support.refusals import expect_refusal
from tests.support.signing import changed, expired
from tests.support.uploads import confirm, new_id, store, token_for, upload
from tests.support.waiting import wait_until

REQUESTED = DocumentStatus.DOCUMENT_STATUS_REQUESTED
UPLOADED = DocumentStatus.DOCUMENT_STATUS_UPLOADED
DELETED = DocumentStatus.DOCUMENT_STATUS_DELETED


@pytest.fixture(scope="module")
def admin(server):
    return server.stubs("admin")


def by_id(document_id):
    return DocumentRef(document_id=document_id)


def by_token(token):
    return DocumentRef(token=token)


def batch_get(stubs, refs):
    return list(stubs.documents.BatchGetDocuments(BatchGetDocumentsRequest(documents=refs)).results)


def batch_tokens(stubs, requests):
    return list(stubs.tokens.BatchCreateTokens(BatchCreateTokensRequest(requests=requests)).results)


def finalize(stubs, *document_ids):
    return list(stubs.documents.FinalizeDocuments(FinalizeDocumentsRequest(document_ids=document_ids)).results)


def confirm_all(stubs, tokens, **fields):
    request = ConfirmUploadsRequest(uploads=[ConfirmUpload(token=token) for token in tokens], **fields)
    return list(stubs.documents.ConfirmUploads(request).documents)


@pytest.fixture(scope="module")
def corrupt(server, alpha):
    """A document whose damage was found."""
    content = f"to be damaged {new_id()}".encode()
    document = store(alpha, content)
    token = token_for(alpha, document.id)
    file = server.blob_file_of(content)
    file.chmod(0o600)
    file.write_bytes(b"T" + content[1:])
    assert download(alpha, token).refusal.reason == "DOCUMENT_CORRUPT"
    return document, token


@pytest.fixture(scope="module")
def deleted(alpha):
    document = store(alpha, b"deleted")
    token = token_for(alpha, document.id)
    delete(alpha, document.id)
    return document, token


@pytest.fixture(scope="module")
def infected(alpha):
    document = store(alpha, b"infected")
    token = token_for(alpha, document.id)
    infect(alpha, document.id)
    return document, token


# ---- how many -----------------------------------------------------------------------------------------------------------

BATCHES = {
    "get": lambda stubs, document, count: batch_get(stubs, [by_id(document.id)] * count),
    "tokens": lambda stubs, document, count: batch_tokens(stubs, [CreateTokenRequest(document_id=document.id)] * count),
    "finalize": lambda stubs, document, count: finalize(stubs, *[document.id] * count),
    "delete": lambda stubs, document, count: delete(stubs, *[document.id] * count),
    "undelete": lambda stubs, document, count: undelete(stubs, *[document.id] * count),
    "duplicate": lambda stubs, document, count: duplicate_all(stubs, [DuplicateDocument(document_id=document.id)] * count),
}


@pytest.mark.parametrize("count", [0, 1001])
@pytest.mark.parametrize("batch", BATCHES)
def test_no_item_and_more_than_a_thousand_are_refused_and_nothing_is_done(alpha, batch, count):
    document = store(alpha, b"content")

    refusal = expect_refusal("BATCH_TOO_LARGE", BATCHES[batch], alpha, document, count)

    assert (refusal.metadata["count"], refusal.metadata["limit"]) == (str(count), "1000")
    assert get(alpha, document.id) == document


@pytest.mark.parametrize("count", [1, 1000])
@pytest.mark.parametrize("batch", BATCHES)
def test_one_to_a_thousand_items_are_answered_one_by_one(alpha, batch, count):
    document = store(alpha, b"content")

    results = BATCHES[batch](alpha, document, count)

    assert len(results) == count
    assert {reason_of(result) for result in results} == {""}


@pytest.mark.slow
@pytest.mark.one_database
def test_a_thousand_uploads_are_confirmed_at_once(alpha):
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda number: upload(alpha, b"content", f"{number}.txt").write_token, range(1000)))

    documents = confirm_all(alpha, tokens)

    assert [document.name for document in documents] == [f"{number}.txt" for number in range(1000)]
    assert {document.status for document in documents} == {UPLOADED}


# ---- describing ---------------------------------------------------------------------------------------------------------


def test_documents_are_described_in_the_order_of_the_request_duplicates_included(alpha):
    first, second = store(alpha, b"first"), store(alpha, b"second")
    refs = [by_id(second.id), by_token(token_for(alpha, first.id)), by_id(second.id), by_id(first.id)]

    results = batch_get(alpha, refs)

    assert [result.document for result in results] == [second, first, second, first]


def test_each_item_is_answered_as_a_lone_call_would_be(alpha, admin, corrupt, deleted, infected):
    document = store(alpha, b"content")
    token = token_for(alpha, document.id)
    refs = [
        by_id(document.id),
        by_token(token),
        by_id(new_id()),
        by_token("garbage"),
        by_token(""),
        by_token(expired(token)),
        by_token(changed(token, document=new_id())),
        by_token(changed(token, modified=True)),
        *(by_id(found.id) for found, _ in (corrupt, deleted, infected)),
        *(by_token(found) for _, found in (corrupt, deleted, infected)),
        by_id(document.id),
    ]

    def lone(ref):
        outcome = outcome_of(alpha.documents.GetDocument, GetDocumentRequest(document=ref))
        if outcomes.reason_of(outcome):
            return outcome.reason, outcome.message, dict(outcome.metadata)
        return outcome.document

    def in_batch(result):
        if result.HasField("document"):
            return result.document
        return reason_of(result), result.error.message, dict(result.error.metadata)

    answers = [in_batch(result) for result in batch_get(alpha, refs)]

    assert answers == [lone(ref) for ref in refs]
    assert [answer[0] if isinstance(answer, tuple) else "" for answer in answers] == [
        "",
        "",
        "DOCUMENT_NOT_FOUND",
        "TOKEN_INVALID",
        "TOKEN_INVALID",
        "TOKEN_EXPIRED",
        "DOCUMENT_NOT_FOUND",
        "MODIFIED_COPY_NOT_FOUND",
        "",
        "",
        "",
        "DOCUMENT_CORRUPT",
        "DOCUMENT_DELETED",
        "DOCUMENT_INFECTED",
        "",
    ]


def test_a_token_of_the_modified_copy_says_so(alpha, admin):
    document = bring(admin, b"original")
    bring_modified_copy(admin, document.id, b"edited")
    tokens = [token_for(alpha, document.id, for_modified=modified) for modified in (True, False)]

    results = batch_get(alpha, [*map(by_token, tokens), by_id(document.id)])

    assert [result.for_modified for result in results] == [True, False, False]
    assert {result.document.modified.sha256 for result in results} == {hashlib.sha256(b"edited").hexdigest()}


def test_documents_are_described_by_tokens_without_a_key_but_not_by_ids(alpha, nobody):
    document = store(alpha, b"content")
    token = token_for(alpha, document.id)

    assert [result.document for result in batch_get(nobody, [by_token(token)] * 2)] == [document] * 2
    expect_refusal("API_KEY_MISSING", batch_get, nobody, [by_token(token), by_id(document.id)])


def test_a_worker_may_not_ask_for_documents_by_ids(alpha, server):
    document = store(alpha, b"content")

    expect_refusal("ROLE_NOT_ALLOWED", batch_get, server.stubs("worker"), [by_id(document.id)])


@pytest.mark.parametrize("ref", [DocumentRef(), by_id("42"), by_id("")], ids=["neither", "no-uuid", "empty"])
def test_an_item_that_names_no_document_is_refused_by_its_place(alpha, ref):
    document = store(alpha, b"content")

    refusal = expect_refusal("ARGUMENT_INVALID", batch_get, alpha, [by_id(document.id), ref])

    assert any("documents[1]" in field for field in refusal.fields)


# ---- tokens -------------------------------------------------------------------------------------------------------------


def test_a_thousand_tokens_are_all_different_and_good(alpha, nobody):
    documents = [store(alpha, str(number).encode()) for number in range(10)]
    requests = [CreateTokenRequest(document_id=document.id) for document in documents] * 100

    tokens = [result.token for result in batch_tokens(alpha, requests)]

    assert len({token.token for token in tokens}) == 1000
    assert [token.document_id for token in tokens] == [request.document_id for request in requests]
    for token in (tokens[0], tokens[499], tokens[999]):
        assert get(nobody, token=token.token).id == token.document_id


def test_tokens_are_made_as_each_item_asks(alpha, admin):
    document = bring(admin, b"original")
    bring_modified_copy(admin, document.id, b"edited")
    write = TokenPurpose.TOKEN_PURPOSE_WRITE

    plain, writing, long, modified = (
        result.token
        for result in batch_tokens(
            alpha,
            [
                CreateTokenRequest(document_id=document.id),
                CreateTokenRequest(document_id=document.id, purpose=write),
                CreateTokenRequest(document_id=document.id, ttl=Duration(seconds=5000)),
                CreateTokenRequest(document_id=document.id, for_modified=True),
            ],
        )
    )

    assert (plain.purpose, writing.purpose) == (TokenPurpose.TOKEN_PURPOSE_READ, write)
    assert long.expire_time.seconds - plain.expire_time.seconds == pytest.approx(5000 - 900, abs=1)
    assert (plain.for_modified, modified.for_modified) == (False, True)
    assert (download(alpha, plain.token).data, download(alpha, modified.token).data) == (b"original", b"edited")


def test_each_wish_for_a_token_is_refused_as_a_lone_call_would_be_and_the_others_are_served(alpha, corrupt, deleted, infected):
    document = store(alpha, b"content")
    refused = [
        CreateTokenRequest(document_id=new_id()),
        CreateTokenRequest(document_id=deleted[0].id),
        CreateTokenRequest(document_id=infected[0].id),
        CreateTokenRequest(document_id=corrupt[0].id),
        CreateTokenRequest(document_id=document.id, for_modified=True),
        CreateTokenRequest(document_id=document.id, ttl=Duration()),
        CreateTokenRequest(document_id=document.id, ttl=Duration(seconds=7 * 24 * 3600 + 1)),
        CreateTokenRequest(document_id=document.id, purpose=TokenPurpose.TOKEN_PURPOSE_UPLOAD),
        CreateTokenRequest(document_id=document.id, wanted_post_process=99),
    ]
    good = CreateTokenRequest(document_id=document.id)
    requests = [item for request in refused for item in (good, request)]

    results = batch_tokens(alpha, requests)

    assert {result.token.document_id for result in results[::2]} == {document.id}
    lone = [outcome_of(alpha.tokens.CreateToken, request) for request in refused]
    assert [(reason_of(result), result.error.message, dict(result.error.metadata)) for result in results[1::2]] == [
        (refusal.reason, refusal.message, dict(refusal.metadata)) for refusal in lone
    ]
    assert [refusal.reason for refusal in lone] == [
        "DOCUMENT_NOT_FOUND",
        "DOCUMENT_DELETED",
        "DOCUMENT_INFECTED",
        "DOCUMENT_CORRUPT",
        "MODIFIED_COPY_NOT_FOUND",
        *["ARGUMENT_INVALID"] * 4,
    ]


@pytest.mark.parametrize("document_id", ["42", ""])
def test_a_wish_for_a_token_of_no_document_does_not_hold_up_the_others(alpha, document_id):
    document = store(alpha, b"content")
    requests = [CreateTokenRequest(document_id=name) for name in (document.id, document_id, document.id)]

    first, refused, last = batch_tokens(alpha, requests)

    assert first.token.document_id == last.token.document_id == document.id
    assert reason_of(refused) == "ARGUMENT_INVALID"
    assert refused.error.metadata == {"field": "document_id", "value": document_id}


# ---- per item -----------------------------------------------------------------------------------------------------------


def test_what_cannot_be_made_final_does_not_hold_up_the_others(alpha, deleted, infected):
    [held] = confirm_all(alpha, [upload(alpha, b"content").write_token], hold=Hold())

    results = finalize(alpha, deleted[0].id, held.id, infected[0].id, new_id(), held.id)

    assert [reason_of(result) for result in results] == ["DOCUMENT_DELETED", "", "DOCUMENT_INFECTED", "DOCUMENT_NOT_FOUND", ""]
    assert not get(alpha, held.id).HasField("hold_expire_time")


def test_what_cannot_be_deleted_does_not_hold_up_the_others(alpha, infected):
    first, second, unknown = store(alpha, b"first"), store(alpha, b"second"), new_id()

    results = delete(alpha, second.id, unknown, infected[0].id, first.id, second.id)

    assert [reason_of(result) for result in results] == ["", "DOCUMENT_NOT_FOUND", "DOCUMENT_INFECTED", "", ""]
    assert [results[place].document.id for place in (0, 3, 4)] == [second.id, first.id, second.id]
    assert {results[place].document.status for place in (0, 3, 4)} == {DELETED}
    assert results[1].error.metadata == {"document_id": unknown}
    assert results[2].error.metadata == {"document_id": infected[0].id}
    assert {get(alpha, document.id).status for document in (first, second)} == {DELETED}


def test_what_cannot_be_undeleted_does_not_hold_up_the_others(alpha, infected):
    gone, there, unknown = store(alpha, b"gone"), store(alpha, b"there"), new_id()
    delete(alpha, gone.id)

    results = undelete(alpha, unknown, gone.id, infected[0].id, there.id, gone.id)

    assert [reason_of(result) for result in results] == ["DOCUMENT_NOT_FOUND", "", "DOCUMENT_INFECTED", "", ""]
    assert [results[place].document.id for place in (1, 3, 4)] == [gone.id, there.id, gone.id]
    assert {get(alpha, document.id).status for document in (gone, there)} == {UPLOADED}


def test_what_cannot_be_duplicated_does_not_hold_up_the_others(alpha, corrupt, deleted, infected):
    document, waiting, taken = store(alpha, b"content"), upload(alpha, b"waiting").document, store(alpha, b"taken")
    unknown = new_id()
    items = [
        DuplicateDocument(document_id=unknown),
        DuplicateDocument(document_id=document.id),
        DuplicateDocument(document_id=deleted[0].id),
        DuplicateDocument(document_id=infected[0].id),
        DuplicateDocument(document_id=corrupt[0].id),
        DuplicateDocument(document_id=waiting.id),
        DuplicateDocument(document_id=document.id, path="../"),
        DuplicateDocument(document_id=document.id, new_document_id=taken.id),
        DuplicateDocument(document_id=document.id, path="elsewhere/"),
    ]

    results = duplicate_all(alpha, items)

    assert [reason_of(result) for result in results] == [
        "DOCUMENT_NOT_FOUND",
        "",
        "DOCUMENT_DELETED",
        "DOCUMENT_INFECTED",
        "DOCUMENT_CORRUPT",
        "DOCUMENT_NOT_CONFIRMED",
        "PATH_INVALID",
        "UPLOAD_ID_TAKEN",
        "",
    ]
    assert results[0].error.metadata["document_id"] == unknown
    assert content_of(alpha, results[1].document.id) == content_of(alpha, results[8].document.id) == b"content"
    assert get(alpha, taken.id) == taken


@pytest.mark.parametrize("batch", ["finalize", "delete", "undelete"])
def test_an_id_that_is_no_uuid_is_refused_by_its_place_and_nothing_is_done(alpha, batch):
    document = store(alpha, b"content")
    call = {"finalize": finalize, "delete": delete, "undelete": undelete}[batch]

    refusal = expect_refusal("ARGUMENT_INVALID", call, alpha, document.id, "42")

    assert any("document_ids[1]" in field for field in refusal.fields)
    assert get(alpha, document.id) == document


# ---- all or nothing, and one winner ------------------------------------------------------------------------------------


def test_an_upload_that_is_named_twice_in_one_confirmation_fails_the_call(alpha):
    result, other = upload(alpha, b"content"), upload(alpha, b"content")

    refusal = expect_refusal("TOKEN_SPENT", confirm_all, alpha, [result.write_token, other.write_token, result.write_token])

    assert refusal.metadata["index"] == "2"
    assert refusal.metadata["document_id"] == result.document.id
    assert {get(alpha, upload_.document.id).status for upload_ in (result, other)} == {REQUESTED}


@pytest.mark.parametrize("kind", ["deleted", "infected", "unknown", "expired", "read", "write", "empty", "path", "metadata"])
def test_whatever_fails_one_item_of_a_confirmation_fails_all_and_names_it(alpha, kind):
    good, bad = upload(alpha, b"good"), upload(alpha, b"bad")
    item, reason = ConfirmUpload(token=bad.write_token), ""
    match kind:
        case "deleted":
            delete(alpha, bad.document.id)
            reason = "DOCUMENT_DELETED"
        case "infected":
            infect(alpha, bad.document.id)
            reason = "DOCUMENT_INFECTED"
        case "unknown":
            item.token, reason = changed(bad.write_token, document=new_id()), "DOCUMENT_NOT_FOUND"
        case "expired":
            item.token, reason = expired(bad.write_token), "TOKEN_EXPIRED"
        case "read":
            item.token, reason = token_for(alpha, bad.document.id), "TOKEN_WRONG_PURPOSE"
        case "write":
            item.token, reason = token_for(alpha, bad.document.id, write=True), "TOKEN_WRONG_PURPOSE"
        case "empty":
            item.token, reason = "", "ARGUMENT_INVALID"
        case "path":
            item.path, reason = "../", "PATH_INVALID"
        case "metadata":
            item.metadata.update({"large": "x" * 65536})
            reason = "METADATA_INVALID"

    request = ConfirmUploadsRequest(uploads=[ConfirmUpload(token=good.write_token, path="kept/"), item])
    refusal = expect_refusal(reason, alpha.documents.ConfirmUploads, request)

    assert refusal.metadata["index"] == "1"
    left = get(alpha, good.document.id)
    assert (left.status, left.path) == (REQUESTED, "")
    assert left == good.document


def test_of_fifty_that_redeem_one_upload_token_at_once_one_wins_and_the_others_change_nothing(alpha, server):
    shared = upload(alpha, b"shared")
    own = [upload(alpha, b"own") for _ in range(50)]
    callers, start = [server.stubs() for _ in range(10)], Barrier(50)

    def redeem(number):
        start.wait(30)
        tokens = [own[number].write_token, shared.write_token]
        return outcome_of(confirm_all, callers[number % 10], tokens, request_id=new_id())

    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(redeem, range(50)))

    [winner] = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, list)]
    assert [document.id for document in outcomes[winner]] == [own[winner].document.id, shared.document.id]
    refusals = [outcome for number, outcome in enumerate(outcomes) if number != winner]
    assert {(refusal.reason, refusal.metadata["index"], refusal.metadata["document_id"]) for refusal in refusals} == {
        ("TOKEN_SPENT", "1", shared.document.id)
    }
    confirmed = {number for number in range(50) if get(alpha, own[number].document.id).status == UPLOADED}
    assert confirmed == {winner}


def test_two_confirmations_of_one_batch_with_one_request_id_get_the_same_answer(alpha, server):
    tokens, request_id, start = [upload(alpha, b"content").write_token for _ in range(5)], new_id(), Barrier(2)
    callers = [server.stubs(), server.stubs()]

    def race(stubs):
        start.wait(20)
        return [document.SerializeToString(deterministic=True) for document in confirm_all(stubs, tokens, request_id=request_id)]

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(race, callers)

    assert first == second


def test_batches_over_the_same_documents_in_any_order_do_not_block_each_other(alpha, server):
    """Half of the callers name the documents forwards, half backwards."""
    made = [store(alpha, b"content").id for _ in range(20)]
    callers, start = [server.stubs() for _ in range(8)], Barrier(8)

    def run(number):
        start.wait(20)
        order = made if number % 2 else list(reversed(made))
        reasons = set()
        for _ in range(5):
            for call in (delete, undelete):
                reasons |= {reason_of(result) for result in call(callers[number], *order)}
        return reasons

    with ThreadPoolExecutor(8) as pool:
        reasons = set().union(*pool.map(run, range(8)))

    assert reasons == {""}
    undelete(alpha, *made)
    wait_until(lambda: {get(alpha, document_id).status for document_id in made} == {UPLOADED}, "all are back")


def test_confirming_and_deleting_at_once_leaves_each_document_in_one_state(alpha, server):
    """Whichever comes first: a deleted upload is not confirmed, a confirmed one is deleted."""
    other = server.stubs()
    for _ in range(10):
        result, start = upload(alpha, files.png(), "image.png"), Barrier(2)

        def confirming(result=result, start=start):
            start.wait(20)
            return outcomes.reason_of(outcome_of(confirm, alpha, result.write_token))

        def deleting(result=result, start=start):
            start.wait(20)
            [outcome] = delete(other, result.document.id)
            return reason_of(outcome)

        with ThreadPoolExecutor(2) as pool:
            confirmed, deletion = pool.submit(confirming), pool.submit(deleting)
            assert deletion.result() == ""
            assert confirmed.result() in {"", "DOCUMENT_DELETED"}
        assert get(alpha, result.document.id).status == DELETED
        undelete(alpha, result.document.id)
        assert get(alpha, result.document.id).status == (REQUESTED if confirmed.result() else UPLOADED)
