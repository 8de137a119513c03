"""Storages and spools of every kind there is, each empty."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from osis_document_server.storage.base import Storage
from osis_document_server.storage.local import LocalStorage
from osis_document_server.storage.local_spool import LocalSpool
from osis_document_server.storage.location import S3Location
from osis_document_server.storage.s3 import S3Storage
from osis_document_server.storage.s3_bucket import Bucket, Client, new_client
from osis_document_server.storage.s3_spool import S3Spool
from osis_document_server.storage.spool import Spool
from tests.support import s3_server as s3

#: Opens the spool as a host sees it whose local folder has this name.
Hosts = Callable[[str], Spool]


@pytest.fixture(scope="session")
def s3_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.S3Process]:
    with s3.S3Process(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(scope="session")
def _credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in s3.ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.fixture
def tests_bucket(s3_process: s3.S3Process, _credentials: None) -> s3.Bucket:
    """A new bucket, from behind the service's back."""
    return s3_process.bucket()


@pytest.fixture(scope="session")
def s3_client(s3_process: s3.S3Process, _credentials: None) -> Client:
    """The client that the service would have for all buckets there: making one takes longer than most tests."""
    endpoint_url = f"http://127.0.0.1:{s3_process.port}"
    return new_client(S3Location(bucket="any", endpoint_url=endpoint_url, region="us-east-1"))


@pytest.fixture
def bucket(tests_bucket: s3.Bucket, s3_client: Client) -> Bucket:
    """The same bucket, as the service has it."""
    return Bucket(s3_client, S3Location(bucket=tests_bucket.name, prefix="documents"))


def local_storage(folder: Path) -> LocalStorage:
    """A storage that is ready to be used."""
    made = LocalStorage(folder)
    made.prepare()
    return made


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return local_storage(tmp_path / "blobs")
    return S3Storage(request.getfixturevalue("bucket"))


@pytest.fixture(params=["local", "s3"])
def hosts(request: pytest.FixtureRequest, tmp_path: Path) -> Hosts:
    """Opens the spool anew, as another process does, or, where the storage is shared, another host."""
    if request.param == "local":
        return lambda _: LocalSpool(tmp_path / "spool", floor_bytes=0)
    bucket = request.getfixturevalue("bucket")
    return lambda name: S3Spool(bucket, LocalSpool(tmp_path / name, floor_bytes=0))


@pytest.fixture
def spool(hosts: Hosts) -> Spool:
    return hosts("host")


@pytest.fixture
def new_source(tmp_path: Path) -> Callable[..., Path]:
    """Makes files to be stored, in the file system of the local storage."""
    folder = tmp_path / "sources"
    folder.mkdir()

    def make(content: bytes) -> Path:
        source = folder / str(len(list(folder.iterdir())))
        source.write_bytes(content)
        return source

    return make
