"""API keys."""

import pytest

from osis_document_server.domain.access import ApiKey, ApiKeys, Caller, Role
from osis_document_server.errors import ApiKeyInvalid

KEYS = ApiKeys(
    [
        ApiKey(secret="new", caller=Caller("admission", Role.CLIENT)),
        ApiKey(secret="old", caller=Caller("admission", Role.CLIENT)),
        ApiKey(secret="w", caller=Caller("workers", Role.WORKER)),
    ]
)


def test_two_keys_of_one_client_are_good_at_once() -> None:
    assert KEYS.caller_of("new") == KEYS.caller_of("old") == Caller("admission", Role.CLIENT)
    assert KEYS.caller_of("w").role is Role.WORKER


@pytest.mark.parametrize("secret", ["", "ne", "new ", "NEW", "é"])
def test_anything_else_is_refused(secret: str) -> None:
    with pytest.raises(ApiKeyInvalid):
        KEYS.caller_of(secret)


def test_a_key_does_not_show_its_secret() -> None:
    assert "hunter2" not in repr(ApiKey(secret="hunter2", caller=Caller("a", Role.ADMIN)))
