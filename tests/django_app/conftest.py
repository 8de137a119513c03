"""A project in this process, as a host is, over a service of its own for each file of tests."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from django.test.utils import setup_databases, teardown_databases

from osis_document import channel
from osis_document.services import documents, tokens, uploads
from tests.support.availability import require_program
from tests.support.gateway import GatewayProcess, gunicorn
from tests.support.postgres_server import PostgresServer
from tests.support.redis_server import RedisProcess
from tests.support.server import KEYS, ServerProcess, serving
from tests.support.stubs import Stubs


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """The host's default database; `postgresql` is set up by the fixture of that name."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, aliases={"default"})
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def postgresql(postgres_server: PostgresServer, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The alias of the host's database on a real PostgreSQL; tests that use it are marked `django_db(databases=[…])`."""
    where = connections["postgresql"].settings_dict
    where |= {"HOST": "127.0.0.1", "PORT": str(postgres_server.port), "USER": "postgres", "PASSWORD": "postgres"}
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, aliases={"postgresql"})
    yield "postgresql"
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The document service with a worker inside."""
    with serving(tmp_path_factory.mktemp("service"), SWEEP_SECONDS="1") as running:
        yield running


@pytest.fixture
def osis_settings(service: ServerProcess, settings: Any) -> Iterator[Any]:
    """The project's settings, pointed at the service; a test may change them further."""
    settings.OSIS_DOCUMENT_GRPC_TARGET = service.target
    settings.OSIS_DOCUMENT_API_SHARED_SECRET = KEYS["alpha"]
    yield settings
    channel.close()


@pytest.fixture(autouse=True)
def _over_the_service(request: pytest.FixtureRequest) -> None:
    """Points the project at the service, unless the test is marked to do without."""
    if not request.node.get_closest_marker("without_service"):
        request.getfixturevalue("osis_settings")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """A Redis for the service without a worker."""
    require_program("redis-server")
    with RedisProcess(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="session")
def queueing_service(redis_server: RedisProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The document service without a worker: tasks wait until a test does them, by `tests.support.tasks`."""
    with serving(tmp_path_factory.mktemp("queueing"), BROKER_URL=redis_server.url(1), SWEEP_SECONDS="0.3") as running:
        yield running


@pytest.fixture
def queueing(queueing_service: ServerProcess, osis_settings: Any) -> ServerProcess:
    """Points the project at the service without a worker."""
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = queueing_service.target
    return queueing_service


@pytest.fixture(scope="session")
def worker(queueing_service: ServerProcess) -> Stubs:
    """The stubs with a worker's key, to do tasks with."""
    return queueing_service.stubs("worker")


@pytest.fixture(scope="module")
def gateway(service: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """The gateway without limits, under gunicorn."""
    with gunicorn(tmp_path_factory.mktemp("gateway"), service) as running:
        yield running


@pytest.fixture(scope="module")
def note(gateway: GatewayProcess) -> str:
    """The id of a small text behind the gateway."""
    return gateway.store(b"A note.")


@pytest.fixture
def upload() -> Callable[..., str]:
    """Uploads bytes under a name; answers the write token."""

    def upload_bytes(content: bytes = b"A note.", name: str = "note.txt", **metadata: Any) -> str:
        return uploads.save(io.BytesIO(content), name, metadata=metadata or None).token

    return upload_bytes


@pytest.fixture
def store(upload: Callable[..., str]) -> Callable[..., str]:
    """Uploads and confirms bytes under a name; answers the document's id."""

    def store_bytes(content: bytes = b"A note.", name: str = "note.txt", *, upload_to: str = "", **metadata: Any) -> str:
        return uploads.confirm(upload(content, name, **metadata), upload_to=upload_to)

    return store_bytes


@pytest.fixture
def stored_bytes() -> Callable[[str], bytes]:
    """Reads the bytes of a document by its id, whatever became of it by post-processing."""

    def read(document_id: str) -> bytes:
        token = tokens.token(document_id, wanted_post_process="ORIGINAL").body["token"]
        with documents.open_download(token) as download:
            return b"".join(download)

    return read
