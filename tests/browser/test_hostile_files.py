"""Names and contents that would like to run a script: nothing of them runs, neither in pages that show them nor on their own."""

import contextlib
import io

import pytest
import requests
from playwright.sync_api import Dialog, Page
from playwright.sync_api import Error as BrowserError
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from tests.support import files, images

from .applications import File, make_application, upload
from .conftest import Complaints, Site

#: What a script that ran would leave behind.
_SCRIPT = "document.title='it ran';alert('it ran')"
_CARD = ("card.png", images.picture())
_SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{_SCRIPT}"><script>{_SCRIPT}</script></svg>'


def _pdf_that_runs_a_script() -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(files.pdf("A letter"))))
    action = DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject(_SCRIPT)})
    writer.root_object[NameObject("/OpenAction")] = action
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


_NAMES = (
    f"<img src=x onerror={_SCRIPT.replace(' ', '')}>.png",
    f"'><script>{_SCRIPT}<&.png",
    "{{constructor.constructor('alert(1)')()}}.png",
    "javascript:alert(1).png",
)

_CONTENTS: dict[str, File] = {
    "a text that is a page": ("page.txt", f"<!doctype html><script>{_SCRIPT}</script>".encode()),
    "a text that is a drawing": ("drawing.txt", _SVG.encode()),
    "a PDF with a script": ("letter.pdf", _pdf_that_runs_a_script()),
}


@pytest.fixture
def dialogs(page: Page) -> list[str]:
    """The messages of the dialogs that were opened."""
    opened: list[str] = []

    def note(dialog: Dialog) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    return opened


def test_names_are_text_in_every_page_that_shows_them(site: Site, page: Page, dialogs: list[str]) -> None:
    address = make_application(site, "Hostile names", card=[_CARD], documents=[(name, images.picture()) for name in _NAMES])

    for shown in (address, f"{address}change/"):
        page.goto(shown)
        for name in _NAMES:
            page.get_by_text(name.removesuffix(".png")).first.wait_for()
        assert "it ran" not in page.title()
    assert dialogs == []


@pytest.mark.parametrize("kind", _CONTENTS)
def test_contents_do_not_run_where_they_are_read(
    site: Site, page: Page, dialogs: list[str], complaints: Complaints, kind: str
) -> None:
    complaints.expect("favicon.ico")
    token = upload(site, _CONTENTS[kind])

    _open(page, f"{site.primary}osis_document/file/{token}")

    assert page.title() != "it ran"
    assert dialogs == []


def test_contents_do_not_run_in_the_pages_that_show_them(site: Site, page: Page, dialogs: list[str]) -> None:
    address = make_application(site, "Hostile contents", card=[_CARD], documents=list(_CONTENTS.values()))

    page.goto(address)
    for name, _ in _CONTENTS.values():
        page.get_by_text(name).first.wait_for()
    page.wait_for_load_state("networkidle")

    assert page.title() == "Hostile contents"
    assert dialogs == []


def test_a_picture_that_is_a_drawing_as_well_is_refused(site: Site) -> None:
    both = images.picture("JPEG", comment=_SVG.encode())

    answer = requests.post(f"{site.primary}osis_document/request-upload", files={"file": ("photo.jpg", both)}, timeout=60)

    assert answer.status_code == requests.codes.conflict


@pytest.mark.parametrize("name", ["../../etc/passwd.png", "a\0b.png", "one\r\nX-Injected: two.png"])
def test_a_name_that_is_a_path_or_a_header_is_refused_or_harmless(site: Site, name: str) -> None:
    answer = requests.post(f"{site.primary}osis_document/request-upload", files={"file": (name, images.picture())}, timeout=60)

    if answer.status_code == requests.codes.created:
        read = requests.get(f"{site.primary}osis_document/file/{answer.json()['token']}?dl=1", timeout=60)
        assert "X-Injected" not in read.headers
        assert "/" not in read.headers["Content-Disposition"].partition("filename")[2].replace("''", "")
    else:
        assert answer.status_code == requests.codes.bad_request


def test_a_name_cannot_hide_its_extension_behind_a_change_of_direction(site: Site) -> None:
    token = upload(site, ("invoice\u202egnp.png", images.picture()))

    read = requests.get(f"{site.primary}osis_document/file/{token}?dl=1", timeout=60)

    assert read.headers["Content-Disposition"].startswith("attachment")
    assert 'filename="invoicegnp.png"' in read.headers["Content-Disposition"]


def _open(page: Page, address: str) -> None:
    """Goes there; what the browser saves instead of showing it is fine as well."""
    with contextlib.suppress(BrowserError):  # "Download is starting": nothing was shown
        page.goto(address)
