"""The languages that there is a client in: how each is built, and how its driver is started."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_BUILD_SECONDS = 600
#: What `scripts/test-clients.sh build` answers when the tool chain is not there.
_ABSENT = 3


class ToolsMissingError(Exception):
    """A language's tool chain is not there; says which program is missing."""


@dataclass(frozen=True)
class Language:
    """A language with a client."""

    name: str
    title: str
    command: tuple[str | Path, ...]
    built: bool = True

    def build(self) -> None:
        """Builds the client and its driver.

        Raises:
            ToolsMissingError: its tool chain is not there.
        """
        if not self.built:
            return
        done = subprocess.run(
            ["scripts/test-clients.sh", "build", self.name],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=_BUILD_SECONDS,
        )
        if done.returncode == _ABSENT:
            raise ToolsMissingError(done.stderr.strip())
        assert done.returncode == 0, done.stdout + done.stderr


_BIN = Path(sys.executable).parent

LANGUAGES = {
    each.name: each
    for each in (
        Language("python", "Python", (sys.executable, ROOT / "tests/conformance/drivers/python"), built=False),
        Language("go", "Go", (ROOT / "var/clients/go/conformance",)),
        Language("typescript", "TypeScript", (_BIN / "node", ROOT / "stubs/typescript/dist/conformance/driver.js")),
        Language("java", "Java", ("java", "-jar", ROOT / "stubs/java/target/conformance.jar")),
    )
}
