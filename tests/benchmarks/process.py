"""A process that is measured: started with a log of its own, stopped by its id."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_STOP_SECONDS = 45


class ProcessEndedError(RuntimeError):
    """A process ended that should run."""


class Process:
    """A child process, in a session of its own; its standard input and output are pipes.

    Args:
        command: the program.
        folder: its working folder; the log is written there.
        environment: added to this process's environment, from which all settings of the service are taken out first.
    """

    def __init__(self, command: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = folder / "process.log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OSIS_DOCUMENT_")}
        # Import paths that are relative would be other ones there.
        inherited["PYTHONPATH"] = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env={**inherited, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    def read_line(self) -> str:
        """Waits for the next line that it prints.

        Raises:
            ProcessEndedError: it ended instead.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended(self._process.wait(_STOP_SECONDS))
        return line.strip()

    def write_line(self, line: str) -> None:
        """Sends it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def require_running(self, *, wait_seconds: float) -> None:
        """Returns after ``wait_seconds`` if it still runs.

        Raises:
            ProcessEndedError: it does not.
        """
        try:
            status = self._process.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            return
        raise self._ended(status)

    def stop(self) -> None:
        """Asks it to end, and ends it if it does not."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _ended(self, status: int) -> ProcessEndedError:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return ProcessEndedError("\n".join([f"process {self.pid} ended with status {status}; the end of its log:", *lines[-15:]]))
