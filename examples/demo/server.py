"""A service of the demo's own: a real process on its embedded default, in a folder of its own, on a free port."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
from errors import DemoError
from grpc_health.v1 import health_pb2, health_pb2_grpc

from osis_document_client import ClientConfig

#: How long a service that lives may take until it serves: on a busy machine that is minutes.
START_SECONDS = 300
#: After how much of it the demo says what it waits for.
PATIENCE_SECONDS = 10
STOP_SECONDS = 30

#: How long one look at the process or its port takes at most while the service starts.
LOOK_SECONDS = 0.1


class DemoServer:
    """Starts `osis-document-server serve` and stops it at the end of the block, whatever happened in it."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is emptied; the service keeps its documents and its log there."""
        self.log = folder / "server.log"
        self._folder = folder
        self._client_file = folder / "var" / "client.json"
        self._process: subprocess.Popen[bytes] | None = None
        self._target = ""

    def __enter__(self) -> Self:
        command = Path(sys.executable).with_name("osis-document-server")
        if not command.exists():
            raise DemoError("The server could not be started", why=f"there is no {command}", remedy="run `make setup`")
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._target = f"127.0.0.1:{_free_port()}"
        # Nothing configured but the port: what this shell sets for another service must not reach this one.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OSIS_DOCUMENT_")}
        environment["OSIS_DOCUMENT_LISTEN"] = self._target
        with self.log.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal is for the demo, which then stops the server itself.
            self._process = subprocess.Popen(
                [command, "serve"],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_it_serves(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        ended_well = self.stop()
        if error is None and not ended_well:
            raise DemoError(
                "The server did not stop as it should",
                why=f"SIGTERM did not end it with status 0 within {STOP_SECONDS} s",
                remedy="its log may say what it waited for",
            )

    def client_config(self) -> ClientConfig:
        """How to reach the service, as the service itself wrote it down."""
        written = json.loads(self._client_file.read_text(encoding="utf-8"))
        return ClientConfig(target=written["target"], api_key=written["api_key"])

    def stop(self) -> bool:
        """Ends the process that was started, by its id; True if it ended by itself and well."""
        if self._process is None:
            return True
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS) == 0
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False

    def _wait_until_it_serves(self, process: subprocess.Popen[bytes]) -> None:
        options = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 200)]
        began = time.monotonic()
        told = False
        with grpc.insecure_channel(self._target, options) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            while (waited := time.monotonic() - began) < START_SECONDS:
                if waited >= PATIENCE_SECONDS and not told:
                    print(f"  … the server is still starting; it has {START_SECONDS // 60} minutes for it", flush=True)
                    told = True
                try:
                    answer = health.Check(health_pb2.HealthCheckRequest(), timeout=LOOK_SECONDS * 10, wait_for_ready=True)
                    if answer.status == health_pb2.HealthCheckResponse.SERVING and self._client_file.exists():
                        return
                except grpc.RpcError:
                    pass  # not yet; whether it ever will is asked next
                try:
                    status = process.wait(LOOK_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
                raise DemoError(
                    "The server could not be started",
                    why=f"it ended with status {status}:\n{self._end_of_log()}",
                    remedy="mend what it says",
                )
        raise DemoError(
            "The server could not be started",
            why=f"its health service has not said SERVING within {START_SECONDS} s:\n{self._end_of_log()}",
            remedy="mend what it says, or try again when the machine is less busy",
        )

    def _end_of_log(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-8:]) or "    (it printed nothing)"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
