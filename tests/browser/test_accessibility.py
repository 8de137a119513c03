"""Every page of the demo by the rules of WCAG 2.2 AA, in light and dark, on a desk and on a phone; and pictures of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support import files, images

from .applications import make_application
from .conftest import SCREENSHOTS, Site
from .pages import SlowLine, accessibility_faults, choose, field, wait_until_stored, wait_until_under_way

_DESK = {"width": 1100, "height": 900}
_PHONE = {"width": 320, "height": 700}
_VISITORS = {
    "light": {"viewport": _DESK, "color_scheme": "light", "locale": "en"},
    "dark": {"viewport": _DESK, "color_scheme": "dark", "locale": "en"},
    "phone": {"viewport": _PHONE, "color_scheme": "light", "locale": "fr", "has_touch": True},
}


@pytest.fixture(params=_VISITORS)
def visitor(request: pytest.FixtureRequest) -> str:
    """How somebody looks at the pages."""
    return str(request.param)


@pytest.fixture
def context(browser: Browser, visitor: str) -> Iterator[BrowserContext]:
    """The browser of such a visitor."""
    opened = browser.new_context(**_VISITORS[visitor], reduced_motion="reduce")
    yield opened
    opened.close()


def test_the_uploader_in_all_its_states(site: Site, page: Page, visitor: str, tmp_path: Path) -> None:
    address = make_application(
        site,
        "States",
        card=[("card.png", images.picture(width=300, height=200))],
        documents=[("letter.pdf", files.pdf("A letter")), ("note.txt", b"A note.")],
    )
    large, wrong, portrait = tmp_path / "certificate.pdf", tmp_path / "list.csv", tmp_path / "face.jpg"
    large.write_bytes(files.pdf_of_size(3_000_000))
    wrong.write_text("a,b")
    portrait.write_bytes(images.picture("JPEG", width=600, height=600))
    page.goto(f"{address}change/")
    wait_until_stored(page, "documents", 2)
    page.get_by_text("letter.pdf").first.wait_for()
    choose(page, "Identity card", wrong)
    SlowLine(page)
    choose(page, "Documents", large)
    wait_until_under_way(field(page, "Documents").get_by_role("listitem").last, percent=1)
    _look(page, f"uploader-{visitor}")

    wait_until_stored(page, "documents", 3)
    choose(page, "Portrait", portrait)
    page.get_by_role("dialog").locator(".cropper-crop-box").wait_for()
    _look(page, f"crop-{visitor}")


def test_the_visualizer(site: Site, page: Page, visitor: str) -> None:
    documents = [("letter.pdf", files.pdf("A letter", "Its second page")), ("photo.png", images.picture(width=400, height=300))]
    page.goto(make_application(site, "Visualizer", card=[("card.png", images.picture())], documents=documents))
    shown = page.locator(".osis-document-visualizer").last
    shown.get_by_text("2 pages").wait_for()
    page.locator(".osis-document-visualizer").first.get_by_text("3 pages").wait_for(timeout=60_000)
    _look(page, f"visualizer-{visitor}")

    shown.get_by_role("button").first.click()
    page.get_by_role("dialog").wait_for()
    _look(page, f"preview-{visitor}")


def test_the_editor(site: Site, page: Page, visitor: str) -> None:
    address = make_application(
        site, "Editor", card=[("card.png", images.picture())], documents=[("letter.pdf", files.pdf("A sentence", "Another page"))]
    )
    page.goto(address)
    page.get_by_role("link", name="Edit letter.pdf").click()
    page.get_by_text("A sentence").wait_for()
    _look(page, f"editor-{visitor}")


def _look(page: Page, name: str) -> None:
    """Takes a picture, and has axe look."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
    assert accessibility_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "it scrolls sideways"
