"""The programs in the how-tos do what the pages say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.languages import ROOT
from tests.support import files
from tests.support.processes import clean_environment
from tests.support.server import KEYS, ServerProcess

GO_MODULE = "github.com/uclouvain/osis-document/stubs/go"
NODE_PACKAGE = ROOT / "stubs/typescript"
NODE = Path(sys.executable).with_name("node")
#: Names the client for Java and all that it needs as its class path.
JAR = ROOT / "stubs/java/target/conformance.jar"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Program:
    """The program of a page, in a folder of its own, which uploads a file, confirms, downloads and is refused a token."""

    def __init__(self, folder: Path, server: ServerProcess, *, language: str, fence: str) -> None:
        self._folder = folder
        self._environment = clean_environment({"TARGET": server.target, "API_KEY": KEYS["alpha"]}) | {"GOFLAGS": "-mod=mod"}
        self._content = files.pdf("a page")
        (folder / "id-card.pdf").write_bytes(self._content)
        page = (ROOT / f"docs/how-to/use-from-{language}.md").read_text(encoding="utf-8")
        for name, text in re.findall(rf"^```{fence} (\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
            (folder / name).write_text(text, encoding="utf-8")

    def run(self, *command: str | Path) -> list[str]:
        """Runs a command in the folder; returns the lines that it printed."""
        done = subprocess.run(command, cwd=self._folder, env=self._environment, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.splitlines()

    def does_what_the_page_says(self, *command: str | Path) -> None:
        """Runs it and looks at what it printed and wrote."""
        assert self.run(*command, "id-card.pdf") == [
            f"id-card.pdf application/pdf {len(self._content)}",
            "no document 00000000-0000-4000-8000-000000000000",
        ]
        assert (self._folder / "copy-of-id-card.pdf").read_bytes() == self._content


@pytest.mark.xdist_group("go")
@pytest.mark.parametrize("language", ["go"], indirect=True)
def test_the_program_on_the_page_for_go_uploads_confirms_downloads_and_tells_a_refusal(language, places, tmp_path):
    program = Program(tmp_path, places.server, language="go", fence="go")
    module = (ROOT / "stubs/go/go.mod").read_text(encoding="utf-8").replace(GO_MODULE, "example.org/reader", 1)
    uses = f"\nrequire {GO_MODULE} v0.0.0\n\nreplace {GO_MODULE} => {ROOT / 'stubs/go'}\n"
    (tmp_path / "go.mod").write_text(module + uses, encoding="utf-8")
    shutil.copy(ROOT / "stubs/go/go.sum", tmp_path)

    program.does_what_the_page_says("go", "run", ".")


@pytest.mark.xdist_group("typescript")
@pytest.mark.parametrize("language", ["typescript"], indirect=True)
def test_the_program_on_the_page_for_typescript_uploads_confirms_downloads_and_tells_a_refusal(language, places, tmp_path):
    program = Program(tmp_path, places.server, language="typescript", fence="ts")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/osis-document-client").symlink_to(NODE_PACKAGE)
    (tmp_path / "node_modules/@types").symlink_to(NODE_PACKAGE / "node_modules/@types")
    compiler = (NODE, NODE_PACKAGE / "node_modules/typescript/bin/tsc", "--strict", "--module", "nodenext", "--target", "es2023")

    program.run(*compiler, "--types", "node", "main.ts", "tls.ts")
    program.does_what_the_page_says(NODE, "main.js")


@pytest.mark.xdist_group("java")
@pytest.mark.parametrize("language", ["java"], indirect=True)
def test_the_program_on_the_page_for_java_uploads_confirms_downloads_and_tells_a_refusal(language, places, tmp_path):
    program = Program(tmp_path, places.server, language="java", fence="java")

    program.run("javac", "-Xlint:all,-path", "-Werror", "-cp", JAR, "Main.java", "Tls.java")
    program.does_what_the_page_says("java", "-cp", f"{JAR}:.", "Main")
