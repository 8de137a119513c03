"""Tokens made outside the service: with its key, as no caller could, or with others."""

import time
from typing import Any

import jwt

from tests.support.server import SIGNING_KEY, SIGNING_KEY_ID


def claims_of(token: str) -> dict[str, Any]:
    """What a token says; its signature is not looked at."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed(
    claims: dict[str, Any], *, key: str = SIGNING_KEY, algorithm: str | None = "HS256", key_id: str = SIGNING_KEY_ID
) -> str:
    """A token that says this, signed as the service signs unless told otherwise."""
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id})


def changed(token: str, **claims: Any) -> str:
    """The token with other claims, signed with the service's own key."""
    return signed(claims_of(token) | claims)


def expired(token: str, **claims: Any) -> str:
    """The token as if its time were over."""
    return changed(token, exp=int(time.time()) - 1, **claims)
