"""Walks through both sites once, as somebody without scripts in the browser does."""

import re
from html import unescape

import requests

_TIMEOUT_SECONDS = 60


def walk(primary: str, secondary: str) -> None:
    """Makes an application, reads its documents back, deletes it; and keeps a document on the secondary site.

    Raises:
        RuntimeError: a page is not what it should be.
    """
    browser = requests.Session()
    name = "Ada Check"
    page = _sent(browser, f"{primary}new/", {"name": name}, {"identity_card": ("card.pdf", _pdf(), "application/pdf")})
    _require(name in page.text, "the new application is shown")
    link = unescape(_found(r'href="([^"]+/file/[^"]+)"', page.text))
    content = browser.get(link, timeout=_TIMEOUT_SECONDS)
    _require(content.content == _pdf(), "its identity card comes back as it was")
    gone = _sent(browser, f"{page.url}delete/", {}, {})
    _require(name not in gone.text, "the application is gone")
    _require(browser.get(link, timeout=_TIMEOUT_SECONDS).status_code == requests.codes.not_found, "and its document with it")
    attached = _sent(browser, secondary, {}, {"files": ("note.txt", b"A note.", "text/plain")})
    _require("note.txt" in attached.text, "the secondary site shows the note")
    print("Both sites do what they should.", flush=True)


def _sent(
    browser: requests.Session, address: str, fields: dict[str, str], files: dict[str, tuple[str, bytes, str]]
) -> requests.Response:
    form = browser.get(address, timeout=_TIMEOUT_SECONDS)
    secret = _found(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
    answer = browser.post(
        address,
        data=fields | {"csrfmiddlewaretoken": secret},
        files=files,
        headers={"Referer": address},
        timeout=_TIMEOUT_SECONDS,
    )
    _require(answer.ok and 'class="errorlist' not in answer.text, f"{address} takes the form")
    return answer


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    _require(match is not None, f"the page has {pattern}")
    return match[1] if match else ""


def _require(outcome: bool, what: str) -> None:
    if not outcome:
        raise RuntimeError(f"it is not so that {what}")


def _pdf() -> bytes:
    objects = b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj"
    return b"%PDF-1.4\n" + objects + b"\ntrailer<</Root 1 0 R>>\n%%EOF\n"
