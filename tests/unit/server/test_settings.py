"""Settings, and how mistakes in them are told."""

from pathlib import Path

import pytest

from osis_document_server.domain.access import Caller, Role
from osis_document_server.settings import Settings, SettingsError, parse_api_keys, parse_signing_keys


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("OSIS_DOCUMENT_"):
            monkeypatch.delenv(name)


def test_with_nothing_set_everything_is_under_var_on_loopback() -> None:
    settings = Settings.load()
    assert settings.database == "sqlite:///var/osis-document.db"
    assert settings.storage == Path("var/blobs")
    assert settings.is_embedded
    assert settings.listen == "127.0.0.1:50051"


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TOKEN_MAX_AGE", "soon", "integer"),
        ("TOKEN_MAX_AGE", "0", "greater than 0"),
        ("TOKEN_MAX_AGE", "700000", "TOKEN_MAX_TTL"),
        ("MAX_UPLOAD_SIZE", "-1", "greater than 0"),
        ("LISTEN", "0.0.0.0:50051", "ALLOW_PLAINTEXT"),
        ("LOG_FORMAT", "xml", "pattern"),
        ("CONVERTIBLE_TYPES", "text/csv, csv", "'csv' is no MIME type"),
        ("ENABLE_MIMETYPE_VALIDATION", "perhaps", "boolean"),
        ("DELETED_UPLOAD_MAX_AGE", "999999999999999999", "less than or equal to 3155760000"),
        ("TOKEN_MAX_TTL", "3155760001", "less than or equal to 3155760000"),
        ("LEASE_SECONDS", "inf", "less than or equal to 3155760000"),
        ("SCRUB_SECONDS", "1e300", "less than or equal to 3155760000"),
    ],
)
def test_a_bad_value_is_told_with_its_variable(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str) -> None:
    monkeypatch.setenv(f"OSIS_DOCUMENT_{variable}", value)
    with pytest.raises(SettingsError, match=words) as caught:
        Settings.load()
    assert f"OSIS_DOCUMENT_{variable}" in str(caught.value)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "[::1]:1", "localhost:1", "unix:/run/osis-document.sock"])
def test_plain_text_is_fine_where_nobody_else_listens(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("OSIS_DOCUMENT_LISTEN", address)
    assert Settings.load().listen == address


def test_extensions_are_words_in_any_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSIS_DOCUMENT_ALLOWED_EXTENSIONS", "PDF, .docx jpeg,jpg")
    assert Settings.load().allowed_extensions == ("pdf", "docx", "jpg")


def test_types_that_can_be_converted_are_words_in_any_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSIS_DOCUMENT_CONVERTIBLE_TYPES", "Text/CSV, application/vnd.ms-excel image/svg+xml")
    assert Settings.load().convertible_types == ("text/csv", "application/vnd.ms-excel", "image/svg+xml")


def test_keys_name_clients_and_roles() -> None:
    keys = parse_api_keys("bare, admission:s1,w:s2:worker")
    assert [(key.secret, key.caller) for key in keys] == [
        ("bare", Caller("default", Role.CLIENT)),
        ("s1", Caller("admission", Role.CLIENT)),
        ("s2", Caller("w", Role.WORKER)),
    ]


@pytest.mark.parametrize("text", ["", "a:b:c:d", ":secret", "name:", "name:hunter2:emperor", f"{'n' * 65}:hunter2"])
def test_a_key_that_cannot_be_read_is_told_without_its_secret(text: str) -> None:
    with pytest.raises(SettingsError, match="API_SHARED_SECRET") as caught:
        parse_api_keys(text)
    assert "hunter2" not in str(caught.value)


def test_a_signing_key_is_as_long_as_its_hash() -> None:
    assert parse_signing_keys(f"a:{'x' * 32},b:{'y' * 40}") == {"a": b"x" * 32, "b": b"y" * 40}
    with pytest.raises(SettingsError, match="shorter than 32 bytes"):
        parse_signing_keys("a:short")
    with pytest.raises(SettingsError, match="not kid:key"):
        parse_signing_keys("x" * 40)
    with pytest.raises(SettingsError, match="two keys are called 'a'"):
        parse_signing_keys(f"a:{'x' * 32},b:{'y' * 32},a:{'z' * 32}")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PROCESSES": "0"}, ["PROCESSES=0"]),
        ({"PROCESSES": "2"}, ["PROCESSES=2", "BROKER_URL=memory://", "redis://"]),
        ({"PROCESSES": "2", "BROKER_URL": "redis://q/0", "LISTEN": "unix:/run/s"}, ["PROCESSES=2", "LISTEN=unix:/run/s"]),
        ({"CLIENT_UPLOAD_LIMIT": "1000"}, ["CLIENT_UPLOAD_LIMIT=1000", "1000/hour"]),
        ({"CLIENT_UPLOAD_LIMIT": "0/hour"}, ["CLIENT_UPLOAD_LIMIT=0/hour"]),
        ({"CLIENT_UPLOAD_LIMIT": "1/second;9/hour"}, ["CLIENT_UPLOAD_LIMIT=1/second;9/hour"]),
        ({"TLS_CERTIFICATE": "/c.pem"}, ["TLS_CERTIFICATE", "TLS_KEY", "both"]),
        ({"TLS_KEY": "/k.pem"}, ["TLS_CERTIFICATE", "TLS_KEY", "both"]),
        ({"TLS_CLIENT_CA": "/ca.pem"}, ["TLS_CLIENT_CA=/ca.pem", "TLS_CERTIFICATE"]),
    ],
)
def test_settings_that_do_not_go_together_are_told_with_their_variables(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: list[str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OSIS_DOCUMENT_{name}", value)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert [word for word in words if word not in str(caught.value)] == []


def test_with_tls_the_server_may_be_reached_from_other_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LISTEN": "0.0.0.0:50051", "TLS_CERTIFICATE": "/c.pem", "TLS_KEY": "/k.pem"}.items():
        monkeypatch.setenv(f"OSIS_DOCUMENT_{name}", value)
    assert Settings.load().listen == "0.0.0.0:50051"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LISTEN", "MAX_UPLOAD_SIZE", "CLIENT_UPLOAD_LIMIT", "TLS_CERTIFICATE", "MAGIC_FILE"):
        monkeypatch.setenv(f"OSIS_DOCUMENT_{name}", "")
    assert Settings.load() == Settings()
    assert Settings.load().tls_certificate is None
