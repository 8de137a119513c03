"""Texts of twice their size on a phone (WCAG 1.4.4 and 1.4.10): nothing is cut off, and nothing covers something else."""

from pathlib import Path

from playwright.sync_api import Page

from tests.support import files, images

from .applications import make_application
from .conftest import SCREENSHOTS, Site
from .pages import choose, wait_until_stored

#: Which texts and controls of the widgets reach out of the screen, are cut off, or lie upon each other.
_CROWDED = """() => {
    const dialog = document.querySelector('dialog[open]');
    const kinds = 'a, button, p, h2, select, label.osis-button, input:not([type=hidden])';
    const seen = [...(dialog ?? document).querySelectorAll(kinds)].filter((each) =>
        each.closest('[class*=osis-document-]') && !each.closest('.osis-visually-hidden, .pdfViewer, .cropper-container')
        && each.checkVisibility());
    const box = (each) => each.getBoundingClientRect();
    const called = (each) => each.className + ' ' + (each.getAttribute('aria-label') ?? each.textContent).trim().slice(0, 40);
    const cuts = (each) => each.matches('dialog') ? null
        : each.parentElement && (getComputedStyle(each.parentElement).overflowX === 'hidden' ? each.parentElement
        : cuts(each.parentElement));
    const found = [];
    for (const [place, each] of seen.entries()) {
        const own = box(each);
        const edge = cuts(each) ? box(cuts(each)) : {left: 0, right: document.documentElement.clientWidth};
        if (own.left < edge.left - 1 || own.right > edge.right + 1 || each.scrollWidth > each.clientWidth + 1
            && each.clientWidth > 0 && !each.matches('a, input')) {
            found.push(`cut off: ${called(each)}`);
        }
        for (const other of seen.slice(place + 1).filter((one) => !each.contains(one))) {
            const its = box(other);
            if (Math.min(own.right, its.right) - Math.max(own.left, its.left) > 1
                && Math.min(own.bottom, its.bottom) - Math.max(own.top, its.top) > 1) {
                found.push(`${called(each)} and ${called(other)} lie upon each other`);
            }
        }
    }
    return found;
}"""


def test_the_widgets_have_room_for_texts_of_twice_their_size(site: Site, page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.add_init_script("addEventListener('DOMContentLoaded', () => { document.documentElement.style.fontSize = '200%'; })")
    page.on("dialog", lambda dialog: dialog.accept())
    wrong = tmp_path / "list.csv"
    wrong.write_text("a,b")
    address = make_application(
        site,
        "Large",
        card=[("card.png", images.picture(width=300, height=200))],
        portrait=[("face.jpg", images.picture("JPEG", width=600, height=600))],
        documents=[
            ("a rather long name of a certificate.pdf", files.pdf("A letter", "Its second page")),
            ("note.txt", b"A note."),
        ],
    )

    page.goto(f"{address}change/")
    wait_until_stored(page, "documents", 2)
    page.get_by_role("button", name="Rename note.txt").click()
    choose(page, "Identity card", wrong)
    page.get_by_text("was not added").wait_for()
    _look(page, "uploader")
    page.get_by_role("button", name="Crop face.jpg").click()
    page.locator(".cropper-crop-box").wait_for()
    _look(page, "crop")

    page.goto(address)
    shown = page.locator(".osis-document-visualizer").last
    shown.get_by_text("a rather long name").first.scroll_into_view_if_needed()
    shown.get_by_text("2 pages").wait_for()
    _look(page, "visualizer")
    shown.get_by_role("button").first.click()
    page.get_by_text("Page 1 of 2").wait_for()
    _look(page, "preview")
    page.keyboard.press("Escape")

    page.get_by_role("link", name="Edit a rather long name").click()
    page.get_by_text("A letter").wait_for()
    _look(page, "editor")


def _look(page: Page, name: str) -> None:
    """Takes a picture, and looks for what has no room."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-large.png", full_page=page.locator("dialog[open]").count() == 0)
    assert page.evaluate(_CROWDED) == []
