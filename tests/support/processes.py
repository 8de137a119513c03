"""A process that a test starts, with a log, and that ends with the test."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.waiting import wait_until

#: Every process started so far, so that a failing test can show their logs.
STARTED: list["LoggedProcess"] = []

START_SECONDS = 60
STOP_SECONDS = 45


def console_script(name: str, module: str) -> list[str]:
    """The command of a console script: the installed one, or the function behind it where nothing is installed."""
    installed = Path(sys.executable).with_name(name)
    return [str(installed)] if installed.exists() else [sys.executable, "-c", f"from {module} import main; main()"]


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without the service's own variables, and with `settings` (names without their prefix)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OSIS_DOCUMENT_")}
    return kept | {f"OSIS_DOCUMENT_{name}": value for name, value in settings.items()}


class LoggedProcess:
    """A process whose output goes to a file. Leaving its block ends it, by its id."""

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        STARTED.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    def output(self) -> str:
        """What it has printed so far."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode("utf-8", errors="replace")

    def wait_for_output(self, pattern: str, *, seconds: float = START_SECONDS) -> re.Match[str]:
        """Waits until it has printed what the pattern matches."""

        def look() -> re.Match[str] | None:
            found = re.search(pattern, self.output())
            if found is None and self.process.poll() is not None:
                found = re.search(pattern, self.output())
                assert found, f"{self.name} ended with {self.process.returncode} before it printed {pattern!r}:\n{self.output()}"
            return found

        return wait_until(look, f"{self.name} prints {pattern!r}", seconds=seconds)

    def terminate(self) -> None:
        """Sends SIGTERM and returns at once."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, *, seconds: float = STOP_SECONDS) -> int:
        """Waits for its end and returns its exit code."""
        return self.process.wait(seconds)

    def stop(self, *, seconds: float = STOP_SECONDS) -> int:
        """Sends SIGTERM, waits for the end, and returns the exit code."""
        self.terminate()
        return self.wait(seconds=seconds)

    def kill(self) -> None:
        """Sends SIGKILL and waits for the end."""
        self.process.kill()
        self.process.wait(10)

    def end(self) -> None:
        """Ends it, whatever state it is in."""
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"{self.name} did not end within {STOP_SECONDS} s of SIGTERM") from None

    def is_recent(self, *, since: float) -> bool:
        """True if it runs, or has printed something since that time (of `time.time`)."""
        return self.process.poll() is None or (self.log.exists() and self.log.stat().st_mtime >= since)


def logs(*, since: float) -> list[tuple[str, str]]:
    """Name and last lines of every process that runs or was running since that time."""
    found = []
    for process in STARTED:
        if process.is_recent(since=since):
            lines = process.output().splitlines()[-30:]
            found.append((f"log of {process.name} (pid {process.pid})", "\n".join(lines)))
    return found


def now() -> float:
    """The time that `logs` counts by."""
    return time.time()
