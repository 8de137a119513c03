"""Real documents that nobody here wrote, from the folder that OSIS_DOCUMENT_SAMPLES names."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from osis.document.v1.document_pb2 import Document
from osis_document_client import Client, MimeMismatch, PostProcessingFailed, convert
from tests.support.files import page_sizes
from tests.support.server import ServerProcess, serving

_FOLDER = Path(os.environ.get("OSIS_DOCUMENT_SAMPLES") or "/nowhere")
_KINDS = {".doc", ".docx", ".odt", ".txt", ".jpg", ".png", ".pdf"}
_SAMPLES = sorted(file for file in _FOLDER.glob("*") if file.suffix in _KINDS)

#: Not what their names say.
_REFUSED = {"testODTnotaZipFile.odt", "testWORD_truncated.docx"}
#: Need a password to be opened.
_PROTECTED = {"testODTEncrypted.odt", "testWORD_protected_passtika.docx"}

pytestmark = [
    pytest.mark.skipif(not _SAMPLES, reason="OSIS_DOCUMENT_SAMPLES names no folder with documents"),
    pytest.mark.needs_libreoffice,
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("corpus")) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Iterator[Client]:
    with server.client() as client:
        yield client


def _store(client: Client, sample: Path) -> Document:
    [document] = client.confirm([client.upload(sample)])
    return document


@pytest.mark.parametrize("sample", [sample for sample in _SAMPLES if sample.name in _REFUSED], ids=lambda sample: sample.name)
def test_a_file_that_is_not_what_its_name_says_is_refused(client: Client, sample: Path) -> None:
    with pytest.raises(MimeMismatch):
        client.upload(sample)


@pytest.mark.parametrize("sample", [sample for sample in _SAMPLES if sample.name in _PROTECTED], ids=lambda sample: sample.name)
def test_a_protected_document_is_stored_but_not_converted(client: Client, sample: Path) -> None:
    job = client.start([_store(client, sample).id], [convert()])
    with pytest.raises(PostProcessingFailed) as caught:
        client.wait(job.id, timeout=60)
    assert caught.value.error is not None
    assert caught.value.error.reason == "PASSWORD_REQUIRED"


@pytest.mark.parametrize(
    "sample", [sample for sample in _SAMPLES if sample.name not in _REFUSED | _PROTECTED], ids=lambda sample: sample.name
)
def test_everything_else_becomes_a_pdf(client: Client, sample: Path, tmp_path: Path) -> None:
    job = client.wait(client.start([_store(client, sample).id], [convert()]).id, timeout=90)
    [output] = job.actions[0].records[0].output_document_ids
    target = tmp_path / "output.pdf"
    header = client.download(client.create_token(output).token.token, target)
    assert header.document.name == f"{sample.stem}.pdf"
    if sample.suffix == ".pdf":
        assert target.read_bytes() == sample.read_bytes()
    else:
        assert page_sizes(target.read_bytes()), "a PDF has pages"
