"""Commands with their output in a page of documentation: run as a reader would, and compared with what the page shows.

In a block marked `console` each line that begins with `$ ` is a command, and what follows is its output. Ids and checksums differ
from one run to the next: the first in the page stands for the first in the run, and so on. Times, tokens and the sizes of what is
large differ too.

    python -m tests.support.console PAGE TARGET API_KEY    writes the page anew, with the output of now
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_BLOCK = re.compile(r"(```console\n)(.*?)(\n```)", re.DOTALL)
_END = "the command has ended"
#: What differs from run to run, and is followed from one command to the next.
_FOLLOWED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b")
#: What differs, and means nothing beyond its kind.
_LEFT_OUT = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"[\d.]+ [kM]B \(\d+ bytes\)"), "SIZE"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), "TOKEN"),
)


class Shell:
    """A shell in a folder, with the program on its path; a context manager."""

    def __init__(self, folder: Path, *, target: str, api_key: str) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {
            "PATH": path,
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "OSIS_DOCUMENT_TARGET": target,
            "OSIS_DOCUMENT_API_KEY": api_key,
        }
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        self._bash.communicate(timeout=30)

    def run(self, command: str) -> list[str]:
        """Runs a command and answers the lines that it prints, on either stream."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{command}\necho '{_END}'\n")
        self._bash.stdin.flush()
        lines = []
        for line in self._bash.stdout:
            if line.endswith(f"{_END}\n"):
                break
            lines.append(line.rstrip("\n"))
        return lines


class Page:
    """The commands of a page, run one after the other."""

    def __init__(self, text: str, shell: Shell) -> None:
        self._text = text
        self._shell = shell
        self._here: dict[str, str] = {}

    def run(self) -> Iterator[tuple[str, list[str], list[str]]]:
        """Runs each command; yields it, the output that the page shows, and that of now in the page's own terms."""
        for block in _BLOCK.finditer(self._text):
            for command, shown in _commands(block[2]):
                printed = self._shell.run(_replaced(command, self._here))
                self._follow(shown, printed)
                there = {here: page for page, here in self._here.items()}
                yield command, [_plain(line) for line in shown], [_plain(_replaced(line, there)) for line in printed]

    def rewritten(self) -> str:
        """The page with the output of now."""

        def rewrite(block: re.Match[str]) -> str:
            lines = []
            for command, shown in _commands(block[2]):
                now = _replaced(command, self._here)
                printed = self._shell.run(now)
                self._follow(shown, printed)
                lines += [f"$ {now}", *printed]
            return block[1] + "\n".join(lines) + block[3]

        return _BLOCK.sub(rewrite, self._text)

    def _follow(self, shown: list[str], printed: list[str]) -> None:
        """Notes which id of now stands for which in the page."""
        for page, here in zip(_FOLLOWED.findall("\n".join(shown)), _FOLLOWED.findall("\n".join(printed)), strict=False):
            self._here.setdefault(page, here)


def _commands(block: str) -> Iterator[tuple[str, list[str]]]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, shown


def _replaced(line: str, others: dict[str, str]) -> str:
    """A line with other ids in the place of those that there are others for."""
    return _FOLLOWED.sub(lambda found: others.get(found[0], found[0]), line)


def _plain(line: str) -> str:
    for pattern, kind in _LEFT_OUT:
        line = pattern.sub(kind, line)
    return line.rstrip()


if __name__ == "__main__":
    import tempfile

    file, where, key = sys.argv[1:]
    with tempfile.TemporaryDirectory() as made, Shell(Path(made), target=where, api_key=key) as bash:
        Path(file).write_text(Page(Path(file).read_text(encoding="utf-8"), bash).rewritten(), encoding="utf-8")
