"""A client finds its service, and keys go nowhere else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from osis_document_client import Client, ClientConfig, ConfigurationError


def write_client_file(content: object) -> None:
    Path("var").mkdir()
    Path("var/client.json").write_text(json.dumps(content) if not isinstance(content, str) else content)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSIS_DOCUMENT_TARGET", "documents.example.org:443")
    monkeypatch.setenv("OSIS_DOCUMENT_API_KEY", "secret\n")
    monkeypatch.setenv("OSIS_DOCUMENT_CLIENT_TLS_CA", "/etc/ca.pem")

    config = ClientConfig.from_environment()

    assert config == ClientConfig(target="documents.example.org:443", api_key="secret", tls_ca_file=Path("/etc/ca.pem"))
    assert config.uses_tls


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSIS_DOCUMENT_TARGET", "elsewhere:1")

    config = ClientConfig.from_environment(target="here:2", api_key="k", timeout_seconds=None)

    assert (config.target, config.api_key, config.timeout_seconds) == ("here:2", "k", 30)
    assert not config.uses_tls


def test_what_an_embedded_service_wrote_is_found() -> None:
    write_client_file({"target": "127.0.0.1:50051", "api_key": "generated"})

    assert ClientConfig.from_environment() == ClientConfig(target="127.0.0.1:50051", api_key="generated")


def test_a_key_of_the_environment_goes_with_the_embedded_target(monkeypatch: pytest.MonkeyPatch) -> None:
    write_client_file({"target": "127.0.0.1:50051", "api_key": "generated"})
    monkeypatch.setenv("OSIS_DOCUMENT_API_KEY", "mine")

    assert ClientConfig.from_environment() == ClientConfig(target="127.0.0.1:50051", api_key="mine")


def test_the_embedded_key_is_not_sent_to_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    write_client_file({"target": "127.0.0.1:50051", "api_key": "generated"})
    monkeypatch.setenv("OSIS_DOCUMENT_TARGET", "documents.example.org:443")

    assert ClientConfig.from_environment().api_key == ""


def test_the_tls_files_of_the_environment_are_not_for_the_embedded_target(monkeypatch: pytest.MonkeyPatch) -> None:
    write_client_file({"target": "unix:/tmp/osis-document-x/server.sock", "api_key": "generated"})
    monkeypatch.setenv("OSIS_DOCUMENT_CLIENT_TLS_CA", "/etc/ca.pem")

    assert not ClientConfig.from_environment().uses_tls
    assert ClientConfig.from_environment(tls_ca_file=Path("/etc/ca.pem")).uses_tls
    assert ClientConfig.from_environment(target="here:2").uses_tls


def test_nothing_configured_says_what_to_set() -> None:
    with pytest.raises(ConfigurationError, match=r"OSIS_DOCUMENT_TARGET.*OSIS_DOCUMENT_API_KEY.*osis-document-server serve"):
        ClientConfig.from_environment()


@pytest.mark.parametrize("content", ["{", "[]", {"target": 5, "api_key": "k"}, {"target": "x:1"}])
def test_a_broken_client_file_is_named(content: object) -> None:
    write_client_file(content)

    with pytest.raises(ConfigurationError, match=r"var/client\.json"):
        ClientConfig.from_environment()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_client_file_of_another_user_is_not_trusted() -> None:
    write_client_file({"target": "evil.example.org:1", "api_key": "k"})
    os.chown("var/client.json", 12345, 12345)
    os.seteuid(65534)
    try:
        with pytest.raises(ConfigurationError, match="another user"):
            ClientConfig.from_environment()
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"target": ""}, "OSIS_DOCUMENT_TARGET"),
        ({"target": "x:1", "api_key": "käy"}, "printable ASCII"),
        ({"target": "x:1", "api_key": "a\nb"}, "printable ASCII"),
        ({"target": "x:1", "tls_cert_file": Path("c")}, "OSIS_DOCUMENT_CLIENT_TLS_KEY"),
        ({"target": "x:1", "tls_key_file": Path("k")}, "OSIS_DOCUMENT_CLIENT_TLS_CERT"),
        ({"target": "x:1", "timeout_seconds": 0}, "more than 0"),
    ],
)
def test_values_that_cannot_be_used_are_refused(values: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        ClientConfig(**values)  # type: ignore[arg-type]


def test_an_unknown_setting_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="colour"):
        ClientConfig.from_environment(target="x:1", colour="red")


def test_a_tls_file_that_cannot_be_read_names_its_variable() -> None:
    with (
        Client(ClientConfig(target="x:1", tls_ca_file=Path("nowhere.pem"))) as client,
        pytest.raises(ConfigurationError, match=r"nowhere\.pem.*OSIS_DOCUMENT_CLIENT_TLS_CA"),
    ):
        _ = client.documents


def test_secrets_are_not_in_representations() -> None:
    config = ClientConfig(target="x:1", api_key="hush-hush")

    assert "hush-hush" not in repr(config) + str(config) + repr(Client(config))
