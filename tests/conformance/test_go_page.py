"""The program in the how-to for Go does what the page says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conformance.languages import ROOT
from tests.support import files
from tests.support.processes import clean_environment
from tests.support.server import KEYS

PAGE = ROOT / "docs/how-to/use-from-go.md"
MODULE = "github.com/uclouvain/osis-document/stubs/go"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("go"), pytest.mark.timeout(600)]


def write_program(folder: Path) -> None:
    """Writes the page's files as a module that uses the one of this repository."""
    for name, text in re.findall(r"^```go (\S+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        (folder / name).write_text(text, encoding="utf-8")
    module = (ROOT / "stubs/go/go.mod").read_text(encoding="utf-8").replace(f"module {MODULE}", "module example.org/reader")
    uses = f"\nrequire {MODULE} v0.0.0\n\nreplace {MODULE} => {ROOT / 'stubs/go'}\n"
    (folder / "go.mod").write_text(module + uses, encoding="utf-8")
    shutil.copy(ROOT / "stubs/go/go.sum", folder)


@pytest.mark.parametrize("language", ["go"], indirect=True)
def test_the_program_on_the_page_for_go_uploads_confirms_downloads_and_tells_a_refusal(language, places, tmp_path):
    write_program(tmp_path)
    content = files.pdf("a page")
    (tmp_path / "id-card.pdf").write_bytes(content)
    environment = clean_environment({"TARGET": places.server.target, "API_KEY": KEYS["alpha"]}) | {"GOFLAGS": "-mod=mod"}

    done = subprocess.run(
        ["go", "run", ".", "id-card.pdf"], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )

    assert done.stdout.splitlines() == [
        f"id-card.pdf application/pdf {len(content)}",
        "no document 00000000-0000-4000-8000-000000000000",
    ]
    assert (tmp_path / "copy-of-id-card.pdf").read_bytes() == content
