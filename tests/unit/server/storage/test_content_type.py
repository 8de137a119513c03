"""What kind of file a file is, and whether its name agrees."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from osis_document_server.domain import content
from osis_document_server.domain.names import extension_of
from osis_document_server.errors import MimeMismatch
from osis_document_server.storage.content_type import ContentTypes, require_agreement
from tests.support import files, forged, genuine
from tests.support.ole import ole, word

DETECTOR = ContentTypes()

Made = Callable[[], dict[str, bytes]]


def detected(path: Path, name: str, made: bytes) -> str:
    path.write_bytes(made)
    return DETECTOR.detect(path, extension=extension_of(name))


def is_refused(name: str, mime_type: str) -> bool:
    try:
        require_agreement(name, extension=extension_of(name), detected=mime_type)
    except MimeMismatch:
        return True
    return False


@pytest.mark.parametrize(
    "made",
    [genuine.docx, genuine.doc, genuine.odt, genuine.txt, genuine.jpg, genuine.png, genuine.pdf],
    ids=lambda made: made.__name__,
)
def test_a_genuine_file_of_any_kind_is_accepted(made: Made, tmp_path: Path) -> None:
    refused = {}
    for name, each in made().items():
        mime_type = detected(tmp_path / "blob", name, each)
        if is_refused(name, mime_type) or mime_type != content.TYPE_BY_EXTENSION[extension_of(name)]:
            refused[name] = mime_type
    assert refused == {}


@pytest.mark.parametrize("extension", ["pdf", "docx", "doc", "odt", "png", "jpg"])
def test_texts_pages_and_scripts_are_refused_under_any_other_name(extension: str, tmp_path: Path) -> None:
    accepted = {
        stem: mime_type
        for stem, each in forged.wrong_altogether().items()
        if not is_refused(f"{stem}.{extension}", mime_type := detected(tmp_path / "blob", f"{stem}.{extension}", each))
    }
    assert accepted == {}


@pytest.mark.parametrize("extension", ["pdf", "docx", "doc", "odt", "png", "jpg", "txt"])
def test_programs_archives_and_other_media_are_refused_under_any_name(extension: str, tmp_path: Path) -> None:
    accepted = {
        stem: mime_type
        for stem, each in forged.wrong_binaries().items()
        if not is_refused(f"{stem}.{extension}", mime_type := detected(tmp_path / "blob", f"{stem}.{extension}", each))
    }
    assert accepted == {}


@pytest.mark.parametrize("made", [forged.only_by_name, forged.two_at_once], ids=lambda made: made.__name__)
def test_what_is_a_document_by_its_shell_alone_or_something_besides_is_refused(made: Made, tmp_path: Path) -> None:
    accepted = {
        name: mime_type
        for name, each in made().items()
        if not is_refused(name, mime_type := detected(tmp_path / "blob", name, each))
    }
    assert accepted == {}


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("new Word.doc", content.DOCX),
        ("page for Word.doc", "text/html"),
        ("XML for Word.doc", "text/xml"),
        ("page after.pdf", "text/html"),
        ("archive after.pdf", "application/zip"),
        ("PNG.jpg", "image/png"),
        ("cut off.docx", "application/zip"),
        ("encrypted new Word.doc", "application/encrypted"),
        ("mimetype of a page.odt", "application/zip"),
    ],
)
def test_a_refusal_tells_what_the_file_looks_like(name: str, mime_type: str, tmp_path: Path) -> None:
    each = (forged.only_by_name() | forged.two_at_once())[name]
    found = detected(tmp_path / "blob", name, each)
    with pytest.raises(MimeMismatch, match=mime_type) as caught:
        require_agreement(name, extension=extension_of(name), detected=found)
    assert caught.value.metadata == {"extension": extension_of(name), "detected": mime_type}


@pytest.mark.parametrize(
    ("stem", "mime_type"),
    [
        ("spreadsheet", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("presentation", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        ("Word with macros", "application/vnd.ms-word.document.macroenabled.12"),
        ("open spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
        ("epub", "application/epub+zip"),
        ("archive", "application/zip"),
        ("old spreadsheet", "application/vnd.ms-excel"),
        ("old presentation", "application/vnd.ms-powerpoint"),
        ("message", "application/vnd.ms-outlook"),
    ],
)
def test_other_containers_are_told_by_their_names(stem: str, mime_type: str, tmp_path: Path) -> None:
    assert detected(tmp_path / "blob", f"{stem}.docx", forged.wrong_binaries()[stem]) == mime_type


def test_the_extension_never_makes_a_document_of_another_type(tmp_path: Path) -> None:
    assert detected(tmp_path / "blob", "a.bin", files.docx("x")) == content.DOCX
    assert detected(tmp_path / "blob", "a.bin", ole(word())) == content.DOC
    assert detected(tmp_path / "blob", "a", files.pdf("x")) == content.PDF
    assert detected(tmp_path / "blob", "a.html", b"<!DOCTYPE html><html></html>") == "text/html"
    assert detected(tmp_path / "blob", "a.rtf", b"{\\rtf1 x}") == "text/rtf"


@pytest.mark.parametrize("name", ["a.html", "a.gif", "a", "a.exe"])
def test_extensions_that_nothing_is_known_of_agree_with_everything(name: str) -> None:
    require_agreement(name, extension=extension_of(name), detected="text/html")


_MEASURE = """
import json, resource, sys, time
from pathlib import Path
from osis_document_server.storage.content_type import ContentTypes
detector = ContentTypes()
path = Path(sys.argv[1])
path_of_text = path.with_name("warm")
path_of_text.write_bytes(b"text")
detector.detect(path_of_text, extension="txt")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
found = detector.detect(path, extension=sys.argv[2])
seconds = time.process_time() - start
mebibytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(json.dumps([found, seconds, mebibytes]))
"""


def measured(path: Path, name: str) -> tuple[str, float, float]:
    """The detected type, the seconds of processor time and the MiB of memory that a look into a file takes."""
    command = [sys.executable, "-c", _MEASURE, str(path), extension_of(name)]
    found, seconds, mebibytes = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found, seconds, mebibytes


@pytest.mark.slow
@pytest.mark.parametrize("name", forged.BOMBS)
def test_a_bomb_costs_neither_time_nor_memory(name: str, tmp_path: Path) -> None:
    forged.BOMBS[name](tmp_path / "blob")
    found, seconds, mebibytes = measured(tmp_path / "blob", name)
    assert is_refused(name, found)
    assert seconds < 1
    assert mebibytes < 64


@pytest.mark.slow
@pytest.mark.parametrize("name", genuine.LARGE)
def test_a_large_genuine_file_is_looked_at_as_quickly(name: str, tmp_path: Path) -> None:
    genuine.LARGE[name](tmp_path / "blob")
    found, seconds, mebibytes = measured(tmp_path / "blob", name)
    assert not is_refused(name, found)
    assert seconds < 1
    assert mebibytes < 64
