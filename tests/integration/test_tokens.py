"""Tokens: what they allow, when they end, and that none can be made or changed by anybody else."""

import base64
import json
import time

import jwt
import pytest
from google.protobuf.duration_pb2 import Duration

from osis.document.v1.document_service_pb2 import ConfirmUpload, ConfirmUploadsRequest
from osis.document.v1.download_service_pb2 import DownloadRequest
from osis.document.v1.token_service_pb2 import CreateTokenRequest, TokenPurpose
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.refusals import expect_refusal
from tests.support.server import SIGNING_KEY, SIGNING_KEY_ID
from tests.support.uploads import confirm, new_id, store, token_for, upload
from tests.support.waiting import wait_until

WEEK_SECONDS = 7 * 24 * 3600


@pytest.fixture(scope="module")
def document(alpha):
    return store(alpha, b"content")


@pytest.fixture(scope="module")
def token(alpha, document):
    return token_for(alpha, document.id)


def create(stubs, document_id, **fields):
    return stubs.tokens.CreateToken(CreateTokenRequest(document_id=document_id, **fields)).token


def read(stubs, token):
    return list(stubs.downloads.Download(DownloadRequest(token=token)))


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def signed(claims, *, key=SIGNING_KEY, algorithm="HS256", key_id=SIGNING_KEY_ID):
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id})


def with_bit_flipped(token, part):
    parts = token.split(".")
    middle = len(parts[part]) // 2
    old = parts[part][middle]
    parts[part] = parts[part][:middle] + ("A" if old != "A" else "B") + parts[part][middle + 1 :]
    return ".".join(parts)


def without_signature(token):
    _, payload, _ = token.split(".")
    none = (
        base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT", "kid": SIGNING_KEY_ID}).encode()).decode().rstrip("=")
    )
    return f"{none}.{payload}."


FORGERIES = {
    "garbage": lambda token: "garbage",
    "three dots": lambda token: "a.b.c",
    "not ascii": lambda token: "jeton-é",
    "very long": lambda token: token + "A" * 100_000,
    "cut": lambda token: token[:-10],
    "no signature": without_signature,
    "signature left out": lambda token: token.rpartition(".")[0] + ".",
    "another key": lambda token: signed(claims_of(token), key="another-key-that-is-long-enough-to-sign-tokens-with"),
    "another key of the right name": lambda token: signed(claims_of(token), key="x" * 64, key_id=SIGNING_KEY_ID),
    "unknown key id": lambda token: signed(claims_of(token), key_id="unknown"),
    "another algorithm": lambda token: signed(claims_of(token), algorithm="HS512"),
    "another audience": lambda token: signed(claims_of(token) | {"aud": "another-service"}),
    "no audience": lambda token: signed({name: value for name, value in claims_of(token).items() if name != "aud"}),
    "no end": lambda token: signed({name: value for name, value in claims_of(token).items() if name != "exp"}),
    "no id": lambda token: signed({name: value for name, value in claims_of(token).items() if name != "jti"}),
    "unknown purpose": lambda token: signed(claims_of(token) | {"purpose": "everything"}),
    "document that is no id": lambda token: signed(claims_of(token) | {"document": "../../etc/passwd"}),
    "header changed": lambda token: with_bit_flipped(token, 0),
    "claims changed": lambda token: with_bit_flipped(token, 1),
    "signature changed": lambda token: with_bit_flipped(token, 2),
}


def test_a_token_signed_as_the_service_signs_is_accepted_so_that_the_forgeries_fail_for_their_own_reasons(alpha, token):
    assert read(alpha, signed(claims_of(token)))[0].header.document.size_bytes == 7


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("use", ["download", "get", "confirm"])
def test_a_forged_token_is_invalid_and_nothing_more_is_told(alpha, token, forgery, use):
    forged = FORGERIES[forgery](token)
    call = {
        "download": lambda: read(alpha, forged),
        "get": lambda: get(alpha, token=forged),
        "confirm": lambda: confirm(alpha, forged),
    }[use]

    refusal = expect_refusal("TOKEN_INVALID", call)
    plain = expect_refusal("TOKEN_INVALID", read, alpha, "garbage")

    assert refusal.message == plain.message
    assert {name: value for name, value in refusal.metadata.items() if name != "index"} == plain.metadata == {}


def test_two_tokens_made_in_one_second_differ(alpha, document):
    tokens = [create(alpha, document.id).token for _ in range(20)]

    assert len(set(tokens)) == 20


def test_a_token_is_short_enough_for_a_url(token):
    assert len(token) < 400


def test_a_token_lasts_fifteen_minutes_unless_asked_otherwise(alpha, document):
    made = create(alpha, document.id)

    assert made.expire_time.seconds - time.time() == pytest.approx(900, abs=5)


def test_a_token_lasts_as_long_as_asked(alpha, document):
    made = create(alpha, document.id, ttl=Duration(seconds=WEEK_SECONDS))

    assert made.expire_time.seconds - time.time() == pytest.approx(WEEK_SECONDS, abs=5)
    assert claims_of(made.token)["exp"] == made.expire_time.seconds


@pytest.mark.parametrize(
    "ttl",
    [
        Duration(),
        Duration(seconds=-1),
        Duration(seconds=-1, nanos=-500_000_000),
        Duration(seconds=WEEK_SECONDS + 1),
        Duration(seconds=300_000_000_000),
        Duration(seconds=2**62),
        Duration(seconds=1, nanos=-5),
        Duration(nanos=2_000_000_000),
    ],
    ids=[
        "zero",
        "negative",
        "negative-fraction",
        "above-the-limit",
        "ten-thousand-years",
        "no-duration",
        "two-signs",
        "too-many-nanoseconds",
    ],
)
def test_a_token_for_no_time_or_too_long_is_refused(alpha, document, ttl):
    refusal = expect_refusal("ARGUMENT_INVALID", create, alpha, document.id, ttl=ttl)

    assert "ttl" in refusal.fields


def test_a_tokens_time_ends(alpha, document):
    made = create(alpha, document.id, ttl=Duration(seconds=1))
    assert read(alpha, made.token)

    wait_until(lambda: time.time() >= made.expire_time.seconds + 0.01, "the token's time is over", seconds=3)
    refusal = expect_refusal("TOKEN_EXPIRED", read, alpha, made.token)

    assert refusal.metadata["expire_time"].startswith(made.expire_time.ToDatetime().isoformat(timespec="seconds"))


@pytest.mark.parametrize("use", ["download", "get", "confirm"])
def test_an_expired_token_opens_nothing(alpha, token, use):
    expired = signed(claims_of(token) | {"exp": int(time.time()) - 1, "purpose": "upload"})
    call = {
        "download": lambda: read(alpha, expired),
        "get": lambda: get(alpha, token=expired),
        "confirm": lambda: confirm(alpha, expired),
    }[use]

    expect_refusal("TOKEN_EXPIRED", call)


def test_a_token_says_what_it_is_for(alpha, document):
    read_token = create(alpha, document.id)
    write_token = create(alpha, document.id, purpose=TokenPurpose.TOKEN_PURPOSE_WRITE)

    assert read_token.purpose == TokenPurpose.TOKEN_PURPOSE_READ
    assert write_token.purpose == TokenPurpose.TOKEN_PURPOSE_WRITE
    assert {read_token.document_id, write_token.document_id} == {document.id}


def test_no_upload_token_can_be_asked_for(alpha, document):
    refusal = expect_refusal("ARGUMENT_INVALID", create, alpha, document.id, purpose=TokenPurpose.TOKEN_PURPOSE_UPLOAD)

    assert "purpose" in refusal.fields


@pytest.mark.parametrize("purpose", [TokenPurpose.TOKEN_PURPOSE_READ, TokenPurpose.TOKEN_PURPOSE_WRITE])
def test_read_and_write_tokens_read(alpha, document, purpose):
    made = create(alpha, document.id, purpose=purpose)

    assert download(alpha, made.token).data == b"content"
    assert get(alpha, token=made.token) == document


def test_an_upload_token_reads_before_and_after_the_confirmation(alpha):
    result = upload(alpha, b"content")
    before = download(alpha, result.write_token).data
    confirm(alpha, result.write_token)

    assert before == download(alpha, result.write_token).data == b"content"


def test_a_read_token_confirms_nothing(alpha):
    result = upload(alpha, b"content")
    read_token = create(alpha, result.document.id).token

    refusal = expect_refusal("TOKEN_WRONG_PURPOSE", confirm, alpha, read_token)

    assert refusal.metadata["purpose"] == "read"
    assert get(alpha, result.document.id).status == result.document.status


def test_there_is_no_token_for_a_document_that_does_not_exist(alpha):
    unknown = new_id()

    refusal = expect_refusal("DOCUMENT_NOT_FOUND", create, alpha, unknown)

    assert refusal.metadata == {"document_id": unknown}


@pytest.mark.parametrize("document_id", ["", "42"])
def test_a_document_id_that_is_no_uuid_is_refused_by_the_fields_name(alpha, document_id):
    refusal = expect_refusal("ARGUMENT_INVALID", create, alpha, document_id)

    assert "document_id" in refusal.fields


def test_a_read_token_for_a_modified_copy_needs_one(alpha, document):
    refusal = expect_refusal("MODIFIED_COPY_NOT_FOUND", create, alpha, document.id, for_modified=True)

    assert refusal.metadata == {"document_id": document.id}


def test_tokens_are_not_in_the_servers_log(alpha, server, token):
    read(alpha, token)
    expect_refusal("TOKEN_INVALID", read, alpha, with_bit_flipped(token, 2))

    assert "eyJ" not in server.output()


def test_keys_are_not_in_the_servers_log(alpha, server):
    request = ConfirmUploadsRequest(uploads=[ConfirmUpload(token="garbage")])
    expect_refusal("API_KEY_INVALID", server.stubs(key="a-very-secret-key").documents.ConfirmUploads, request)

    assert "-secret" not in server.output()
