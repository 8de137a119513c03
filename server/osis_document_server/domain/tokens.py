"""Tokens: signed statements of what their bearer may do with one document. Nothing of them is stored."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import jwt

from osis_document_server.errors import TokenExpired, TokenInvalid, TokenWrongPurpose

#: For whom tokens are made: a token that this key signed for anything else is none of ours.
AUDIENCE = "osis.document.v1"
_ALGORITHM = "HS256"
#: Shortest signing key in bytes: as long as the hash (RFC 7518, section 3.2).
MINIMUM_KEY_BYTES = 32
#: What claims are; a bool is no int here.
_TYPES = {"document": str, "purpose": str, "revision": int, "modified": bool, "iat": int, "exp": int}
#: The largest number that a database keeps.
_LAST_REVISION = 2**63 - 1


class Purpose(StrEnum):
    """What a token allows."""

    READ = "read"
    #: Changes a confirmed document.
    WRITE = "write"
    #: What an upload answers: confirms the document, once; until then does what WRITE does.
    UPLOAD = "upload"


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a token says."""

    document_id: UUID
    purpose: Purpose
    revision: int
    modified: bool
    issued_at: datetime
    expires_at: datetime
    key_id: str

    def require(self, *purposes: Purpose) -> None:
        """Raises ``TokenWrongPurpose`` unless the token has one of ``purposes``."""
        if self.purpose not in purposes:
            needed = " or ".join(purposes)
            raise TokenWrongPurpose(
                f"This is a {self.purpose} token; the call needs a {needed} token. "
                "An upload answers an upload token, CreateToken makes the others.",
                purpose=self.purpose,
                needed=needed,
            )


@dataclass(frozen=True, kw_only=True)
class SignedToken:
    """A token and what it says."""

    text: str
    claims: Claims


class _OwnKeys(jwt.algorithms.HMACAlgorithm):
    """HMAC with keys that are known to be keys: PyJWT would examine them anew in each call, which takes most of its time."""

    def prepare_key(self, key: str | bytes) -> bytes:
        return key.encode() if isinstance(key, str) else key


class TokenSigner:
    """Signs and checks tokens (JWT, HS256, with ``kid``).

    Args:
        keys: signing keys by id, in order: the first one signs, all of them verify.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self._signing_key_id = next(iter(self._keys))
        #: The key that a header names. PyJWT would read the whole token twice to find out.
        self._key_ids: dict[str, str] = {}
        self._jws = jwt.PyJWS(algorithms=[_ALGORITHM])
        self._jws.unregister_algorithm(_ALGORITHM)
        self._jws.register_algorithm(_ALGORITHM, _OwnKeys(jwt.algorithms.HMACAlgorithm.SHA256))

    def sign(
        self, document_id: UUID, *, purpose: Purpose, revision: int, ttl: timedelta, now: datetime, modified: bool = False
    ) -> SignedToken:
        """Makes a token; no two are equal."""
        claims = Claims(
            document_id=document_id,
            purpose=purpose,
            revision=revision,
            modified=modified,
            issued_at=now.replace(microsecond=0),
            expires_at=(now + ttl).replace(microsecond=0),
            key_id=self._signing_key_id,
        )
        payload = json.dumps(
            {
                "aud": AUDIENCE,
                "iat": int(claims.issued_at.timestamp()),
                "exp": int(claims.expires_at.timestamp()),
                "jti": secrets.token_urlsafe(9),
                "purpose": claims.purpose.value,
                "document": str(document_id),
                "revision": revision,
                "modified": modified,
            },
            separators=(",", ":"),
        )
        key = self._keys[self._signing_key_id]
        text = self._jws.encode(payload.encode(), key, algorithm=_ALGORITHM, headers={"kid": self._signing_key_id})
        return SignedToken(text=text, claims=claims)

    def verify(self, text: str, *, now: datetime, allow_expired: bool = False) -> Claims:
        """Returns what a token says.

        Raises:
            TokenInvalid: it was not signed by one of the keys, for this audience, with everything a token has.
            TokenExpired: it was, but its time is over.
        """
        try:
            header = text.partition(".")[0]
            key_id = self._key_ids.get(header) or self._jws.get_unverified_header(text).get("kid", "")
            payload = _require_claims(json.loads(self._jws.decode(text, self._keys[key_id], algorithms=[_ALGORITHM])))
            self._key_ids[header] = key_id  # signed by one of the keys, so there are no more of them than keys
            claims = Claims(
                document_id=UUID(payload["document"]),
                purpose=Purpose(payload["purpose"]),
                revision=payload["revision"],
                modified=payload["modified"],
                issued_at=datetime.fromtimestamp(payload["iat"], tz=UTC),
                expires_at=datetime.fromtimestamp(payload["exp"], tz=UTC),
                key_id=key_id,
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError, OSError):
            raise TokenInvalid("The token is not valid. Ask for a new one with CreateToken.") from None
        if now >= claims.expires_at and not allow_expired:
            expired_at = claims.expires_at.isoformat().replace("+00:00", "Z")
            raise TokenExpired(f"The token expired at {expired_at}. Ask for a new one with CreateToken.", expire_time=expired_at)
        return claims


def _require_claims(payload: dict[str, Any]) -> dict[str, Any]:
    """Raises ``KeyError``, ``TypeError`` or ``ValueError`` when a signed statement is not one of ours."""
    if payload["aud"] != AUDIENCE or not payload["jti"]:
        raise ValueError("made for something else")
    for name, kind in _TYPES.items():
        if type(payload[name]) is not kind:
            raise TypeError(f"{name} is no {kind.__name__}")
    if not 0 <= payload["revision"] <= _LAST_REVISION:
        raise ValueError("no document has such a revision")
    return payload
