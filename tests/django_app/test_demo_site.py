"""The demo site: a model form, a form without models, the gateway, as a new user starts them."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

_SITE = Path(__file__).parents[2] / "examples" / "demo_site"


@pytest.mark.slow
@pytest.mark.timeout(300)  # four sites and two services start at once
@pytest.mark.without_service
def test_two_of_them_that_start_at_once_do_what_they_should_and_have_ports_of_their_own(tmp_path: Path) -> None:
    with ExitStack() as stack:
        begun = [_begun(tmp_path / name / "site", stack) for name in ("one", "two")]
        outputs = [process.communicate(timeout=240) for process in begun]

    logs = "\n".join(path.read_text(encoding="utf-8") for path in sorted(tmp_path.glob("*/site/*.log")))
    for process, (output, errors) in zip(begun, outputs, strict=True):
        assert process.returncode == 0, f"{errors}\n{logs}"
        assert "Both sites do what they should." in output
    assert "Traceback" not in logs
    addresses = [line.split()[-1] for output, _ in outputs for line in output.splitlines() if line.startswith("  Applications")]
    assert len(set(addresses)) == 2


def _begun(folder: Path, stack: ExitStack) -> subprocess.Popen[str]:
    command = [sys.executable, _SITE, "--check", "--folder", folder]
    process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    stack.callback(process.terminate)
    return process
