"""The HTTP gateway as real servers run it: gunicorn (WSGI) and uvicorn (ASGI)."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from tests.support.ports import free_port
from tests.support.processes import LoggedProcess, clean_environment
from tests.support.server import KEYS, ServerProcess

_ROOT = Path(__file__).parents[2]
_MODULE = "tests.django_app.project.gateway_host"
KEY = {"X-Api-Key": KEYS["alpha"]}


class GatewayProcess(LoggedProcess):
    """A host in front of a document service, answering when the constructor returns."""

    def __init__(self, folder: Path, service: ServerProcess, command: Sequence[str], *, port: int, **settings: Any) -> None:
        self.url = f"http://127.0.0.1:{port}/osis_document/"
        all_settings = {
            "OSIS_DOCUMENT_BASE_URL": self.url,
            "OSIS_DOCUMENT_GRPC_TARGET": service.target,
            "OSIS_DOCUMENT_API_SHARED_SECRET": KEYS["alpha"],
        } | settings
        super().__init__(
            f"gateway on {port}",
            [sys.executable, "-m", *command],
            environment=clean_environment({})
            | {"TESTS_SETTINGS": json.dumps(all_settings), "PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])},
            log=folder / f"gateway-{port}.log",
        )

    def call(self, method: str, path: str, *, key: bool = False, **arguments: Any) -> requests.Response:
        """Sends one request to a path below the gateway's."""
        headers = (KEY if key else {}) | arguments.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, timeout=60, allow_redirects=False, **arguments)

    def get(self, path: str, **arguments: Any) -> requests.Response:
        """Sends a GET."""
        return self.call("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> requests.Response:
        """Sends a POST; with the API key if `key=True`."""
        return self.call("POST", path, **arguments)

    def upload(self, content: bytes, name: str = "note.txt", *, key: bool = True, **arguments: Any) -> str:
        """Uploads a file through the gateway; answers the write token."""
        answer = self.post("request-upload", files={"file": (name, content)}, key=key, **arguments)
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token

    def store(self, content: bytes, name: str = "note.txt", **body: Any) -> str:
        """Uploads and confirms a file through the gateway; answers the document's id."""
        answer = self.post(f"confirm-upload/{quote(self.upload(content, name))}", json=body, key=True)
        assert answer.status_code == 201, answer.text
        identifier: str = answer.json()["uuid"]
        return identifier

    def token(self, document_id: str, *, write: bool = False, **body: Any) -> str:
        """A token for a document, asked for over HTTP."""
        answer = self.post(f"{'write' if write else 'read'}-token/{document_id}", json=body, key=True)
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token


def gunicorn(folder: Path, service: ServerProcess, *options: str, **settings: Any) -> GatewayProcess:
    """Runs the host under gunicorn: one process, unless options say otherwise, so that limits are counted in its cache."""
    port = free_port()
    words = ["gunicorn", f"{_MODULE}:wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket", "--threads", "8", *options]
    return _ready(GatewayProcess(folder, service, words, port=port, **settings), r"Booting worker")


def uvicorn(folder: Path, service: ServerProcess, *, application: str = "asgi", **settings: Any) -> GatewayProcess:
    """Runs an application of the host under uvicorn."""
    port = free_port()
    words = ["uvicorn", f"{_MODULE}:{application}", "--port", str(port), "--lifespan", "off", "--no-access-log"]
    return _ready(GatewayProcess(folder, service, words, port=port, **settings), r"Uvicorn running")


def _ready(gateway: GatewayProcess, announced: str) -> GatewayProcess:
    try:
        gateway.wait_for_output(announced)
        gateway.call("OPTIONS", "request-upload")
    except BaseException:
        gateway.end()
        raise
    return gateway
