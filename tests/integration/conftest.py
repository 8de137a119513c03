"""A server for all tests that leave it as it was, and what is needed to start others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redis_server import RedisProcess
from tests.support.server import ServerProcess, serving
from tests.support.stubs import Stubs
from tests.support.worker import WorkerProcess


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server on its embedded default, its worker inside; shared by all tests that only add documents to it."""
    with serving(tmp_path_factory.mktemp("shared")) as running:
        yield running


@pytest.fixture(scope="session")
def alpha(server: ServerProcess) -> Stubs:
    """The stubs with the key of the client `alpha`."""
    return server.stubs("alpha")


@pytest.fixture(scope="session")
def beta(server: ServerProcess) -> Stubs:
    """The stubs with the key of another client."""
    return server.stubs("beta")


@pytest.fixture(scope="session")
def nobody(server: ServerProcess) -> Stubs:
    """The stubs without a key."""
    return server.stubs(None)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """A Redis shared by all tests that do not harm it; each server takes a database of its own."""
    with RedisProcess(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="session")
def queueing_server(redis_server: RedisProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with Redis and without any worker: tasks wait until a test claims them."""
    with serving(tmp_path_factory.mktemp("queueing"), BROKER_URL=redis_server.url(1), SWEEP_SECONDS="0.3") as running:
        yield running


@pytest.fixture(scope="session")
def distributed_server(redis_server: RedisProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with Redis and a worker process."""
    folder: Path = tmp_path_factory.mktemp("distributed")
    url = redis_server.url(2)
    with serving(folder, BROKER_URL=url) as running, WorkerProcess(folder, running, broker_url=url, slots=2):
        yield running
