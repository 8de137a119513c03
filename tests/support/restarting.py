"""A server that is killed and started again, always at the same address, over the same data."""

from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.redis_server import free_port
from tests.support.server import ServerProcess
from tests.support.stubs import Stubs


class RestartingServer:
    """Runs from ``__enter__`` to ``__exit__``, with interruptions."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._settings = {"LISTEN": f"127.0.0.1:{free_port()}"} | settings
        self.process = self._started()

    @property
    def target(self) -> str:
        """Its address."""
        return self._settings["LISTEN"]

    def kill(self) -> None:
        """Ends it as SIGKILL does."""
        self.process.kill()

    def start(self, **settings: str) -> None:
        """Starts it after its end, from now on with these settings too; it serves when this returns."""
        self.process.end()
        self._settings |= settings
        self.process = self._started()

    def stubs(self, caller: str = "alpha") -> Stubs:
        """Raw stubs that outlive the process, until they are closed."""
        return self.process.stubs(caller)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.end()

    def _started(self) -> ServerProcess:
        process = ServerProcess(self._folder, **self._settings)
        assert process.target == self.target
        return process
