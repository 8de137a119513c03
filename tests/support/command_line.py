"""`osis-document` as a process."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.processes import clean_environment, console_script
from tests.support.server import KEYS


class CommandLine:
    """Runs the program in a folder, against a service, with the key of one of `KEYS` (or none)."""

    def __init__(self, target: str, folder: Path, *, caller: str | None = "alpha") -> None:
        self.folder = folder
        self._environment = clean_environment({"TARGET": target} | ({"API_KEY": KEYS[caller]} if caller else {})) | {"TZ": "UTC"}
        self._command = console_script("osis-document", "osis_document_client.cli")

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Runs it to its end, whatever that is."""
        return subprocess.run(
            self._words(words), env=self._environment, cwd=self.folder, capture_output=True, text=True, check=False, timeout=110
        )

    def start(self, *words: object) -> subprocess.Popen[str]:
        """Starts it."""
        return subprocess.Popen(
            self._words(words), env=self._environment, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def lines(self, *words: object) -> list[str]:
        """The lines that it prints when it ends well."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def json(self, *words: object) -> Any:
        """The JSON document that it prints when it ends well."""
        return json.loads("\n".join(self.lines(*words, "--json")))

    def fails(self, exit_code: int, *words: object) -> list[str]:
        """The lines about errors when it ends with this exit code."""
        done = self.run(*words)
        assert done.returncode == exit_code, (done.returncode, done.stdout, done.stderr)
        return done.stderr.splitlines()

    def _words(self, words: tuple[object, ...]) -> list[str]:
        return [*self._command, *(str(word) for word in words)]
