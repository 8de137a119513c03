"""What tests do in pages, again and again."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Locator, Page, expect

from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
#: A slow line: an upload of some megabytes takes some seconds, so that there is time to do something meanwhile.
_SLOW_BYTES_PER_SECOND = 400_000
_TIMEOUT_SECONDS = 60


def field(page: Page, label: str) -> Locator:
    """The uploader of a form's field."""
    return page.locator(".osis-document-uploader").filter(has=page.get_by_role("group", name=re.compile(label)))


def choose(page: Page, label: str, *paths: Path) -> None:
    """Chooses files for a field."""
    field(page, label).locator(".osis-drop input[type=file]").set_input_files(list(paths))


def wait_until_stored(page: Page, label: str, count: int) -> None:
    """Waits until so many files of a field are with the server."""
    expect(page.locator(f"input[type=hidden][name^={label}_]")).to_have_count(count, timeout=60_000)


def save(page: Page) -> None:
    """Submits the form and waits for the page that follows."""
    before = page.url
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(lambda url: url != before)


class SlowLine:
    """Lets what a page sends take its time, and can be cut."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Network.enable")
        self.mend()

    def cut(self) -> None:
        """Nothing goes through any more; what is on its way fails."""
        self._set(offline=True)

    def mend(self) -> None:
        """It goes on."""
        self._set(offline=False)

    def _set(self, *, offline: bool) -> None:
        conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": _SLOW_BYTES_PER_SECOND}
        self._session.send("Network.emulateNetworkConditions", conditions | {"offline": offline})


def wait_until_under_way(row: Locator, percent: int = 5) -> None:
    """Waits until a part of a file has been sent."""
    is_under_way = "([element, percent]) => element.querySelector('progress')?.value >= percent"
    wait_until_page_says(row.page, is_under_way, [row.element_handle(), percent])


def wait_until_page_says(page: Page, condition: str, argument: Any = None) -> None:
    """Waits until a JavaScript expression, or what a function answers, is true.

    Playwright's own `wait_for_function` evaluates text inside the page whenever it has to look twice, which the site's
    Content-Security-Policy refuses.
    """
    wait_until(lambda: page.evaluate(condition, argument), condition)


def offsets_sent(page: Page) -> list[int]:
    """Notes from now on at which offsets uploads go on; the list grows."""
    offsets: list[int] = []
    page.on(
        "request",
        lambda request: offsets.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None,
    )
    return offsets


def downloads(page: Page) -> dict[str, bytes]:
    """The documents that a page offers, by their names."""
    links = page.locator("a[href*='/file/'][download], a[href*='dl=1']")
    found = {}
    for address in links.evaluate_all("links => links.map((link) => link.href)"):  # at once: more of them may appear meanwhile
        answer = requests.get(address, timeout=_TIMEOUT_SECONDS)
        assert answer.ok, answer.text
        name = re.search(r'filename="([^"]+)"', answer.headers["Content-Disposition"])
        assert name
        found[name[1]] = answer.content
    return found


def sha256(content: bytes) -> str:
    """A digest to compare."""
    return hashlib.sha256(content).hexdigest()


def accessibility_faults(page: Page) -> list[str]:
    """What axe finds wrong by the rules of WCAG 2.2 A and AA."""
    page.evaluate((ROOT / "django_client/frontend/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8"))
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    result: dict[str, Any] = page.evaluate(f"axe.run({{runOnly: {json.dumps(rules)}}})")
    return [
        f"{fault['id']} ({fault['help']}): {node['html'][:200]} {node['failureSummary']}"
        for fault in result["violations"]
        for node in fault["nodes"]
    ]
