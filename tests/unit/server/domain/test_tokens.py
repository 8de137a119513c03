"""Tokens: what they say, and everything that is no token of ours."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest

from osis_document_server.domain.tokens import AUDIENCE, Purpose, SignedToken, TokenSigner
from osis_document_server.errors import TokenExpired, TokenInvalid, TokenWrongPurpose

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = b"k" * 32
OLD_KEY = b"o" * 32
DOCUMENT = uuid4()


def _sign(signer: TokenSigner, *, purpose: Purpose = Purpose.READ, ttl: timedelta = timedelta(minutes=15)) -> SignedToken:
    return signer.sign(DOCUMENT, purpose=purpose, revision=3, ttl=ttl, now=NOW, modified=True)


@pytest.fixture
def signer() -> TokenSigner:
    return TokenSigner({"new": KEY, "old": OLD_KEY})


def test_a_token_says_what_it_was_made_for(signer: TokenSigner) -> None:
    token = _sign(signer, purpose=Purpose.WRITE)
    claims = signer.verify(token.text, now=NOW)
    assert claims == token.claims
    assert (claims.document_id, claims.purpose, claims.revision, claims.modified) == (DOCUMENT, Purpose.WRITE, 3, True)
    assert claims.expires_at == NOW + timedelta(minutes=15)


def test_two_tokens_made_in_the_same_moment_differ(signer: TokenSigner) -> None:
    assert _sign(signer).text != _sign(signer).text


def test_a_token_stays_below_400_characters(signer: TokenSigner) -> None:
    assert len(_sign(signer).text) < 400


def test_a_token_is_good_until_its_last_second_and_not_in_the_next(signer: TokenSigner) -> None:
    token = _sign(signer).text
    signer.verify(token, now=NOW + timedelta(minutes=15) - timedelta(seconds=1))
    with pytest.raises(TokenExpired, match="2026-03-01T12:15:00Z"):
        signer.verify(token, now=NOW + timedelta(minutes=15))


def test_a_token_of_a_key_that_no_longer_signs_still_verifies() -> None:
    token = _sign(TokenSigner({"old": OLD_KEY})).text
    assert TokenSigner({"new": KEY, "old": OLD_KEY}).verify(token, now=NOW).key_id == "old"
    with pytest.raises(TokenInvalid):
        TokenSigner({"new": KEY}).verify(token, now=NOW)


def _payload(**changes: object) -> dict[str, object]:
    return {
        "aud": AUDIENCE,
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 900,
        "jti": "x",
        "purpose": "read",
        "document": str(DOCUMENT),
        "revision": 0,
        "modified": False,
    } | changes


def _encoded(payload: dict[str, object], *, key: bytes = KEY, headers: dict[str, str] | None = None) -> str:
    return jwt.encode(payload, key, algorithm="HS256", headers=headers or {"kid": "new"})


def _unsigned() -> str:
    header, payload = ({"alg": "none", "typ": "JWT", "kid": "new"}, _payload())
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload))
    return ".".join([*parts, ""])


FORGERIES = {
    "nothing": "",
    "no token at all": "hello",
    "algorithm none": _unsigned(),
    "another audience": _encoded(_payload(aud="somebody else")),
    "no audience": _encoded({key: value for key, value in _payload().items() if key != "aud"}),
    "no expiry": _encoded({key: value for key, value in _payload().items() if key != "exp"}),
    "no id": _encoded({key: value for key, value in _payload().items() if key != "jti"}),
    "an unknown purpose": _encoded(_payload(purpose="everything")),
    "a document that is no UUID": _encoded(_payload(document="42")),
    "a document that is a list": _encoded(_payload(document=[])),
    "a document that is a number": _encoded(_payload(document=-1)),
    "a moment after all years": _encoded(_payload(iat=10**30)),
    "an end after all years": _encoded(_payload(exp=10**30)),
    "an end that is a text": _encoded(_payload(exp="2026")),
    "a revision that is a text": _encoded(_payload(revision="3")),
    "a revision that no database keeps": _encoded(_payload(revision=2**63)),
    "a revision below 0": _encoded(_payload(revision=-1)),
    "a purpose that is a list": _encoded(_payload(purpose=["read"])),
    "modified that is a number": _encoded(_payload(modified=1)),
    "an unknown key id": _encoded(_payload(), headers={"kid": "other"}),
    "another key's signature": _encoded(_payload(), key=b"z" * 32),
    "expired and signed by nobody": _encoded(_payload(exp=0), key=b"z" * 32),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_all_forgeries_are_refused_in_the_same_words(signer: TokenSigner, forgery: str) -> None:
    with pytest.raises(TokenInvalid) as caught:
        signer.verify(forgery, now=NOW)
    assert (caught.value.message, caught.value.metadata) == (
        "The token is not valid. Ask for a new one with CreateToken.",
        {},
    )


def test_no_flipped_character_is_overlooked(signer: TokenSigner) -> None:
    token = _sign(signer).text
    for place in range(len(token) - 1):  # the last character carries bits that base64 does not use
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(TokenInvalid):
            signer.verify(changed, now=NOW)


def test_a_token_for_something_else_is_named_as_such(signer: TokenSigner) -> None:
    with pytest.raises(TokenWrongPurpose) as caught:
        _sign(signer).claims.require(Purpose.UPLOAD, Purpose.WRITE)
    assert caught.value.metadata == {"purpose": "read", "needed": "upload or write"}
