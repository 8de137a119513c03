"""Tokens of the fake: signed statements with the claims that the service's have."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass

from osis_document_client import TokenInvalid

_HEADER = {"alg": "HS256", "kid": "fake", "typ": "JWT"}


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a token says."""

    document: str
    """The document's id."""

    purpose: str
    """`read`, `write` or `upload`."""

    revision: int
    """The document's revision that it was made for."""

    modified: bool
    """Whether it opens the modified copy."""

    iat: int
    """When it was made, in seconds since 1970."""

    exp: int
    """When its time is over."""


class Signer:
    """Makes tokens and reads its own."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def sign(self, claims: Claims) -> str:
        """Makes a token; no two are equal."""
        said = {"aud": "osis.document.v1", "jti": secrets.token_urlsafe(9), **asdict(claims)}
        signed = ".".join(_encoded(json.dumps(each, separators=(",", ":")).encode()) for each in (_HEADER, said))
        return f"{signed}.{self._signature(signed)}"

    def read(self, token: str) -> Claims:
        """Reads what a token says.

        Raises:
            TokenInvalid: another one made it.
        """
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            raise TokenInvalid("The token is not valid. Ask for a new one with CreateToken.")
        payload = signed.partition(".")[2]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return Claims(**{name: said[name] for name in Claims.__dataclass_fields__})

    def _signature(self, signed: str) -> str:
        return _encoded(hmac.digest(self._key, signed.encode(), hashlib.sha256))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
