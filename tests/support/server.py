"""The server as a process of its own."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from osis_document_client import Client, ClientConfig
from osis_document_server.storage.base import IDENTITY_NAME
from tests.support import databases
from tests.support.processes import LoggedProcess, clean_environment, console_script
from tests.support.stubs import Stubs

#: The service's callers by name: their secrets. `alpha` and `beta` are two clients.
KEYS = {"alpha": "alpha-secret", "beta": "beta-secret", "worker": "worker-secret", "admin": "admin-secret"}
API_SHARED_SECRET = "alpha:alpha-secret:client,beta:beta-secret:client,worker:worker-secret:worker,admin:admin-secret:admin"

SIGNING_KEY_ID = "tests"
SIGNING_KEY = "a-signing-key-of-the-tests-that-is-long-enough-for-every-algorithm-there-is"

_DEFAULTS = {
    "LISTEN": "127.0.0.1:0",
    "API_SHARED_SECRET": API_SHARED_SECRET,
    "TOKEN_SIGNING_KEYS": f"{SIGNING_KEY_ID}:{SIGNING_KEY}",
    "DISK_FLOOR": "0",
    "STOP_GRACE_SECONDS": "5",
    # A server with a third of the threads starts sooner, and tests start many.
    "MAX_STREAMS": "320",
    "MAX_WAITERS": "64",
    "MAX_CALLS": "64",
}


class ServerProcess(LoggedProcess):
    """`osis-document-server serve` over a folder, with settings of its own (names without `OSIS_DOCUMENT_`).

    Unless it is given a DATABASE_URL it uses a database of its own, of the kind that `databases.in_use` says.
    """

    def __init__(self, folder: Path, *, environment: dict[str, str] | None = None, **settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._target = ""
        self._open: list[Stubs] = []
        self._databases = databases.in_use
        defaults = (
            _DEFAULTS
            | {"DATA_DIR": str(self.data)}
            | ({} if "DATABASE_URL" in settings else databases.in_use.settings(self.data))
        )
        self._environment = clean_environment(defaults | settings) | (environment or {})
        super().__init__(
            f"server in {folder.name}",
            [*console_script("osis-document-server", "osis_document_server.cli"), "serve"],
            environment=self._environment,
            log=folder / "server.log",
        )

    @property
    def target(self) -> str:
        """Where it serves; waits until it does."""
        if not self._target:
            self._target = self.wait_for_output(r"osis-document-server is serving on (\S+)").group(1)
        return self._target

    def stubs(self, caller: str | None = "alpha", *, key: str | None = None) -> Stubs:
        """Raw stubs of all services, with the key of one of `KEYS`, with another key, or (None) without any."""
        stubs = Stubs(self.target, key=key or (KEYS[caller] if caller else None))
        self._open.append(stubs)
        return stubs

    def client(self, caller: str = "alpha") -> Client:
        """The client library, with the key of one of `KEYS`."""
        return Client(ClientConfig(target=self.target, api_key=KEYS[caller]))

    def client_file(self) -> dict[str, str] | None:
        """What it wrote for clients on this machine; None if there is no such file."""
        file = self.data / "client.json"
        content: dict[str, str] | None = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
        return content

    def blob_files(self, blobs: Path | None = None) -> dict[str, Path]:
        """Every file among the blobs, unfinished ones included, by name; without the one that says whose storage it is."""
        files = {path.name: path for path in (blobs or self.data / "blobs").rglob("*") if path.is_file()}
        return {name: path for name, path in files.items() if name != IDENTITY_NAME}

    def blob_file_of(self, content: bytes) -> Path:
        """The one file that holds exactly this content."""
        [path] = [path for path in self.blob_files().values() if path.read_bytes() == content]
        return path

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Runs another command of the program with its settings, whether it runs or not."""
        return subprocess.run(
            [*console_script("osis-document-server", "osis_document_server.cli"), *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of one table of its database."""
        return self._databases.rows(self.data, table)

    def end(self) -> None:
        """Closes the channels to it and ends it."""
        while self._open:
            self._open.pop().close()
        super().end()


@contextmanager
def serving(folder: Path, *, environment: dict[str, str] | None = None, **settings: str) -> Iterator[ServerProcess]:
    """Runs a server until the end of the block, from when it serves."""
    with ServerProcess(folder, environment=environment, **settings) as server:
        assert server.target
        yield server
