"""The uploader: from a file on the visitor's machine to a document of an application."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect

from tests.support import files, images

from .applications import make_application
from .conftest import Complaints, Site
from .pages import (
    SlowLine,
    choose,
    downloads,
    field,
    offsets_sent,
    save,
    sha256,
    wait_until_page_says,
    wait_until_stored,
    wait_until_under_way,
)

_LARGE_BYTES = 3_000_000


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """The identity card that every application needs."""
    path = tmp_path / "card.png"
    path.write_bytes(images.picture())
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A PDF that takes some seconds on a slow line."""
    path = tmp_path / "large.pdf"
    path.write_bytes(files.pdf_of_size(_LARGE_BYTES))
    return path


@pytest.fixture
def form(site: Site, page: Page, card: Path) -> Page:
    """The form of a new application; only documents are missing."""
    page.goto(f"{site.primary}new/")
    page.get_by_label("Name:").fill("Ada Browser")
    choose(page, "Identity card", card)
    wait_until_stored(page, "identity_card", 1)
    return page


def test_twelve_files_arrive_in_the_order_in_which_they_were_put(form: Page, tmp_path: Path) -> None:
    paths = []
    for number in range(12):
        paths.append(tmp_path / f"page {number}.pdf")
        paths[-1].write_bytes(files.pdf(f"This is number {number}"))
    choose(form, "Documents", *paths)
    wait_until_stored(form, "documents", 12)

    save(form)

    shown = form.locator(".osis-document-visualizer").last
    names = [path.name for path in paths]
    expect(shown.get_by_role("listitem").get_by_text(re.compile(r"^page \d+\.pdf$"))).to_have_text(names)
    kept = downloads(form)
    assert {name: sha256(kept[name]) for name in names} == {path.name: sha256(path.read_bytes()) for path in paths}


def test_an_upload_goes_on_by_itself_after_the_network_was_away(form: Page, large: Path, complaints: Complaints) -> None:
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    offsets = offsets_sent(form)
    line = SlowLine(form)
    choose(form, "Documents", large)
    row = field(form, "Documents").get_by_role("listitem")
    wait_until_under_way(row, percent=40)

    line.cut()
    row.get_by_text("The connection was lost").wait_for()
    line.mend()

    wait_until_stored(form, "documents", 1)
    assert max(offsets) > 0, "it began again from nothing"
    save(form)
    assert sha256(downloads(form)["large.pdf"]) == sha256(large.read_bytes())


def test_an_upload_goes_on_after_the_page_was_reloaded(form: Page, large: Path) -> None:
    form.on("dialog", lambda dialog: dialog.accept())
    SlowLine(form)
    choose(form, "Documents", large)
    wait_until_under_way(field(form, "Documents").get_by_role("listitem"), percent=30)

    form.reload()
    form.get_by_label("Name:").fill("Ada Reloaded")
    row = field(form, "Documents").get_by_role("listitem")
    row.get_by_text("Choose the same file again to go on").wait_for()
    expect(field(form, "Identity card").get_by_role("listitem")).to_contain_text("card.png")
    offsets = offsets_sent(form)
    row.locator("input[type=file]").set_input_files(large)

    wait_until_stored(form, "documents", 1)
    assert offsets[0] > 0, "it began again from nothing"
    save(form)
    assert sha256(downloads(form)["large.pdf"]) == sha256(large.read_bytes())


def test_a_form_that_did_not_arrive_still_has_its_files(form: Page, complaints: Complaints) -> None:
    complaints.expect("503")
    away = {"status": 503, "content_type": "text/html", "body": "<p>The site is away.</p>"}
    form.route("**/new/", lambda route: route.fulfill(**away) if route.request.method == "POST" else route.continue_())
    form.get_by_role("button", name="Save", exact=True).click()
    form.get_by_text("The site is away").wait_for()
    form.unroute_all()

    form.go_back()

    expect(field(form, "Identity card").get_by_role("listitem")).to_contain_text("card.png")
    form.get_by_label("Name:").fill("Ada Returned")
    save(form)
    expect(form.get_by_role("link", name=re.compile("card.png"))).to_be_visible()


def test_a_form_is_not_sent_while_a_file_is_on_its_way(form: Page, large: Path) -> None:
    SlowLine(form)
    choose(form, "Documents", large)
    wait_until_under_way(field(form, "Documents").get_by_role("listitem"))

    form.get_by_role("button", name="Save", exact=True).click()

    held = form.get_by_role("alert")
    expect(held).to_contain_text("still being uploaded")
    expect(held).to_be_focused()
    assert form.url.endswith("/new/")
    wait_until_stored(form, "documents", 1)
    save(form)
    assert sha256(downloads(form)["large.pdf"]) == sha256(large.read_bytes())


def test_a_paused_upload_goes_on_where_it_was(form: Page, large: Path) -> None:
    SlowLine(form)
    choose(form, "Documents", large)
    row = field(form, "Documents").get_by_role("listitem")
    wait_until_under_way(row)

    form.get_by_role("button", name="Pause large.pdf").click()
    row.get_by_text("Paused").wait_for()
    offsets = offsets_sent(form)
    form.get_by_role("button", name="Go on with large.pdf").click()

    wait_until_stored(form, "documents", 1)
    assert offsets[0] > 0, "it began again from nothing"


def test_the_part_of_a_picture_that_was_chosen_is_what_is_kept(form: Page, tmp_path: Path) -> None:
    path = tmp_path / "portrait.jpg"
    path.write_bytes(images.picture("JPEG", width=800, height=600))
    choose(form, "Portrait", path)

    dialog = form.get_by_role("dialog")
    expect(dialog).to_contain_text("Which part of portrait.jpg?")
    dialog.get_by_role("button", name="Use this part").click()

    wait_until_stored(form, "portrait", 1)
    save(form)
    with Image.open(io.BytesIO(downloads(form)["portrait.jpg"])) as kept:
        assert kept.format == "JPEG"
        assert kept.width / kept.height == pytest.approx(3 / 4, abs=0.01)


def test_a_picture_can_be_turned(site: Site, page: Page) -> None:
    portrait = images.picture("PNG")
    address = make_application(site, "Turned", card=[("card.png", images.picture())], portrait=[("face.png", portrait)])
    page.goto(f"{address}change/")

    page.get_by_role("button", name="Turn face.png to the right").click()
    page.get_by_text("face.png is turned").wait_for(state="attached")
    save(page)

    kept = downloads(page)["face.png"]
    assert images.are_equal(images.shown(kept), images.turned(portrait, 90))


def test_names_and_order_are_the_visitors(form: Page, tmp_path: Path) -> None:
    for name in ("one.pdf", "two.pdf", "three.pdf"):
        (tmp_path / name).write_bytes(files.pdf(name))
    form.evaluate("""
        window.told = [];
        for (const name of ['osisdocument:add', 'osisdocument:delete']) {
            document.addEventListener(name, ({detail}) => window.told.push([name, Object.keys(detail.newTokens)]));
        }
    """)
    choose(form, "Documents", tmp_path / "one.pdf", tmp_path / "two.pdf", tmp_path / "three.pdf")
    wait_until_stored(form, "documents", 3)

    up = form.get_by_role("button", name="Move three.pdf up")
    up.focus()
    form.keyboard.press("Enter")
    expect(up).to_be_focused()
    form.get_by_role("button", name="Rename one.pdf").click()
    form.get_by_role("textbox", name="New name").fill("première")
    form.keyboard.press("Enter")
    form.get_by_role("button", name="Rename première.pdf").wait_for()
    form.get_by_role("button", name="Remove two.pdf").click()
    save(form)

    texts = form.locator(".osis-document-visualizer").last.get_by_role("listitem").all_inner_texts()
    assert ["première.pdf" in texts[0], "three.pdf" in texts[1], len(texts)] == [True, True, 2]


def test_the_page_is_told_of_files_that_come_and_go(form: Page, tmp_path: Path) -> None:
    form.evaluate("""
        window.told = [];
        for (const name of ['osisdocument:add', 'osisdocument:delete']) {
            document.addEventListener(name, ({detail}) => window.told.push(
                [name, Object.keys(detail.oldTokens), Object.keys(detail.newTokens)]));
        }
    """)
    for name in ("one.pdf", "two.pdf"):
        (tmp_path / name).write_bytes(files.pdf(name))
        choose(form, "Documents", tmp_path / name)
        form.get_by_role("button", name=f"Remove {name}").wait_for()
    form.get_by_role("button", name="Remove one.pdf").click()
    wait_until_stored(form, "documents", 1)

    assert form.evaluate("window.told") == [
        ["osisdocument:add", [], ["1"]],
        ["osisdocument:add", ["1"], ["1", "2"]],
        ["osisdocument:delete", ["1", "2"], ["2"]],
    ]


def test_what_cannot_be_taken_is_said_before_and_after_sending(form: Page, tmp_path: Path, complaints: Complaints) -> None:
    complaints.expect("409 (Conflict)")
    complaints.expect("400 (Bad Request)")
    (tmp_path / "note.txt").write_text("Not a card.")
    (tmp_path / "forged.pdf").write_bytes(images.picture())
    choose(form, "Identity card", tmp_path / "note.txt")
    expect(field(form, "Identity card")).to_contain_text("“note.txt” was not added: only PDF, PNG, or JPEG is accepted here.")

    choose(form, "Documents", tmp_path / "forged.pdf")

    row = field(form, "Documents").get_by_role("listitem")
    row.get_by_text("does not match its extension").wait_for()
    expect(form.locator("input[type=hidden][name^=documents_]")).to_have_count(0)


def test_a_form_that_was_saved_and_is_sent_once_more_says_what_to_do(form: Page, card: Path) -> None:
    save(form)
    form.go_back()
    expect(field(form, "Identity card").get_by_role("listitem")).to_contain_text("card.png")
    form.get_by_label("Name:").fill("Ada Once More")
    form.get_by_role("button", name="Save", exact=True).click()

    form.get_by_text("card.png: this file was sent before, with another form").wait_for()
    assert form.url.endswith("/new/")
    form.get_by_role("button", name="Remove card.png").click()
    choose(form, "Identity card", card)
    wait_until_stored(form, "identity_card", 1)
    save(form)
    expect(form.get_by_role("heading", name="Ada Once More")).to_be_visible()
    expect(form.get_by_role("link", name=re.compile("card.png"))).to_be_visible()


def test_an_upload_waits_as_long_as_the_server_wants_and_says_so(form: Page, tmp_path: Path, complaints: Complaints) -> None:
    complaints.expect("429 (Too Many Requests)")
    path = tmp_path / "letter.pdf"
    path.write_bytes(files.pdf("A letter"))
    form.evaluate("""
        window.shown = new Set();
        new MutationObserver(() => {
            document.querySelectorAll('.osis-file__status').forEach(({textContent}) => window.shown.add(textContent));
        }).observe(document.body, {childList: true, subtree: true, characterData: true});
    """)
    refused = {"status": 429, "headers": {"Retry-After": "1"}, "body": "{}"}
    form.route("**/osis_document/uploads/", lambda route: route.fulfill(**refused), times=1)

    choose(form, "Documents", path)

    wait_until_stored(form, "documents", 1)
    assert "Many files were sent in a short time. It goes on by itself in 1 sec." in form.evaluate("[...window.shown]")
    save(form)
    form.get_by_role("link", name="Download letter.pdf").wait_for()
    assert sha256(downloads(form)["letter.pdf"]) == sha256(path.read_bytes())


def test_the_frame_stays_around_the_same_part_when_a_phone_is_turned(form: Page, tmp_path: Path) -> None:
    upright, lying = ViewportSize(width=360, height=640), ViewportSize(width=640, height=360)
    path = tmp_path / "portrait.jpg"
    path.write_bytes(images.picture("JPEG", width=800, height=600))
    form.set_viewport_size(upright)
    choose(form, "Portrait", path)
    form.locator(".cropper-crop-box").wait_for()
    form.get_by_role("application", name="Frame").focus()
    for key in ["Shift+ArrowLeft"] * 6 + ["ArrowRight"] * 4:
        form.keyboard.press(key)
    before = _framed(form)
    assert before[2] < 400, "the frame is as large as it was"

    for shape in (lying, upright, lying):
        form.set_viewport_size(shape)
        wait_until_page_says(
            form,
            "document.querySelector('.cropper-container').offsetWidth === document.querySelector('.osis-crop__area').offsetWidth",
        )
        assert _framed(form) == pytest.approx(before, abs=4)
    form.get_by_role("button", name="Use this part").click()

    wait_until_stored(form, "portrait", 1)
    save(form)
    form.get_by_role("link", name="Download portrait.jpg").wait_for()
    with Image.open(io.BytesIO(downloads(form)["portrait.jpg"])) as kept:
        assert kept.size == pytest.approx(before[2:], abs=4)


def _framed(page: Page) -> list[float]:
    """The part of a picture 800 pixels wide that is framed: left, top, width and height, in its pixels."""
    found: list[float] = page.evaluate("""() => {
        const [frame, picture] = ['.cropper-crop-box', '.cropper-canvas']
            .map((each) => document.querySelector(each).getBoundingClientRect());
        const scale = 800 / picture.width;
        return [frame.left - picture.left, frame.top - picture.top, frame.width, frame.height].map((each) => each * scale);
    }""")
    return found
