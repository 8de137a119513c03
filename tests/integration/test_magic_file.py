"""`OSIS_DOCUMENT_MAGIC_FILE`: an operator's own entries have a server take what it would refuse."""

import io
import os
import subprocess

import pytest

from osis_document_client import MimeMismatch
from tests.support.availability import require_program
from tests.support.processes import LoggedProcess, clean_environment, console_script
from tests.support.server import ServerProcess, serving

pytestmark = pytest.mark.one_database

#: What a scanner puts into its own files, which it calls PDF; its entry is that of docs/how-to/refused-files.md.
SCAN = b"SCAN-O-MATIC\x00\x01\x02" + bytes(range(256))
ENTRY = "0\tstring\tSCAN-O-MATIC\tPDF of a scanner\n!:mime\tapplication/pdf\n"


@pytest.fixture(params=["entries", "compiled"])
def magic_file(request, tmp_path):
    """The operator's database: as written, and as `file -C -m` compiles it."""
    entries = tmp_path / "scanners"
    entries.write_text(ENTRY)
    if request.param == "entries":
        return entries
    require_program("file")
    # As on the operator's own command line, which knows nothing of the libmagic that the service brings.
    environment = {"PATH": os.environ["PATH"]}
    subprocess.run(["file", "-C", "-m", entries.name], cwd=tmp_path, env=environment, check=True, capture_output=True)
    entries.unlink()
    return tmp_path / "scanners.mgc"


def test_what_an_own_entry_knows_is_stored_and_all_else_checked_as_before(magic_file, tmp_path):
    with serving(tmp_path / "server", MAGIC_FILE=str(magic_file)) as server, server.client() as client:
        assert client.upload(io.BytesIO(SCAN), name="scan.pdf").document.mime_type == "application/pdf"
        assert client.upload(io.BytesIO(b"a text"), name="note.txt").document.mime_type == "text/plain"
        with pytest.raises(MimeMismatch) as caught:
            client.upload(io.BytesIO(b"<html><body>x</body></html>"), name="page.pdf")
        assert caught.value.metadata["detected"] == "text/html"


@pytest.mark.slow
def test_without_it_the_same_file_is_refused(tmp_path):
    with serving(tmp_path / "server") as server, server.client() as client:
        with pytest.raises(MimeMismatch) as caught:
            client.upload(io.BytesIO(SCAN), name="scan.pdf")
        assert caught.value.metadata == {"extension": "pdf", "detected": "application/octet-stream"}


@pytest.mark.slow
def test_without_validation_it_is_stored_as_what_it_looks_like(tmp_path):
    with serving(tmp_path / "server", ENABLE_MIMETYPE_VALIDATION="false") as server, server.client() as client:
        assert client.upload(io.BytesIO(SCAN), name="scan.pdf").document.mime_type == "application/octet-stream"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "told"), [(None, "there is no such file"), (b"no entry\n", "refused-files.md"), (b"\x1c\x04\x1e\xf1", "compiled")]
)
def test_a_server_says_what_is_wrong_with_a_database_and_does_not_start(content, told, tmp_path):
    magic_file = tmp_path / "magic"
    if content is not None:
        magic_file.write_bytes(content)
    with ServerProcess(tmp_path / "server", MAGIC_FILE=str(magic_file)) as server:
        assert server.wait() != 0
        assert f"OSIS_DOCUMENT_MAGIC_FILE={magic_file}: " in server.output()
        assert told in server.output()
        assert "Traceback" not in server.output()


@pytest.mark.slow
def test_the_command_detect_tells_what_files_look_like_and_which_would_be_refused(magic_file, tmp_path):
    for name, content in {"scan.pdf": SCAN, "note.txt": b"a text", "page.pdf": b"<html><body>x</body></html>"}.items():
        (tmp_path / name).write_bytes(content)
    with LoggedProcess(
        "detect",
        [*console_script("osis-document-server", "osis_document_server.cli"), "detect", "scan.pdf", "note.txt", "page.pdf"],
        environment=clean_environment({"MAGIC_FILE": str(magic_file)}),
        log=tmp_path / "detect.log",
    ) as command:
        assert command.wait() == 1
        assert [line.split() for line in command.output().splitlines()] == [
            ["agrees", "application/pdf", "scan.pdf"],
            ["agrees", "text/plain", "note.txt"],
            ["differs", "text/html", "page.pdf"],
        ]
