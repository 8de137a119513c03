"""The program in the how-to for TypeScript does what the page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.languages import ROOT
from tests.support import files
from tests.support.processes import clean_environment
from tests.support.server import KEYS

PAGE = ROOT / "docs/how-to/use-from-typescript.md"
PACKAGE = ROOT / "stubs/typescript"
NODE = Path(sys.executable).with_name("node")

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("typescript"), pytest.mark.timeout(600)]


def write_project(folder: Path) -> None:
    """Writes the page's files as a project that has the package installed."""
    for name, text in re.findall(r"^```ts (\S+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (folder / "node_modules").mkdir()
    (folder / "node_modules/osis-document-client").symlink_to(PACKAGE)
    (folder / "node_modules/@types").symlink_to(PACKAGE / "node_modules/@types")


@pytest.mark.parametrize("language", ["typescript"], indirect=True)
def test_the_program_on_the_page_for_typescript_uploads_confirms_downloads_and_tells_a_refusal(language, places, tmp_path):
    write_project(tmp_path)
    content = files.pdf("a page")
    (tmp_path / "id-card.pdf").write_bytes(content)
    environment = clean_environment({"TARGET": places.server.target, "API_KEY": KEYS["alpha"]})

    compiler = [NODE, PACKAGE / "node_modules/typescript/bin/tsc", "--strict", "--module", "nodenext", "--target", "es2023"]
    subprocess.run([*compiler, "--types", "node", "main.ts", "tls.ts"], cwd=tmp_path, env=environment, check=True)
    done = subprocess.run(
        [NODE, "main.js", "id-card.pdf"], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )

    assert done.stdout.splitlines() == [
        f"id-card.pdf application/pdf {len(content)}",
        "no document 00000000-0000-4000-8000-000000000000",
    ]
    assert (tmp_path / "copy-of-id-card.pdf").read_bytes() == content
