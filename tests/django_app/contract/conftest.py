"""The fake and a real service, side by side: every test here holds for both."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from osis_document.testing import FakeDocuments, fake_documents
from osis_document_client import Client
from tests.support import tasks
from tests.support.server import ServerProcess, serving

MAX_UPLOAD_BYTES = 100_000


class Side:
    """One of the two."""

    client: Client
    """The client over it, made by the app."""

    waiting: Client
    """One with which post-processings wait until `finish` or `fail` ends them."""

    def damage(self, content: bytes) -> None:
        """Has stored bytes damaged."""
        raise NotImplementedError

    def finish(self, job_id: str, content: bytes) -> None:
        """Ends a job of one task with an output, on the side where outputs are made by hand with this content."""
        raise NotImplementedError

    def fail(self, job_id: str) -> None:
        """Ends a job of one task without."""
        raise NotImplementedError


class Fake(Side):
    """The fake."""

    def __init__(self, documents: FakeDocuments) -> None:
        self.documents = documents
        self.client = documents.client()

    @property
    def waiting(self) -> Client:  # type: ignore[override]  # it is never set
        self.documents.post_processing = "pending"
        return self.client

    def damage(self, content: bytes) -> None:
        for found in self.client.list_documents():
            if self.documents.content(found.id) == content:
                self.documents.declare_corrupt(found.id)

    def finish(self, job_id: str, content: bytes) -> None:
        self.documents.finish(job_id)

    def fail(self, job_id: str) -> None:
        self.documents.fail(job_id)


class Real(Side):
    """A real service; the one without a worker is only started for tests that need it."""

    def __init__(self, service: ServerProcess, queueing: Callable[[], ServerProcess]) -> None:
        self._service = service
        self._queueing = queueing
        self.client = service.client()

    @property
    def waiting(self) -> Client:  # type: ignore[override]  # it is never set
        return self._queueing().client()

    def damage(self, content: bytes) -> None:
        self._service.blob_file_of(content).write_bytes(b"?" * len(content))

    def finish(self, job_id: str, content: bytes) -> None:
        worker, task = self._claimed(job_id)
        tasks.complete(worker, task.lease_id, tasks.upload_output(worker, task.lease_id, content))

    def fail(self, job_id: str) -> None:
        worker, task = self._claimed(job_id)
        tasks.fail(worker, task.lease_id, "DOCUMENT_UNREADABLE", document_id=task.inputs[0].document.id)

    def _claimed(self, job_id: str) -> tuple[Any, Any]:
        [job] = [job for job in self.waiting.list_jobs() if job.id == job_id]
        worker = self._queueing().stubs("worker")
        return worker, tasks.claim(worker, job.actions[0].records[0].id)


@pytest.fixture(scope="session")
def limited_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A service that takes small files only, and sweeps often."""
    folder = tmp_path_factory.mktemp("limited")
    with serving(folder, SWEEP_SECONDS="0.3", MAX_UPLOAD_SIZE=str(MAX_UPLOAD_BYTES)) as running:
        yield running


@pytest.fixture(params=["fake", "service"])
def side(request: pytest.FixtureRequest, settings: Any) -> Iterator[Side]:
    """The fake, and then the service."""
    settings.OSIS_DOCUMENT_MAX_UPLOAD_SIZE = MAX_UPLOAD_BYTES
    if request.param == "fake":
        with fake_documents() as documents:
            yield Fake(documents)
    else:
        yield Real(request.getfixturevalue("limited_service"), lambda: request.getfixturevalue("queueing_service"))


@pytest.fixture
def client(side: Side) -> Client:
    """The client over the side in question."""
    return side.client


@pytest.fixture
def upload(client: Client) -> Callable[..., Any]:
    """Uploads bytes; answers the upload's result."""
    return uploading(client)


@pytest.fixture
def store(client: Client) -> Callable[..., Any]:
    """Uploads and confirms bytes; answers the document."""
    return storing(client)


def uploading(client: Client) -> Callable[..., Any]:
    """What uploads bytes with a client."""

    def upload(content: bytes = b"A note.", name: str = "note.txt", **options: Any) -> Any:
        return client.upload(io.BytesIO(content), name=name, **options)

    return upload


def storing(client: Client) -> Callable[..., Any]:
    """What stores bytes with a client."""
    upload = uploading(client)

    def store(content: bytes = b"A note.", name: str = "note.txt", **options: Any) -> Any:
        [document] = client.confirm([upload(content, name)], **options)
        return document

    return store
