"""strace on a running process: what it asks of the system, and what the system is made to answer."""

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.availability import require_program
from tests.support.processes import LoggedProcess
from tests.support.waiting import wait_until

_REFUSED = re.compile(r"Operation not permitted|PTRACE_SEIZE|ptrace", re.IGNORECASE)
_CALL = re.compile(r"^\d+ (\w+)\(", re.MULTILINE)


class Strace(LoggedProcess):
    """strace attached to all threads of a process. Every thread counts for itself where `when` is given.

    Args:
        traced: the process.
        expressions: those of strace's option `-e`.
        path: if given, only calls that have to do with this file matter.
    """

    def __init__(self, traced: LoggedProcess, *expressions: str, path: Path | None = None) -> None:
        self._traced = traced
        self._trace = traced.log.with_name("strace.out")
        self._trace.unlink(missing_ok=True)
        arguments = [argument for expression in expressions for argument in ("-e", expression)]
        arguments += ["-P", str(path)] if path else []
        super().__init__(
            f"strace of {traced.name}",
            ["strace", "-f", "-qq", "-o", str(self._trace), *arguments, "-p", str(traced.pid)],
            environment=os.environ,
            log=traced.log.with_name("strace.log"),
        )

    def calls(self) -> Counter[str]:
        """How often each system call was made so far."""
        return Counter(_CALL.findall(self._trace.read_text(encoding="utf-8", errors="replace")))

    def end(self) -> None:
        """Detaches; the process goes on, if it is still there."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.wait(seconds=20)

    def wait_until_attached(self) -> None:
        """Returns once it sees every thread.

        Skips the test where the system does not let one process trace another: no installation could change that.
        """
        wait_until(lambda: self.process.poll() is not None or self._sees_all(), f"{self.name} is attached", seconds=30)
        if self.process.poll() is not None:
            assert _REFUSED.search(self.output()), self.output()
            pytest.skip(f"one process may not trace another here: {self.output().strip()[:200]}")

    def _sees_all(self) -> bool:
        for status in Path(f"/proc/{self._traced.pid}/task").glob("*/status"):
            try:
                text = status.read_text()
            except (FileNotFoundError, ProcessLookupError):  # the thread has ended
                continue
            if f"TracerPid:\t{self.pid}\n" not in text:
                return False
        return True


@contextmanager
def tracing(process: LoggedProcess, *expressions: str, path: Path | None = None) -> Iterator[Strace]:
    """Attaches strace to a process for the length of the block; arguments as `Strace` takes them."""
    require_program("strace")
    with Strace(process, *expressions, path=path) as strace:
        strace.wait_until_attached()
        yield strace
