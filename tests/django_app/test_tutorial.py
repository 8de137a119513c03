"""The tutorial's files and commands, as they are shown, make a site that keeps documents."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.ports import free_port
from tests.support.processes import LoggedProcess
from tests.support.waiting import wait_until

_PAGE = Path(__file__).parents[2] / "docs/tutorials/django-field.md"
#: A file that the page shows, or commands; and how it is introduced.
_BLOCK = re.compile(r"(?:(?P<where>In|At the end of) `(?P<file>[^`]+)`:\n\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


def _run(folder: Path, command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    ended = subprocess.run(["bash", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"


@pytest.mark.slow
@pytest.mark.without_service
def test_the_pages_project_keeps_documents(tmp_path: Path) -> None:
    port, environment = free_port(), {n: v for n, v in os.environ.items() if n != "DJANGO_SETTINGS_MODULE"}
    programs = Path(sys.executable).parent
    service = LoggedProcess(
        "service",
        ["env", "-C", str(tmp_path), str(programs / "osis-document-server"), "serve"],
        environment=environment | {"OSIS_DOCUMENT_LISTEN": "127.0.0.1:0"},
        log=tmp_path / "service.log",
    )
    try:
        wait_until((tmp_path / "var/client.json").exists, "the service serves", seconds=60)
        for block in _BLOCK.finditer(_PAGE.read_text(encoding="utf-8")):
            text = block["text"].replace("127.0.0.1:8000", f"127.0.0.1:{port}")
            if block["file"]:
                file = tmp_path / block["file"]
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("a" if block["where"] == "At the end of" else "w", encoding="utf-8") as written:
                    written.write(text)
            elif block["kind"] == "sh" and "serve" not in text.split()[1]:
                _run(tmp_path, text.replace("python manage.py runserver\n", ""))
        site = LoggedProcess(
            "site",
            ["env", "-C", str(tmp_path), sys.executable, "manage.py", "runserver", "--noreload", str(port)],
            environment=environment,
            log=tmp_path / "site.log",
        )
        try:
            site.wait_for_output("Quit the server")
            _try(f"http://127.0.0.1:{port}/")
        finally:
            site.end()
    finally:
        service.end()


def _try(address: str) -> None:
    browser = requests.Session()
    form = browser.get(address, timeout=60).text
    secret = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert secret is not None
    fields = {"subject": "The engine", "csrfmiddlewaretoken": secret[1]}

    refused = browser.post(address, data=fields, files={"pages": ("tool.exe", b"MZ")}, timeout=60)
    saved = browser.post(address, data=fields, files={"pages": ("letter.txt", b"Dear Ada,")}, timeout=60)

    assert "errorlist" in refused.text
    assert "letter.txt</a> (text/plain, 9" in saved.text
    link = re.search(r'href="([^"]+)"', saved.text)
    assert link is not None
    assert browser.get(link[1], timeout=60).content == b"Dear Ada,"
