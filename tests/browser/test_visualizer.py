"""The visualizer: what a clerk sees of an application's documents."""

import io

import pytest
import requests
from playwright.sync_api import Page, Route, expect
from pypdf import PdfReader

from tests.support import files, images

from .applications import make_application
from .conftest import Complaints, Site
from .pages import downloads

_CARD = ("card.png", images.picture())


@pytest.mark.needs_libreoffice
def test_a_document_that_is_being_made_appears_by_itself(site: Site, page: Page) -> None:
    documents = [("letter.docx", files.docx("Dear all")), ("second.pdf", files.pdf("Page two", "Page three"))]
    page.goto(make_application(site, "Waiting", card=[_CARD], documents=documents))

    merged = page.locator(".osis-document-visualizer").first
    merged.get_by_text("3 pages").wait_for(timeout=60_000)

    kept = downloads(page)
    texts = [found.extract_text() for found in PdfReader(io.BytesIO(kept["file.pdf"])).pages]
    assert [text.strip() for text in texts] == ["Dear all", "Page two", "Page three"]


def test_a_job_that_fails_says_so_and_why(site: Site, page: Page) -> None:
    locked = files.password_pdf()
    page.goto(make_application(site, "Locked", card=[_CARD], documents=[("locked.pdf", locked), ("open.pdf", files.pdf("Open"))]))

    failed = page.locator(".osis-document-visualizer").first
    expect(failed.get_by_role("listitem")).to_contain_text("This document could not be prepared.", timeout=60_000)
    expect(failed.get_by_role("listitem")).to_contain_text("password")


def test_a_picture_and_a_pdf_are_shown_large_page_by_page(site: Site, page: Page) -> None:
    documents = [("photo.png", images.picture(width=400, height=300)), ("pages.pdf", files.pdf("First", "Second"))]
    page.goto(make_application(site, "Shown", card=[_CARD], documents=documents))
    shown = page.locator(".osis-document-visualizer").last
    shown.get_by_text("2 pages").wait_for()

    shown.get_by_role("button", name="Preview of pages.pdf").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Page 1 of 2").wait_for()
    dialog.get_by_role("button", name="Next page").click()
    dialog.get_by_text("Page 2 of 2").wait_for()
    page.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(shown.get_by_role("button", name="Preview of pages.pdf")).to_be_focused()


def test_a_document_that_was_declared_infected_meanwhile_is_not_offered(site: Site, page: Page, complaints: Complaints) -> None:
    complaints.expect("500 (Internal Server Error)")
    address = make_application(site, "Infected", card=[_CARD], portrait=[("face.png", images.picture(width=300))])

    def declare_first(route: Route) -> None:
        if "face.png" in requests.get(route.request.url, timeout=60).text:
            uuid = requests.get(route.request.url, timeout=60).json()["upload_uuid"]
            answer = requests.post(
                f"{site.primary}osis_document/declare-file-as-infected",
                json={"uuid": uuid},
                headers={"X-Api-Key": site.api_key},
                timeout=60,
            )
            assert answer.status_code == requests.codes.accepted
        route.continue_()

    page.route("**/osis_document/metadata/*", declare_first)
    page.goto(address)

    page.get_by_text("A virus was found in this file").wait_for()
    assert "face.png" not in downloads(page)


def test_the_server_is_asked_again_where_it_did_not_answer(site: Site, page: Page, complaints: Complaints) -> None:
    complaints.expect("ERR_FAILED")
    address = make_application(site, "Away", card=[_CARD], portrait=[("face.png", images.picture(width=200))])
    page.route("**/osis_document/metadata/*", lambda route: route.abort())
    page.goto(address)
    page.get_by_text("The server does not answer").first.wait_for()

    page.unroute_all()
    page.get_by_role("button", name="Try again").first.click()

    page.get_by_text("face.png").first.wait_for()


def test_a_widget_that_is_added_to_the_page_later_is_shown(site: Site, page: Page) -> None:
    page.goto(make_application(site, "Later", card=[_CARD], portrait=[("face.png", images.picture(width=200))]))
    page.get_by_text("face.png").first.wait_for()

    page.evaluate("""
        const first = document.querySelector('.osis-document-visualizer');
        const later = document.createElement('div');
        for (const {name, value} of first.attributes) later.setAttribute(name, value);
        later.id = 'later';
        document.querySelector('main').append(later);
    """)

    page.locator("#later").get_by_text("face.png", exact=True).wait_for()


def test_the_widgets_speak_french_where_the_page_does(site: Site, page: Page) -> None:
    page.goto(site.primary)
    page.get_by_role("button", name="Français").click()
    page.goto(f"{site.primary}new/")

    page.get_by_text("Choisir des fichiers").first.wait_for()
    assert page.locator("html").get_attribute("lang") == "fr"
