"""The reference page is what the program is."""

from __future__ import annotations

from tests.support.cli_reference import PAGE, render


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "write it anew: .venv/bin/python -m tests.support.cli_reference"
