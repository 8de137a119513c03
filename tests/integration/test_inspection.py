"""Explaining tokens, and what tokens tell those who forge them: nothing."""

import base64
import hashlib
import hmac
import json
import time

import grpc
import jwt
import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osis.document.v1.document_pb2 import DocumentRef
from osis.document.v1.document_service_pb2 import BatchGetDocumentsRequest
from osis.document.v1.download_service_pb2 import DownloadRequest
from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.token_service_pb2 import CreateTokenRequest, InspectTokenRequest, TokenPurpose
from tests.support import files, images
from tests.support.changes import delete, infect, rotate, save_edit, undelete, update
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.imports import bring, bring_modified_copy
from tests.support.outcomes import outcome_of, reason_of
from tests.support.refusals import documented_codes, expect_refusal, refusal_of
from tests.support.server import SIGNING_KEY, SIGNING_KEY_ID
from tests.support.signing import changed, claims_of, expired, signed
from tests.support.uploads import confirm, new_id, store, token_for, upload

READ = TokenPurpose.TOKEN_PURPOSE_READ
WRITE = TokenPurpose.TOKEN_PURPOSE_WRITE
UPLOAD = TokenPurpose.TOKEN_PURPOSE_UPLOAD


@pytest.fixture(scope="module")
def admin(server):
    return server.stubs("admin")


def inspect(stubs, token):
    return stubs.tokens.InspectToken(InspectTokenRequest(token=token))


def refusal_told(stubs, token):
    """Why the token would be refused, and the values that are told; empty if it is good."""
    answer = inspect(stubs, token)
    if not answer.HasField("refusal"):
        return "", {}
    assert len(answer.refusal.message) > 10
    return ErrorReason.Name(answer.refusal.reason).removeprefix("ERROR_REASON_"), dict(answer.refusal.metadata)


# ---- what a token is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize("modified", [False, True])
def test_a_good_token_is_explained(alpha, admin, purpose, modified):
    document = bring(admin, b"content")
    bring_modified_copy(admin, document.id, b"edited")
    revision = get(alpha, document.id).revision
    request = CreateTokenRequest(document_id=document.id, purpose=purpose, for_modified=modified, ttl=Duration(seconds=500))
    made = alpha.tokens.CreateToken(request).token

    answer = inspect(alpha, made.token)

    assert answer.token == made
    assert (made.purpose, made.for_modified, made.document_id) == (purpose, modified, document.id)
    assert answer.revision == revision
    assert answer.key_id == SIGNING_KEY_ID
    assert answer.issue_time.seconds == pytest.approx(time.time(), abs=5)
    assert made.expire_time.seconds - answer.issue_time.seconds == pytest.approx(500, abs=1)
    assert not answer.HasField("refusal")


def test_an_upload_token_is_explained_and_still_confirms(alpha):
    result = upload(alpha, b"content")

    answer = inspect(alpha, result.write_token)

    assert answer.token.purpose == UPLOAD
    assert answer.token.document_id == result.document.id
    assert answer.token.expire_time == result.write_token_expire_time
    assert not answer.HasField("refusal")
    confirm(alpha, result.write_token)


def test_inspecting_changes_nothing(alpha):
    document = store(alpha, images.picture(), "image.png")
    token = token_for(alpha, document.id, write=True)

    answers = [inspect(alpha, token) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert get(alpha, document.id) == document
    assert rotate(alpha, token).document.revision == 1


# ---- why it would be refused --------------------------------------------------------------------------------------------


def test_a_token_whose_time_is_over_is_explained_all_the_same(alpha):
    document = store(alpha, b"content")
    token = expired(token_for(alpha, document.id))

    reason, metadata = refusal_told(alpha, token)

    assert reason == "TOKEN_EXPIRED"
    assert metadata["expire_time"].startswith("20")
    assert inspect(alpha, token).token.document_id == document.id


@pytest.mark.parametrize("change", ["rotation", "edit"])
def test_a_write_token_is_spent_when_its_revision_is_past_and_a_read_token_is_not(alpha, change):
    name, content = {"rotation": ("image.png", images.picture()), "edit": ("form.pdf", files.pdf("text"))}[change]
    document = store(alpha, content, name)
    read, write = token_for(alpha, document.id), token_for(alpha, document.id, write=True)
    token = token_for(alpha, document.id, write=True)
    answered = rotate(alpha, token) if change == "rotation" else save_edit(alpha, token, rotations={0: 90})

    assert refusal_told(alpha, token) == refusal_told(alpha, write) == ("TOKEN_SPENT", {"document_id": document.id})
    assert refusal_told(alpha, read) == refusal_told(alpha, answered.token) == ("", {})
    assert inspect(alpha, token).revision == 0


def test_an_upload_token_is_spent_by_its_confirmation(alpha):
    result = upload(alpha, b"content")
    confirm(alpha, result.write_token)

    assert refusal_told(alpha, result.write_token) == ("TOKEN_SPENT", {"document_id": result.document.id})


def test_a_change_of_metadata_spends_nothing(alpha):
    document = store(alpha, b"content")
    token = token_for(alpha, document.id, write=True)
    update(alpha, token, name="renamed.txt")

    assert refusal_told(alpha, token) == ("", {})


@pytest.mark.parametrize(("end", "reason"), [(delete, "DOCUMENT_DELETED"), (infect, "DOCUMENT_INFECTED")])
@pytest.mark.parametrize("write", [False, True])
def test_a_deleted_or_infected_document_is_told(alpha, end, reason, write):
    document = store(alpha, b"content")
    token = token_for(alpha, document.id, write=write)
    end(alpha, document.id)

    assert refusal_told(alpha, token) == (reason, {"document_id": document.id})


def test_an_undeleted_document_makes_its_tokens_good_again(alpha):
    document = store(alpha, b"content")
    token = token_for(alpha, document.id)
    delete(alpha, document.id)
    undelete(alpha, document.id)

    assert refusal_told(alpha, token) == ("", {})


def test_a_damaged_document_is_told(alpha, server):
    content = new_id().encode()
    document = store(alpha, content)
    token = token_for(alpha, document.id)
    file = server.blob_file_of(content)
    file.chmod(0o600)
    file.write_bytes(b"!" + content[1:])
    assert download(alpha, token).refusal.reason == "DOCUMENT_CORRUPT"

    reason, metadata = refusal_told(alpha, token)

    assert (reason, metadata["document_id"]) == ("DOCUMENT_CORRUPT", document.id)


def test_a_missing_modified_copy_is_told_for_reading_and_is_nothing_against_writing_it(alpha):
    document = store(alpha, files.pdf("text"), "form.pdf")
    write = token_for(alpha, document.id, write=True, for_modified=True)
    read = changed(token_for(alpha, document.id), modified=True)

    assert refusal_told(alpha, read) == ("MODIFIED_COPY_NOT_FOUND", {"document_id": document.id})
    assert refusal_told(alpha, write) == ("", {})


def test_a_document_that_does_not_exist_is_told(alpha):
    unknown = new_id()
    token = changed(token_for(alpha, store(alpha, b"content").id), document=unknown)

    assert refusal_told(alpha, token) == ("DOCUMENT_NOT_FOUND", {"document_id": unknown})


def test_the_refusal_is_the_one_that_a_use_of_the_token_meets(alpha):
    document = store(alpha, b"content")
    token = token_for(alpha, document.id)
    delete(alpha, document.id)

    used = expect_refusal("DOCUMENT_DELETED", get, alpha, token=token)
    told = inspect(alpha, token).refusal

    assert (told.message, dict(told.metadata)) == (used.message, dict(used.metadata))


def test_explaining_needs_a_key(nobody, alpha):
    token = token_for(alpha, store(alpha, b"content").id)

    expect_refusal("API_KEY_MISSING", inspect, nobody, token)


# ---- forgeries ----------------------------------------------------------------------------------------------------------


USES = {
    "Download": lambda stubs, token: list(stubs.downloads.Download(DownloadRequest(token=token))),
    "GetDocument": lambda stubs, token: get(stubs, token=token),
    "UpdateMetadata": lambda stubs, token: update(stubs, token, name="renamed.txt"),
    "RotateImage": lambda stubs, token: rotate(stubs, token),
    "SaveEdit": lambda stubs, token: save_edit(stubs, token, rotations={0: 90}),
    "InspectToken": lambda stubs, token: inspect(stubs, token),
}


def unpadded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def unsigned(token, algorithm):
    return f"{unpadded({'alg': algorithm, 'typ': 'JWT', 'kid': SIGNING_KEY_ID})}.{token.split('.')[1]}."


def without(token, claim):
    return signed({name: value for name, value in claims_of(token).items() if name != claim})


def with_header(token, **header):
    return jwt.encode(claims_of(token), SIGNING_KEY, algorithm="HS256", headers={"kid": SIGNING_KEY_ID} | header)


FORGERIES = {
    "nothing": lambda token: " ",
    "garbage": lambda token: "garbage",
    "alg none": lambda token: unsigned(token, "none"),
    "alg None": lambda token: unsigned(token, "None"),
    "alg nOnE with the old signature": lambda token: unsigned(token, "nOnE") + token.split(".")[2],
    "alg RS256": lambda token: unsigned(token, "RS256") + token.split(".")[2],
    "alg HS512 by the right key": lambda token: signed(claims_of(token), algorithm="HS512"),
    "no signature": lambda token: token.rpartition(".")[0],
    "empty signature": lambda token: token.rpartition(".")[0] + ".",
    "another key": lambda token: signed(claims_of(token), key="x" * 64),
    "another key of an unknown name": lambda token: signed(claims_of(token), key="x" * 64, key_id="unknown"),
    "right key of an unknown name": lambda token: signed(claims_of(token), key_id="unknown"),
    "no key id": lambda token: jwt.encode(claims_of(token), SIGNING_KEY, algorithm="HS256"),
    "key id that is a path": lambda token: signed(claims_of(token), key_id="../../dev/null"),
    "key id of another kind": lambda token: token_with_raw_header(token, {"alg": "HS256", "kid": ["tests"]}),
    "critical header": lambda token: with_header(token, crit=["exp"], exp=1),
    "another audience": lambda token: changed(token, aud="another.service.v1"),
    "two audiences of which none": lambda token: changed(token, aud=["a", "b"]),
    "no audience": lambda token: without(token, "aud"),
    "no purpose": lambda token: without(token, "purpose"),
    "no document": lambda token: without(token, "document"),
    "unknown purpose": lambda token: changed(token, purpose="admin"),
    "expired, and signed by another key": lambda token: signed(claims_of(token) | {"exp": 1}, key="x" * 64),
    "of an unknown document, and signed by another key": lambda token: signed(
        claims_of(token) | {"document": new_id()}, key="x" * 64
    ),
    "a page": lambda token: unpadded({"document": "x"}),
    "very long": lambda token: "A" * 500_000,
    "nul": lambda token: token[:20] + "\0" + token[20:],
    "not ascii": lambda token: "é" + token,
    "spaces around": lambda token: f" {token} ",
    "line end": lambda token: token + "\n",
    "four parts": lambda token: token + ".AAAA",
}


def token_with_raw_header(token, header):
    signing_input = f"{unpadded(header)}.{token.split('.')[1]}"
    signature = hmac.new(SIGNING_KEY.encode(), signing_input.encode(), hashlib.sha256).digest()
    return f"{signing_input}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def wire(call, *arguments):
    """Everything that a refusal has on the wire: code, message, trailing metadata but for the request's own id."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments)
    error = caught.value
    assert refusal_of(error).code == documented_codes()["TOKEN_INVALID"]
    initial = sorted((key, value) for key, value in error.initial_metadata() or () if key != "x-request-id")
    trailing = sorted((key, value) for key, value in error.trailing_metadata() if key != "x-request-id")
    return error.code(), error.details(), initial, trailing


@pytest.fixture(scope="module")
def tokens(alpha):
    """Good tokens of each purpose and of documents in each state, all of which could be forged."""
    image, gone, infected = (store(alpha, images.picture(), "image.png").id for _ in range(3))
    made = {
        "read": token_for(alpha, image),
        "write": token_for(alpha, image, write=True),
        "upload": upload(alpha, images.picture(), "image.png").write_token,
        "deleted": token_for(alpha, gone),
        "infected": token_for(alpha, infected, write=True),
    }
    delete(alpha, gone)
    infect(alpha, infected)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("forgery", FORGERIES)
def test_all_forgeries_are_refused_alike_down_to_the_last_byte(alpha, tokens, forgery, use):
    forged = {FORGERIES[forgery](token) for token in tokens.values()}
    plain = wire(USES[use], alpha, "no token at all")

    answers = [wire(USES[use], alpha, token) for token in forged]

    assert answers == [plain] * len(answers)
    assert expect_refusal("TOKEN_INVALID", USES[use], alpha, forged.pop()).metadata == {}


def test_the_refusal_of_a_forgery_is_the_same_in_a_batch_and_for_an_edited_upload(alpha, tokens):
    document = store(alpha, files.pdf("text"), "form.pdf")
    write = token_for(alpha, document.id, write=True)
    alone = expect_refusal("TOKEN_INVALID", get, alpha, token="garbage")

    for forgery in ("alg none", "another key", "another audience", "empty signature"):
        forged = FORGERIES[forgery](tokens["upload"])
        [result] = alpha.documents.BatchGetDocuments(BatchGetDocumentsRequest(documents=[DocumentRef(token=forged)])).results
        assert (ErrorReason.Name(result.error.reason), result.error.message) == ("ERROR_REASON_TOKEN_INVALID", alone.message)
        assert dict(result.error.metadata) == {}
        refusal = expect_refusal("TOKEN_INVALID", save_edit, alpha, write, forged)
        assert refusal.message == alone.message
    assert get(alpha, document.id) == document


@pytest.mark.slow
@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_token_of_which_one_character_was_changed_is_refused_like_any_forgery(alpha, tokens, part, data):
    parts = tokens[data.draw(st.sampled_from(sorted(tokens)))].split(".")
    place = data.draw(st.integers(0, len(parts[part]) - 1))
    old = parts[part][place]
    new = data.draw(st.sampled_from("ABQZabqz059-_.=+/!~ \x00\x7fé").filter(lambda character: character != old))
    parts[part] = parts[part][:place] + new + parts[part][place + 1 :]
    plain = wire(USES["GetDocument"], alpha, "no token at all")

    assert wire(USES["GetDocument"], alpha, ".".join(parts)) == plain


@pytest.mark.slow
@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_token_of_which_one_bit_was_flipped_is_refused_like_any_forgery(alpha, tokens, part, data):
    """The bit is flipped in what the characters stand for."""
    parts = tokens[data.draw(st.sampled_from(sorted(tokens)))].split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[part] = base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")

    assert wire(USES["GetDocument"], alpha, ".".join(parts)) == wire(USES["GetDocument"], alpha, "no token at all")


def test_every_other_last_character_of_the_signature_is_refused(alpha, tokens):
    """The last character stands for four bits and two that mean nothing: a token that differs in those was changed too."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = tokens["read"]
    others = set(alphabet) - {token[-1]}

    outcomes = {character: reason_of(outcome_of(get, alpha, token=token[:-1] + character)) for character in others}

    assert outcomes == dict.fromkeys(others, "TOKEN_INVALID")


@pytest.mark.parametrize("use", ["UpdateMetadata", "RotateImage", "SaveEdit"])
def test_after_the_signature_a_token_of_another_purpose_is_told_so(alpha, tokens, use):
    refusal = expect_refusal("TOKEN_WRONG_PURPOSE", USES[use], alpha, tokens["read"])

    assert refusal.metadata["purpose"] == "read"
    assert "write" in refusal.metadata["needed"]
