"""An operator's own libmagic database: read, believed within limits, and refused in plain words."""

import os
import subprocess
from pathlib import Path

import pytest

from osis_document_server.domain import content
from osis_document_server.storage.content_type import ContentTypes
from osis_document_server.storage.libmagic import UnusableMagicError, open_database
from tests.support import files, forged, genuine
from tests.support.availability import require_program
from tests.support.ole import ole
from tests.support.packages import zipped

#: A scanner's PDFs, a vendor's documents in a zip and in a compound file, and a letter format: none of them known to anybody.
ENTRIES = f"""\
0	string	SCAN-O-MATIC	PDF of a scanner
!:mime	{content.PDF}
30	string	vendor/letter	Letter of a vendor
!:mime	{content.DOCX}
0	string	\\320\\317\\021\\340\\241\\261\\032\\341
>512	string	VENDOR	Document of a vendor
!:mime	{content.DOC}
0	string	LETTER1	Letter
!:mime	application/x-letter
"""


@pytest.fixture
def entries(tmp_path: Path) -> Path:
    file = tmp_path / "vendors"
    file.write_text(ENTRIES)
    return file


@pytest.fixture
def compiled(entries: Path) -> Path:
    require_program("file")
    # As on the operator's own command line: pylibmagic has changed this process's environment.
    environment = {"PATH": os.environ["PATH"]}
    subprocess.run(["file", "-C", "-m", entries.name], cwd=entries.parent, env=environment, check=True, capture_output=True)
    return entries.with_suffix(".mgc")


@pytest.fixture(params=["entries", "compiled"])
def detector(request: pytest.FixtureRequest) -> ContentTypes:
    return ContentTypes(request.getfixturevalue(request.param))


def detected(detector: ContentTypes, folder: Path, name: str, made: bytes) -> str:
    file = folder / "blob"
    file.write_bytes(made)
    return detector.detect(file, extension=name.rpartition(".")[2])


VOUCHED_FOR = {
    "a.pdf": b"SCAN-O-MATIC\n" + files.pdf("x"),
    "b.pdf": b"SCAN-O-MATIC and nothing that anybody else knows \x00\x01",
    "a.docx": zipped({"vendor/letter": b"x", "more": b"y"}),
    "a.doc": ole({"VENDOR'S LETTER": b"x"}).replace(b"\0" * 8, b"VENDOR\0\0", 1),
}


@pytest.mark.parametrize("name", ["a.pdf", "b.pdf", "a.docx"])
def test_a_file_that_an_own_entry_knows_is_accepted_and_refused_without(
    name: str, detector: ContentTypes, tmp_path: Path
) -> None:
    expected = content.TYPE_BY_EXTENSION[name.rpartition(".")[2]]
    assert detected(detector, tmp_path, name, VOUCHED_FOR[name]) == expected
    if name != "a.pdf":  # that one has a header that readers find
        assert detected(ContentTypes(), tmp_path, name, VOUCHED_FOR[name]) != expected


def test_an_own_entry_names_what_nobody_else_does(detector: ContentTypes, tmp_path: Path) -> None:
    assert detected(detector, tmp_path, "a.letter", b"LETTER1 \0\1\2") == "application/x-letter"
    assert detected(detector, tmp_path, "a.pdf", b"LETTER1 \0\1\2") == "application/x-letter"


def test_everything_else_is_detected_as_ever(detector: ContentTypes, tmp_path: Path) -> None:
    for name, made in {**genuine.png(), **genuine.txt(), "a.docx": files.docx("x"), "a.pdf": files.pdf("x")}.items():
        assert detected(detector, tmp_path, name, made) == content.TYPE_BY_EXTENSION[name.rpartition(".")[2]], name
    for name, made in forged.only_by_name().items():
        assert detected(detector, tmp_path, name, made) != content.TYPE_BY_EXTENSION[name.rpartition(".")[2]], name


@pytest.mark.parametrize("behind", [b"<html><script>alert(1)</script></html>", zipped({"a": b"b"})], ids=["page", "archive"])
def test_an_own_entry_never_vouches_for_what_is_two_things_at_once(behind: bytes, detector: ContentTypes, tmp_path: Path) -> None:
    made = VOUCHED_FOR["a.pdf"] + behind
    assert detected(detector, tmp_path, "a.pdf", made) in {"text/html", "application/zip"}


def test_a_whole_database_of_another_version_may_be_given_too(tmp_path: Path) -> None:
    require_program("file")
    whole = Path("/usr/share/misc/magic.mgc")
    if not whole.exists():
        pytest.skip("this host keeps libmagic's database elsewhere")
    detector = ContentTypes(whole)
    refused = {
        name: found
        for name, made in genuine.all_files().items()
        if (found := detected(detector, tmp_path, name, made))
        != content.TYPE_BY_EXTENSION["jpg" if name.lower().endswith(("jpg", "jpeg")) else name.rpartition(".")[2]]
    }
    assert refused == {}


@pytest.mark.parametrize("made", [b"no entry at all\n", b"\x1c\x04\x1e\xf1\x63\0\0\0garbage"], ids=["nonsense", "garbage"])
def test_a_database_that_cannot_be_read_is_refused_with_the_remedy(made: bytes, tmp_path: Path) -> None:
    file = tmp_path / "magic"
    file.write_bytes(made)
    with pytest.raises(UnusableMagicError, match=r"refused-files\.md|compiled from"):
        open_database(file)


def test_a_compiled_database_without_a_program_that_reads_it_is_refused_with_the_remedy(
    compiled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnusableMagicError, match="Give the file that it was compiled from instead"):
        open_database(compiled)
