"""What a running server takes and what it refuses: files of every kind that people have, forged ones, and real ones."""

import io
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from osis_document_client import Client, MimeMismatch
from osis_document_server.domain import content
from osis_document_server.domain.names import extension_of
from osis_document_server.storage.content_type import ContentTypes
from tests.support import files, forged, genuine
from tests.support.server import serving

_FOLDER = Path(os.environ.get("OSIS_DOCUMENT_SAMPLES") or "/nowhere")
_SAMPLES = sorted(file for file in _FOLDER.glob("*") if extension_of(file.name) in content.TYPE_BY_EXTENSION)

#: Samples that are not what their names say, and why.
_REFUSED = {
    "testODTnotaZipFile.odt": "a line of text",
    "testWORD_truncated.docx": "the first bytes of a zip, without the list of members that would tell what is in it",
}

Made = Callable[[], dict[str, bytes]]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("types")) as server, server.client() as client:
        yield client


@pytest.mark.parametrize(
    "made",
    [genuine.docx, genuine.doc, genuine.odt, genuine.txt, genuine.jpg, genuine.png, genuine.pdf],
    ids=lambda made: made.__name__,
)
def test_a_genuine_file_is_stored_under_its_type(made: Made, client: Client) -> None:
    wrong = {}
    for name, each in made().items():
        try:
            document = client.upload(io.BytesIO(each), name=name).document
        except MimeMismatch as exc:
            wrong[name] = str(exc)
        else:
            if document.mime_type != content.TYPE_BY_EXTENSION[extension_of(name)]:
                wrong[name] = document.mime_type
    assert wrong == {}


def _called_pdf() -> dict[str, bytes]:
    return {f"{stem}.pdf": each for stem, each in (forged.wrong_altogether() | forged.wrong_binaries()).items()}


@pytest.mark.parametrize("made", [_called_pdf, forged.only_by_name, forged.two_at_once], ids=lambda made: made.__name__)
def test_a_forged_file_is_refused_and_its_sender_told_what_it_looks_like(made: Made, client: Client) -> None:
    taken, untold = [], []
    for name, each in made().items():
        try:
            client.upload(io.BytesIO(each), name=name)
        except MimeMismatch as exc:
            if exc.metadata["extension"] != extension_of(name) or exc.metadata["detected"] not in str(exc):
                untold.append(name)
        else:
            taken.append(name)
    assert (taken, untold) == ([], [])


#: LibreOffice's export filters, and what a user calls what they make.
_FILTERS = {
    "MS Word 2007 XML": "a.docx",
    "Office Open XML Text": "b.docx",
    "MS Word 97": "a.doc",
    "Rich Text Format": "b.doc",
    "writer8": "a.odt",
    "writer8_template": "b.odt",
    "Text (encoded)": "a.txt",
    "writer_pdf_Export": "a.pdf",
}


@pytest.mark.slow
@pytest.mark.needs_libreoffice
@pytest.mark.parametrize("export", _FILTERS)
def test_what_libreoffice_saves_is_what_its_name_says(export: str, tmp_path: Path) -> None:
    (tmp_path / "letter.docx").write_bytes(files.docx("Élève, été, œuvre"))
    name = _FILTERS[export]
    extension = extension_of(name)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", f"{extension}:{export}", "--outdir", "made", "letter.docx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    made = tmp_path / "made" / f"letter.{extension}"
    assert ContentTypes().detect(made, extension=extension) == content.TYPE_BY_EXTENSION[extension]


@pytest.mark.skipif(not _SAMPLES, reason="OSIS_DOCUMENT_SAMPLES names no folder with documents")
def test_every_real_document_is_what_its_name_says_but_for_those_that_are_known_not_to_be() -> None:
    detector = ContentTypes()
    refused = {
        sample.name
        for sample in _SAMPLES
        if detector.detect(sample, extension=extension_of(sample.name)) != content.TYPE_BY_EXTENSION[extension_of(sample.name)]
    }
    assert refused - _REFUSED.keys() == set()
    assert {name for name in _REFUSED if (_FOLDER / name).exists()} <= refused
