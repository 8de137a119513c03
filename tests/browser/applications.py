"""Applications on the demo site, made as a browser without scripts makes them."""

import re
from collections.abc import Sequence

import requests

from .conftest import Site

_TIMEOUT_SECONDS = 60
#: The name of a file, and its content.
File = tuple[str, bytes]


def make_application(site: Site, name: str, *, card: Sequence[File], **others: Sequence[File]) -> str:
    """Makes an application and returns the address of its page.

    Args:
        site: the demo site.
        name: whose application it is.
        card: the files of the identity card.
        others: files of the other fields.
    """
    visitor = requests.Session()
    address = f"{site.primary}new/"
    form = visitor.get(address, timeout=_TIMEOUT_SECONDS)
    secret = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
    assert secret
    tokens = {}
    for field, files in {"identity_card": card, **others}.items():
        tokens |= {f"{field}_{index}": upload(site, file) for index, file in enumerate(files)}
    answer = visitor.post(
        address,
        data=tokens | {"name": name, "csrfmiddlewaretoken": secret[1]},
        headers={"Referer": address},
        timeout=_TIMEOUT_SECONDS,
    )
    assert answer.ok, answer.text
    assert answer.url != address, f"the form was not taken: {re.findall(r'errorlist.*', answer.text)}"
    return answer.url


def upload(site: Site, file: File) -> str:
    """Uploads a file through the gateway and returns its write token."""
    answer = requests.post(f"{site.primary}osis_document/request-upload", files={"file": file}, timeout=_TIMEOUT_SECONDS)
    assert answer.status_code == requests.codes.created, answer.text
    return str(answer.json()["token"])
