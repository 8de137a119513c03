"""A driver: a client as a process that carries out commands, one JSON object per line each way."""

import json
import queue
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.conformance.languages import Language
from tests.support.processes import clean_environment

_END_SECONDS = 20


class Driver:
    """The driver of a language; a context manager. It is started with the first command."""

    def __init__(self, language: Language, *, folder: Path) -> None:
        self._language = language
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self._command: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def ask(self, command: dict[str, Any], *, seconds: float = 100) -> dict[str, Any]:
        """Has a command carried out and returns the answer: `tell` and `answer`."""
        self.tell(command)
        return self.answer(seconds=seconds)

    def tell(self, command: dict[str, Any]) -> None:
        """Gives it a command, and does not wait for the answer."""
        self._command = command
        process = self._started()
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # `answer` says so
            process.stdin.write(json.dumps(command, ensure_ascii=False) + "\n")
            process.stdin.flush()

    def answer(self, *, seconds: float) -> dict[str, Any]:
        """Returns the next answer, `{"ok": …}` or `{"error": …}`.

        Raises:
            AssertionError: the driver ended, or did not answer in time. The next command starts another one.
        """
        try:
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            line = ""
        if not line:
            self.end()
            title, log = self._language.title, self._log()[-4000:]
            raise AssertionError(f"the driver of {title} did not answer {self._command} in {seconds} s:\n{log}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _started(self) -> "subprocess.Popen[str]":
        if self._process is None:
            with self._log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    [str(word) for word in self._language.command],
                    env=clean_environment({}),
                    cwd=self._folder,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    encoding="utf-8",
                    start_new_session=True,
                )
            self._answers = queue.Queue()
            self._reader = threading.Thread(target=self._read, args=(self._process, self._answers), daemon=True)
            self._reader.start()
        return self._process

    @staticmethod
    def _read(process: "subprocess.Popen[str]", answers: "queue.Queue[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            answers.put(line)
        answers.put("")

    @property
    def _log_file(self) -> Path:
        return self._folder / f"driver-{self._language.name}.log"

    def _log(self) -> str:
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def end(self, *, by_force: bool = False) -> None:
        """Ends it as the protocol says, by the end of its input; by force if that does nothing, or at once."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        if by_force:
            process.kill()
        try:
            process.stdin.close()
            process.wait(_END_SECONDS)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            process.kill()
            process.wait()
        self._reader.join(_END_SECONDS)
        process.stdout.close()
