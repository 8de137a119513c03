"""Changing the keys that sign tokens, start by start, without a token failing before its time."""

import pytest
from google.protobuf.duration_pb2 import Duration

from osis.document.v1.token_service_pb2 import CreateTokenRequest, InspectTokenRequest, TokenPurpose
from tests.support import images
from tests.support.changes import rotate, update
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.refusals import expect_refusal
from tests.support.server import serving
from tests.support.signing import changed, claims_of, signed
from tests.support.uploads import confirm, store, token_for, upload

pytestmark = pytest.mark.slow

OLD = "an-old-signing-key-of-the-tests-that-is-long-enough"
NEW = "a-new-signing-key-of-the-tests-that-is-long-enough"

#: The keys of each start: the new one is added last, then moved first, then the old one is dropped.
BEFORE = f"2025:{OLD}"
ADDED = f"2025:{OLD},2026:{NEW}"
MOVED = f"2026:{NEW},2025:{OLD}"
DROPPED = f"2026:{NEW}"


@pytest.fixture
def start(tmp_path):
    """Starts the service over one folder with some keys."""
    return lambda keys: serving(tmp_path / "service", TOKEN_SIGNING_KEYS=keys, SWEEP_SECONDS="60")


def key_id_of(stubs, token):
    return stubs.tokens.InspectToken(InspectTokenRequest(token=token)).key_id


def long_token_for(stubs, document_id, **fields):
    request = CreateTokenRequest(document_id=document_id, ttl=Duration(seconds=7 * 24 * 3600), **fields)
    return stubs.tokens.CreateToken(request).token.token


def test_no_token_fails_while_the_key_is_changed_and_those_of_the_old_key_do_when_it_is_dropped(start):
    with start(BEFORE) as server:
        stubs = server.stubs()
        image = store(stubs, images.picture(), "image.png").id
        old_read = long_token_for(stubs, image)
        old_write = long_token_for(stubs, image, purpose=TokenPurpose.TOKEN_PURPOSE_WRITE)
        waiting = upload(stubs, b"waiting")
        assert key_id_of(stubs, old_read) == "2025"

    with start(ADDED) as server:
        stubs = server.stubs()
        assert key_id_of(stubs, long_token_for(stubs, image)) == "2025", "the first key still signs"
        assert download(stubs, old_read).data == images.picture()
        early = signed(claims_of(old_read), key=NEW, key_id="2026")
        assert download(stubs, early).data == images.picture(), "a server that was restarted later knows the new key already"

    with start(MOVED) as server:
        stubs = server.stubs()
        new_read = long_token_for(stubs, image)
        assert key_id_of(stubs, new_read) == "2026"
        assert download(stubs, old_read).data == download(stubs, new_read).data == images.picture()
        assert update(stubs, old_write, metadata={"number": 1}).metadata["number"] == 1
        rotated = rotate(stubs, old_write)
        assert key_id_of(stubs, rotated.token) == "2026", "the next token is signed by the new key"
        expect_refusal("TOKEN_SPENT", rotate, stubs, old_write)
        assert confirm(stubs, waiting.write_token).sha256 == waiting.document.sha256

    with start(DROPPED) as server:
        stubs = server.stubs()
        forged = expect_refusal("TOKEN_INVALID", get, stubs, token="no token at all")
        for token in (old_read, old_write, waiting.write_token):
            refusal = expect_refusal("TOKEN_INVALID", get, stubs, token=token)
            assert (refusal.message, refusal.metadata) == (forged.message, forged.metadata) == (forged.message, {})
        assert get(stubs, token=new_read).revision == 1
        assert rotate(stubs, rotated.token).document.revision == 2


def test_the_name_of_a_dropped_key_may_be_used_again_and_does_not_bring_its_tokens_back(start):
    with start(BEFORE) as server:
        stubs = server.stubs()
        document = store(stubs, b"content").id
        token = token_for(stubs, document)

    with start(f"2025:{NEW}") as server:
        stubs = server.stubs()
        expect_refusal("TOKEN_INVALID", get, stubs, token=token)
        assert download(stubs, token_for(stubs, document)).data == b"content"


def test_the_key_that_a_token_names_is_the_one_that_must_have_signed_it(start):
    with start(MOVED) as server:
        stubs = server.stubs()
        token = token_for(stubs, store(stubs, b"content").id)
        claims = claims_of(token)

        assert get(stubs, token=signed(claims, key=OLD, key_id="2025")).size_bytes == 7
        for forged in (
            signed(claims, key=OLD, key_id="2026"),
            signed(claims, key=NEW, key_id="2025"),
            signed(claims, key=NEW, key_id="2026 "),
            signed(claims, key=NEW, key_id=""),
            changed(token),
        ):
            expect_refusal("TOKEN_INVALID", get, stubs, token=forged)


def test_an_upload_token_of_a_dropped_key_confirms_nothing_and_a_fresh_one_does(start):
    """The upload is asked for again, which answers a token of the key that signs by then."""
    with start(BEFORE) as server:
        first = upload(server.stubs(), b"content")

    with start(DROPPED) as server:
        stubs = server.stubs()
        refusal = expect_refusal("TOKEN_INVALID", confirm, stubs, first.write_token)
        assert refusal.metadata == {"index": "0"}
        again = upload(stubs, b"content", upload_id=first.document.id)
        assert confirm(stubs, again.write_token).id == first.document.id
        assert key_id_of(stubs, again.write_token) == "2026"


def test_a_repeated_rotation_answers_a_token_of_the_key_that_signs_by_then(start):
    request_id = "3f0c7a52-7a43-4a4e-9a0e-3b1d6f1f5a77"
    with start(ADDED) as server:
        stubs = server.stubs()
        token = token_for(stubs, store(stubs, images.picture(), "image.png").id, write=True)
        first = rotate(stubs, token, request_id=request_id)
        assert key_id_of(stubs, first.token) == "2025"

    with start(MOVED) as server:
        stubs = server.stubs()
        again = rotate(stubs, token, request_id=request_id)
        assert again.document == first.document
        assert key_id_of(stubs, again.token) == "2026"
        assert rotate(stubs, first.token).document.revision == 2
