"""LibreOffice instances of a worker's life: kept from document to document, replaced when they die, gone with the worker."""

import io
import signal
from pathlib import Path

import psutil
import pytest
from pypdf import PdfReader

from osis_document_client import Client, convert
from tests.support import files
from tests.support.server import ServerProcess, serving

pytestmark = [pytest.mark.one_database, pytest.mark.needs_libreoffice, pytest.mark.slow]


def converted_text(client: Client, text: str, folder: Path) -> str:
    [document] = client.confirm([client.upload(io.BytesIO(files.docx(text)), name=f"{text}.docx")])
    job = client.wait(client.start([document.id], [convert()]).id, timeout=60)
    [output] = job.actions[0].records[0].output_document_ids
    target = folder / f"{text}.pdf"
    client.download(client.create_token(output).token.token, target)
    return PdfReader(target).pages[0].extract_text().strip()


def offices(server: ServerProcess) -> list[psutil.Process]:
    """The engine processes below the server; while nothing else is done they are instances of LibreOffice."""
    below = psutil.Process(server.pid).children(recursive=True)
    return [process for process in below if not process.children() and any("child.py" in word for word in process.cmdline())]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_an_instance_serves_document_after_document_until_it_dies_and_another_follows(
    number: signal.Signals, tmp_path: Path
) -> None:
    with serving(tmp_path / "server") as server, server.client() as client:
        assert offices(server) == []
        assert converted_text(client, "one", tmp_path) == "one"
        [office] = offices(server)
        assert converted_text(client, "two", tmp_path) == "two"
        assert offices(server) == [office]
        office.send_signal(number)
        assert converted_text(client, "three", tmp_path) == "three"
        assert not office.is_running()
        assert converted_text(client, "four", tmp_path) == "four"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_no_instance_outlives_its_worker(number: signal.Signals, tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server, server.client() as client:
        assert converted_text(client, "one", tmp_path) == "one"
        left = offices(server)
        assert left
        psutil.Process(server.pid).send_signal(number)
        _, alive = psutil.wait_procs(left, timeout=30)
        assert alive == []
