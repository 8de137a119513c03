"""The demo site: a model form, a form without models, the gateway, as a new user starts them."""

import subprocess
import sys
from pathlib import Path

import pytest

_SITE = Path(__file__).parents[2] / "examples" / "demo_site"


@pytest.mark.slow
@pytest.mark.without_service
def test_both_sites_do_what_they_should(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, _SITE, "--check", "--folder", tmp_path / "site"], capture_output=True, text=True, timeout=100
    )

    logs = "\n".join(path.read_text(encoding="utf-8") for path in sorted((tmp_path / "site").glob("*.log")))
    assert ended.returncode == 0, f"{ended.stderr}\n{logs}"
    assert "Both sites do what they should." in ended.stdout
    assert "Traceback" not in logs
