"""A running service of the tests' own, and clients of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from osis_document_client import Backoff, Client, ClientConfig
from osis_document_client.cli.program import program
from tests.support.proxy import Proxy

from .fake_service import API_KEY, Service, make_server

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine, and no service of the working folder, reaches a test."""
    for name in ("TARGET", "API_KEY", "CLIENT_TLS_CA", "CLIENT_TLS_CERT", "CLIENT_TLS_KEY"):
        monkeypatch.delenv(f"OSIS_DOCUMENT_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def service() -> Service:
    """What the server knows and has seen."""
    return Service()


@pytest.fixture
def port(service: Service) -> Iterator[int]:
    """The port of a running server."""
    server = make_server(service)
    number = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield number
    service.hung_up.set()
    server.stop(0).wait(30)


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the client would have made between tries."""
    return []


@pytest.fixture
def backoff(pauses: list[float]) -> Backoff:
    """Pauses that take no time and leave nothing to chance."""
    return Backoff(attempts=4, initial_seconds=1, maximum_seconds=5, sleep=pauses.append, jitter=lambda: 1.0)


@pytest.fixture
def client(port: int, backoff: Backoff) -> Iterator[Client]:
    """A client of the running server."""
    with Client(ClientConfig(target=f"127.0.0.1:{port}", api_key=API_KEY), backoff=backoff) as client:
        yield client


@pytest.fixture
def proxy(port: int) -> Iterator[Proxy]:
    """A wire to the server that can be cut."""
    with Proxy(f"127.0.0.1:{port}") as proxy:
        yield proxy


@pytest.fixture
def proxied_client(proxy: Proxy, backoff: Backoff) -> Iterator[Client]:
    """A client that reaches the server over the proxy."""
    with Client(ClientConfig(target=proxy.target, api_key=API_KEY), backoff=backoff) as client:
        yield client


@pytest.fixture
def run(port: int, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the program in this process against the running server."""
    monkeypatch.setenv("OSIS_DOCUMENT_TARGET", f"127.0.0.1:{port}")
    monkeypatch.setenv("OSIS_DOCUMENT_API_KEY", API_KEY)
    return lambda *arguments, **options: CliRunner().invoke(program, [str(each) for each in arguments], **options)


@pytest.fixture
def command(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The start of a command line that runs the program in a process of its own."""
    monkeypatch.setenv("OSIS_DOCUMENT_TARGET", f"127.0.0.1:{port}")
    monkeypatch.setenv("OSIS_DOCUMENT_API_KEY", API_KEY)
    yield [sys.executable, "-m", "osis_document_client.cli"]  # noqa: PT022 - the server must outlive the process
