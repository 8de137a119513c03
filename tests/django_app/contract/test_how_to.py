"""What the page on tests without a service shows are tests, and they pass."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from osis_document.testing import FakeDocuments

pytestmark = [pytest.mark.without_service, pytest.mark.one_database]

_ROOT = Path(__file__).parents[3]
_PAGE = (_ROOT / "docs/how-to/test-without-a-service.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"```python\n# (?P<file>\w+\.py)\n(?P<text>.*?)```", re.DOTALL)


@pytest.mark.slow
def test_the_pages_tests_pass_in_a_host(tmp_path: Path) -> None:
    blocks = list(_BLOCK.finditer(_PAGE))
    assert len(blocks) == _PAGE.count("```python")
    for block in blocks:
        (tmp_path / block["file"]).write_text(block["text"], encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = tests.django_app.project.settings\n")
    host = tmp_path / "dossiers"
    host.mkdir()
    (host / "models.py").write_text("from tests.django_app.project.dossiers.models import Dossier\n")
    (host / "forms.py").write_text("from tests.django_app.project.pages import DossierForm\n")

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "error", str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{_PAGE.count('def test_')} passed" in ended.stdout


def test_the_page_names_whatever_a_test_has_at_hand() -> None:
    table = _PAGE.partition("## What `documents` has")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)[(`]", table)) - {"len"}
    assert named >= {name for name in vars(FakeDocuments) if not name.startswith("_")}
    assert not {name for name in named if not hasattr(FakeDocuments, name)}
