"""The service that is measured: its embedded default, in a process and a folder of its own."""

import json
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from process import Process

from osis_document_client import Client, ClientConfig

_START_SECONDS = 60
_LOOK_SECONDS = 0.01

_ENVIRONMENT = {
    "OSIS_DOCUMENT_DATA_DIR": "var",
    "OSIS_DOCUMENT_LISTEN": "127.0.0.1:0",
    "OSIS_DOCUMENT_DISK_FLOOR": "0",
    # Nothing is to be swept away between two rounds.
    "OSIS_DOCUMENT_TEMP_UPLOAD_MAX_AGE": "86400",
    "OSIS_DOCUMENT_TOKEN_MAX_AGE": "86400",
}


class Service:
    """A running service, from ``__enter__`` to ``__exit__``, with settings of its own (names without ``OSIS_DOCUMENT_``).

    Raises (on entering):
        ProcessEndedError: it ended instead of serving.
        TimeoutError: it does not serve in time.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._environment = _ENVIRONMENT | {f"OSIS_DOCUMENT_{name}": value for name, value in settings.items()}
        self._client_file = folder / "var" / "client.json"
        self.config = ClientConfig(target="unknown")
        #: From the start of the process until its health service said SERVING.
        self.start_seconds = 0.0

    def __enter__(self) -> Self:
        started = time.perf_counter()
        self._process = Process([*_command(), "serve"], folder=self._folder, environment=self._environment)
        try:
            self._wait(until=started + _START_SECONDS)
        except BaseException:
            self._process.stop()
            raise
        self.start_seconds = time.perf_counter() - started
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.stop()

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    def client(self) -> Client:
        """A client with a connection of its own."""
        return Client(self.config)

    def _wait(self, *, until: float) -> None:
        while not self._client_file.exists():
            self._process.require_running(wait_seconds=_LOOK_SECONDS)
            if time.perf_counter() > until:
                raise TimeoutError(f"the service has not written {self._client_file} within {_START_SECONDS} s")
        written = json.loads(self._client_file.read_text(encoding="utf-8"))
        self.config = ClientConfig(target=written["target"], api_key=written["api_key"])
        with grpc.insecure_channel(self.config.target) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            while (
                health.Check(health_pb2.HealthCheckRequest(), timeout=_START_SECONDS, wait_for_ready=True).status
                != health_pb2.HealthCheckResponse.SERVING
            ):
                self._process.require_running(wait_seconds=_LOOK_SECONDS)
                if time.perf_counter() > until:
                    raise TimeoutError(f"the service has not said SERVING within {_START_SECONDS} s")


def _command() -> list[str | Path]:
    installed = Path(sys.executable).with_name("osis-document-server")
    if installed.exists():
        return [installed]
    return [sys.executable, "-c", "from osis_document_server.cli import main; main()"]
