"""The program in the how-to for Java does what the page says."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conformance.languages import ROOT
from tests.support import files
from tests.support.processes import clean_environment
from tests.support.server import KEYS

PAGE = ROOT / "docs/how-to/use-from-java.md"
#: Names the client and all that it needs as its class path.
JAR = ROOT / "stubs/java/target/conformance.jar"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("java"), pytest.mark.timeout(600)]


def write_classes(folder: Path) -> None:
    """Writes the page's files."""
    for name, text in re.findall(r"^```java (\S+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("language", ["java"], indirect=True)
def test_the_program_on_the_page_for_java_uploads_confirms_downloads_and_tells_a_refusal(language, places, tmp_path):
    write_classes(tmp_path)
    content = files.pdf("a page")
    (tmp_path / "id-card.pdf").write_bytes(content)
    environment = clean_environment({"TARGET": places.server.target, "API_KEY": KEYS["alpha"]})

    compiler = ["javac", "-Xlint:all,-path", "-Werror", "-cp", JAR]
    subprocess.run([*compiler, "Main.java", "Tls.java"], cwd=tmp_path, env=environment, check=True)
    done = subprocess.run(
        ["java", "-cp", f"{JAR}:.", "Main", "id-card.pdf"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.splitlines() == [
        f"id-card.pdf application/pdf {len(content)}",
        "no document 00000000-0000-4000-8000-000000000000",
    ]
    assert (tmp_path / "copy-of-id-card.pdf").read_bytes() == content
