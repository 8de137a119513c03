"""A server for all tests that leave it as it was, and what is needed to start others.

Every test runs twice, with the servers that it uses on SQLite and on PostgreSQL, unless it is marked `one_database`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import databases
from tests.support.postgres_server import PostgresServer
from tests.support.redis_server import RedisProcess
from tests.support.server import ServerProcess, serving
from tests.support.stubs import Stubs
from tests.support.worker import WorkerProcess


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Chooses the databases of each test; the second time is left out of `make test-fast`."""
    kinds = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
    only_one = metafunc.definition.get_closest_marker("one_database")
    metafunc.parametrize("database", kinds[:1] if only_one else kinds, indirect=True, scope="session")


@pytest.fixture(scope="session", autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[databases.Databases]:
    """The databases that all servers use which are started meanwhile."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        databases.in_use = databases.PostgresDatabases(server)
    yield databases.in_use
    databases.in_use = databases.SqliteFiles()


@pytest.fixture(autouse=True)
def _used_databases(database: databases.Databases, tmp_path: Path) -> Iterator[None]:
    """Removes the databases of the servers that the test started in its own folder."""
    yield
    database.remove_below(tmp_path)


@pytest.fixture(scope="session")
def server(database: databases.Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
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
def queueing_server(
    database: databases.Databases, redis_server: RedisProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server with Redis and without any worker: tasks wait until a test claims them."""
    with serving(tmp_path_factory.mktemp("queueing"), BROKER_URL=redis_server.url(1), SWEEP_SECONDS="0.3") as running:
        yield running


@pytest.fixture(scope="session")
def distributed_server(
    database: databases.Databases, redis_server: RedisProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server with Redis and a worker process."""
    folder: Path = tmp_path_factory.mktemp("distributed")
    url = redis_server.url(2)
    with serving(folder, BROKER_URL=url) as running, WorkerProcess(folder, running, broker_url=url, slots=2):
        yield running
