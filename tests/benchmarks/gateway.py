"""The gateway that is measured: gunicorn in a process of its own, before a service."""

import socket
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import requests
from process import Process
from service import Service

_START_SECONDS = 60
_LOOK_SECONDS = 0.05


class Gateway:
    """A running gateway, from ``__enter__`` to ``__exit__``.

    Raises (on entering):
        ProcessEndedError: it ended instead of serving.
        TimeoutError: it does not serve in time.
    """

    def __init__(self, folder: Path, service: Service) -> None:
        self._folder = folder
        self._service = service
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}/osis_document/"
        self.headers = {"X-Api-Key": service.config.api_key}

    def __enter__(self) -> Self:
        host = Path(__file__).with_name("gateway_host.py")
        environment = {
            "GATEWAY_URL": self.url,
            "GATEWAY_TARGET": self._service.config.target,
            "GATEWAY_API_KEY": self._service.config.api_key,
        }
        command = [sys.executable, "-m", "gunicorn", f"{host.stem}:application", "--pythonpath", str(host.parent)]
        options = ["--bind", f"127.0.0.1:{self._port}", "--threads", "4", "--no-control-socket"]
        self._process = Process([*command, *options], folder=self._folder, environment=environment)
        try:
            self._wait()
        except BaseException:
            self._process.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.stop()

    @property
    def worker_pid(self) -> int:
        """The process that answers; the other one only watches it."""
        [worker] = psutil.Process(self._process.pid).children()
        return int(worker.pid)

    def _wait(self) -> None:
        until = time.perf_counter() + _START_SECONDS
        while True:
            self._process.require_running(wait_seconds=_LOOK_SECONDS)
            try:
                requests.options(f"{self.url}request-upload", timeout=_START_SECONDS)
            except requests.ConnectionError:
                if time.perf_counter() > until:
                    raise TimeoutError(f"the gateway does not answer within {_START_SECONDS} s") from None
            else:
                return
