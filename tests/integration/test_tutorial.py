"""The tutorial's commands do what the tutorial shows."""

from pathlib import Path

import pytest

from tests.support.console import Page, Shell
from tests.support.server import KEYS, SIGNING_KEY, serving

PAGES = Path(__file__).parents[2] / "docs/tutorials"

# As many processes as commands, and LibreOffice: slow where much else runs.
pytestmark = [pytest.mark.one_database, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.needs_libreoffice
def test_the_first_documents_go_as_they_are_shown(tmp_path):
    (tmp_path / "reader").mkdir()
    text = (PAGES / "first-documents.md").read_text(encoding="utf-8")
    with (
        serving(tmp_path / "service", TOKEN_SIGNING_KEYS=f"generated:{SIGNING_KEY}") as server,
        Shell(tmp_path / "reader", target=server.target, api_key=KEYS["alpha"]) as shell,
    ):
        commands = 0
        for command, shown, printed in Page(text, shell).run():
            assert printed == shown, f"{command}: write the page anew with `python -m tests.support.console`"
            commands += 1
    assert commands > 15
