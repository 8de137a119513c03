"""The PDF editor: what is marked, written and turned on the screen is in the saved file."""

import io
import re
from collections.abc import Iterator

import pikepdf
import pytest
import requests
from playwright.sync_api import Page, expect
from pypdf import PageObject, PdfReader

from tests.support import files, images

from .applications import make_application
from .conftest import Complaints, Site
from .pages import downloads, wait_until_page_says

_CARD = ("card.png", images.picture())


@pytest.fixture
def application(site: Site) -> str:
    """The address of an application with a letter of three pages."""
    letter = files.pdf("A sentence to be marked", "The second page", "The third page")
    return make_application(site, "Edited", card=[_CARD], documents=[("letter.pdf", letter)])


@pytest.fixture
def editor(application: str, page: Page) -> Iterator[Page]:
    """The editor with that letter."""
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(application)
    page.get_by_role("link", name="Edit letter.pdf").click()
    page.get_by_text("A sentence to be marked").wait_for()
    yield page
    page.on("dialog", lambda dialog: dialog.accept())


def test_a_mark_a_comment_and_a_turn_are_in_the_saved_file(editor: Page, application: str) -> None:
    _mark(editor, "A sentence to be marked")
    _write(editor, "Please check this")
    editor.get_by_role("button", name="Next page").click()
    editor.get_by_role("button", name="Rotate this page to the right").click()
    expect(editor.get_by_text("Unsaved changes")).to_be_visible()

    _save(editor)

    first, second, third = _saved(editor, application)
    assert _kinds(first) == {"/Highlight", "/FreeText"}
    [written] = [each for each in _annotations(first) if each["/Subtype"] == "/FreeText"]
    assert written["/Contents"] == "Please check this"
    assert (first.rotation, second.rotation, third.rotation) == (0, 90, 0)
    assert second.extract_text().strip() == "The second page"


def test_nothing_interrupts_somebody_who_writes_at_once(editor: Page) -> None:
    _write(editor, "First")
    editor.evaluate("""
        window.interrupted = 0;
        document.querySelector('.osis-editor__scroller').addEventListener('focusout', ({target}) => {
            window.interrupted += target.isContentEditable ? 1 : 0;
        });
    """)
    editor.get_by_role("button", name="Write on the page").click()
    layer = editor.locator(".page[data-page-number='1'] .annotationEditorLayer").bounding_box()
    assert layer
    editor.mouse.click(layer["x"] + 120, layer["y"] + 350)
    expect(editor.locator(".freeTextEditor [contenteditable=true]")).to_be_focused()

    editor.keyboard.type("Please check this")

    assert editor.evaluate("window.interrupted") == 0
    expect(editor.locator(".freeTextEditor [contenteditable=true]")).to_have_text("Please check this")
    editor.keyboard.press("Escape")
    expect(editor.locator(".freeTextEditor")).to_have_count(2)


def test_a_second_save_goes_on_from_the_first(editor: Page, application: str) -> None:
    _mark(editor, "A sentence to be marked")
    _save(editor)
    editor.get_by_role("button", name="Next page").click()
    editor.get_by_role("button", name="Rotate this page to the left").click()

    _save(editor)

    first, second, _ = _saved(editor, application)
    assert _kinds(first) == {"/Highlight"}
    assert second.rotation == 270


def test_what_is_undone_is_not_saved(editor: Page, application: str) -> None:
    _mark(editor, "A sentence to be marked")
    editor.get_by_role("button", name="Rotate this page to the right").click()
    undo, redo = editor.get_by_role("button", name="Undo"), editor.get_by_role("button", name="Redo")

    undo.click()
    undo.click()
    expect(undo).to_be_disabled()
    redo.click()
    _save(editor)

    first, _, _ = _saved(editor, application)
    assert (first.rotation, _kinds(first)) == (0, {"/Highlight"})


def test_a_page_steers_the_editor_and_is_told_what_it_shows(editor: Page) -> None:
    editor.evaluate("""
        window.told = [];
        const editor = document.querySelector('.osis-document-editor');
        editor.addEventListener('pageChange', ({detail}) => window.told.push(detail.pageNumber));
        editor.dispatchEvent(new CustomEvent('changeCurrentPage', {detail: 3}));
    """)
    wait_until_page_says(editor, "window.told.at(-1) === 3")
    expect(editor.get_by_role("textbox", name="Page")).to_have_value("3")

    editor.evaluate("document.querySelector('.osis-document-editor').dispatchEvent(new CustomEvent('rotate', {detail: 90}))")
    expect(editor.get_by_text("Unsaved changes")).to_be_visible()
    editor.evaluate("document.querySelector('.osis-document-editor').dispatchEvent(new CustomEvent('save'))")
    editor.get_by_text("Unsaved changes").wait_for(state="hidden")


def test_what_another_window_saved_first_is_not_overwritten(editor: Page, application: str, complaints: Complaints) -> None:
    complaints.expect("409 (Conflict)")
    token = editor.locator(".osis-document-editor").get_attribute("data-value")
    base = editor.locator(".osis-document-editor").get_attribute("data-base-url")
    other = requests.post(
        f"{base}save-editor/{token}",
        data={"rotations": '{"2": 180}'},
        files={"file": ("letter.pdf", _bytes(editor), "application/pdf")},
        timeout=60,
    )
    assert other.ok, other.text
    editor.get_by_role("button", name="Rotate this page to the right").click()

    editor.get_by_role("button", name="Save").click()

    editor.get_by_text("changed in another window").wait_for()
    with editor.expect_download() as offered:
        editor.get_by_role("button", name="Download my copy").click()
    assert [page.rotation for page in PdfReader(offered.value.path()).pages] == [90, 0, 0]
    first, _, third = _saved(editor, application)
    assert (first.rotation, third.rotation) == (0, 180)


def test_a_save_is_tried_again_after_the_network_was_away(editor: Page, application: str, complaints: Complaints) -> None:
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    editor.get_by_role("button", name="Rotate this page to the right").click()
    editor.context.set_offline(True)
    editor.get_by_role("button", name="Save").click()
    editor.get_by_text("your changes could not be saved").wait_for()

    editor.context.set_offline(False)
    editor.get_by_role("button", name="Try again").click()

    editor.get_by_text("Unsaved changes").wait_for(state="hidden")
    first, _, _ = _saved(editor, application)
    assert first.rotation == 90


def test_a_copy_of_what_cannot_be_saved_has_marks_and_rotations(site: Site, page: Page, complaints: Complaints) -> None:
    complaints.expect("403 (Forbidden)")
    page.on("dialog", lambda dialog: dialog.accept())
    letter = _compact(files.pdf("A sentence to be marked", "The second page", "The third page"), turned=270)
    page.goto(make_application(site, "Copied", card=[_CARD], documents=[("letter.pdf", letter)]))
    page.get_by_role("link", name="Edit letter.pdf").click()
    page.get_by_text("A sentence to be marked").wait_for()
    _mark(page, "A sentence to be marked")
    for side in ("right", "left"):
        page.get_by_role("button", name="Next page").click()
        page.get_by_role("button", name=f"Rotate this page to the {side}").click()
    page.route("**/save-editor/*", lambda route: route.fulfill(status=403, body="{}"))

    page.get_by_role("button", name="Save").click()
    with page.expect_download() as offered:
        page.get_by_role("button", name="Download my copy").click()

    first, second, third = PdfReader(offered.value.path()).pages
    assert (first.rotation, second.rotation, third.rotation) == (0, 0, 270)
    assert (_kinds(first), _kinds(second)) == ({"/Highlight"}, set())
    assert second.extract_text().strip() == "The second page"
    with pikepdf.open(offered.value.path()) as copy:
        assert copy.check_pdf_syntax() == []


def _compact(content: bytes, *, turned: int) -> bytes:
    """The same PDF with its objects in streams, and its second page turned by so many degrees."""
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as document:
        document.pages[1].rotate(turned, relative=False)
        document.save(written, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return written.getvalue()


def _mark(page: Page, text: str) -> None:
    """Marks a line as a person does: by drawing over it with the mouse."""
    tool = page.get_by_role("button", name="Highlight text")
    tool.click()
    expect(tool).to_have_attribute("aria-pressed", "true")
    box = page.locator(".textLayer").get_by_text(text).bounding_box()
    assert box
    page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    page.locator(".highlightEditor").first.wait_for()
    tool.click()


def _write(page: Page, text: str) -> None:
    """Writes on the page that is shown."""
    tool = page.get_by_role("button", name="Write on the page")
    tool.click()
    layer = page.locator(".page[data-page-number='1'] .annotationEditorLayer").bounding_box()
    assert layer
    page.mouse.click(layer["x"] + 120, layer["y"] + 250)
    expect(page.locator(".freeTextEditor [contenteditable]")).to_be_focused()
    page.keyboard.type(text)
    page.keyboard.press("Escape")
    tool.click()


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    page.get_by_text(re.compile("^Saved$")).first.wait_for(state="attached")
    page.get_by_text("Unsaved changes").wait_for(state="hidden")


def _bytes(page: Page) -> bytes:
    base, token = (page.locator(".osis-document-editor").get_attribute(f"data-{name}") for name in ("base-url", "value"))
    return requests.get(f"{base}file/{token}", timeout=60).content


def _saved(page: Page, application: str) -> list[PageObject]:
    """The pages of the document as the application has it now."""
    page.goto(application)
    page.get_by_text("letter.pdf").first.wait_for()
    page.locator(".osis-document-visualizer").last.get_by_text("3 pages").wait_for()
    return list(PdfReader(io.BytesIO(downloads(page)["letter.pdf"])).pages)


def _annotations(page: PageObject) -> list[dict[str, object]]:
    return [each.get_object() for each in page.get("/Annots", ())]


def _kinds(page: PageObject) -> set[object]:
    return {each["/Subtype"] for each in _annotations(page)} - {"/Popup"}
