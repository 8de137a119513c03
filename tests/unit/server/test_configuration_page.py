"""The configuration page and the settings say the same."""

import re
from pathlib import Path

from osis_document_server.settings import PREFIX, Settings

_PAGE = Path(__file__).parents[3] / "docs/reference/configuration.md"


def test_every_setting_of_the_server_is_on_the_page_and_no_other() -> None:
    section = _PAGE.read_text(encoding="utf-8").split("## Server")[1].split("## Worker")[0]
    documented = set(re.findall(rf"^\| `{PREFIX}(\w+)`", section, re.MULTILINE))
    assert documented == {name.upper() for name in Settings.model_fields}
