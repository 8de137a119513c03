"""A server that is killed and started again, always at the same address, over the same data."""

from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import free_port
from tests.support.server import KEYS, ServerProcess
from tests.support.stubs import Stubs


class RestartingServer:
    """Serves from ``__enter__`` to ``__exit__``, with interruptions; settings as `ServerProcess` takes them."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._settings = {"LISTEN": f"127.0.0.1:{free_port()}"} | settings
        self._open: list[Stubs] = []
        self.process: ServerProcess

    @property
    def target(self) -> str:
        """Its address."""
        return self._settings["LISTEN"]

    def stubs(self, caller: str = "alpha") -> Stubs:
        """Raw stubs, as `ServerProcess.stubs`; they last, whatever becomes of the process."""
        self._open.append(Stubs(self.target, key=KEYS[caller]))
        return self._open[-1]

    def kill(self) -> None:
        """Ends it as SIGKILL does."""
        self.process.kill()

    def start(self, **settings: str) -> None:
        """Starts it anew, from now on with these settings too; it serves when this returns."""
        self.process.end()
        self._settings |= settings
        self._start()

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        while self._open:
            self._open.pop().close()
        self.process.end()

    def _start(self) -> None:
        self.process = ServerProcess(self._folder, **self._settings)
        try:
            assert self.process.target == self.target
        except BaseException:
            self.process.end()
            raise
