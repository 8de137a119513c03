"""The demo site in a real browser: Debian's Chromium, the real service with its worker, gunicorn."""

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.support.availability import give_up
from tests.support.processes import LoggedProcess, clean_environment

ROOT = Path(__file__).parents[2]
_CHROMIUM = Path("/usr/bin/chromium")
#: What appears at once may take a while where other tests run beside.
_PATIENCE_MILLISECONDS = 30_000
#: Pictures of what the tests see are put there, for people to look at.
SCREENSHOTS = Path(os.environ.get("OSIS_DOCUMENT_SCREENSHOTS") or ROOT / "var" / "screenshots")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them share one site, and none belongs to the fast ones."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.without_service)


@dataclass(frozen=True, kw_only=True)
class Site:
    """The addresses of the demo's two sites."""

    primary: str
    secondary: str
    api_key: str


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo site, as `make site` starts it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, str(ROOT / "examples" / "demo_site"), "--folder", str(folder / "site")]
    environment = clean_environment({}) | {"DEMO_UPLOAD_LIMIT": "1000/minute"}
    with LoggedProcess("demo site", command, environment=environment, log=folder / "site.log") as process:
        process.wait_for_output("Ctrl-C ends")
        [primary] = re.findall(r"Applications +(\S+)", process.output())
        [secondary] = re.findall(r"secondary site +(\S+)", process.output())
        api_key = json.loads((folder / "site" / "var" / "client.json").read_text(encoding="utf-8"))["api_key"]
        yield Site(primary=primary, secondary=secondary, api_key=api_key)
        process.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; nothing is fetched. While Playwright runs, Django takes the thread for that of an event loop."""
    if not _CHROMIUM.exists():
        give_up("Chromium is not installed (`make setup` installs it)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor who has never been here."""
    opened = browser.new_context(viewport={"width": 1100, "height": 900}, locale="en")
    yield opened
    opened.close()


class Complaints:
    """What the browser's console says that it should not."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.expected: list[str] = []

    def expect(self, part: str) -> None:
        """Messages with this in them belong to the test."""
        self.expected.append(part)

    def note(self, message: ConsoleMessage) -> None:
        """Keeps errors and warnings."""
        if message.type in {"error", "warning"}:
            self.found.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def unexpected(self) -> list[str]:
        """Those that no test expects."""
        return [each for each in self.found if not any(part in each for part in self.expected)]


@pytest.fixture
def complaints() -> Complaints:
    """What the page's console says; errors that are not expected fail the test."""
    return Complaints()


@pytest.fixture
def page(context: BrowserContext, complaints: Complaints) -> Iterator[Page]:
    """A page whose console stays clean: no error, no refused script or style, no exception."""
    opened = context.new_page()
    opened.set_default_timeout(_PATIENCE_MILLISECONDS)
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    opened.on("console", complaints.note)
    opened.on("pageerror", lambda error: complaints.found.append(f"exception: {error}"))
    yield opened
    assert complaints.unexpected() == []
