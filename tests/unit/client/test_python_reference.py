"""The reference pages of the Python names are what the code says, and have all that is public."""

from __future__ import annotations

import re

import pytest

import osis_document_client
from scripts.reference import FOLDER, PAGES, render


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_up_to_date(page: str) -> None:
    assert (FOLDER / page).read_text(encoding="utf-8") == render(page), "write it anew: .venv/bin/python scripts/reference.py"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_the_contents_leads_to_a_heading_and_none_is_passed_over(page: str) -> None:
    text = (FOLDER / page).read_text(encoding="utf-8")
    headings = [heading for heading in re.findall(r"^###? (.+)$", text, re.MULTILINE) if heading != "Further classes"]
    links = re.findall(r"\[([^]]+)\]\(#([\w-]+)\)", text)
    assert sorted(name for name, _ in links) == sorted(headings)
    assert len({anchor for _, anchor in links}) == len(links)


def test_every_public_name_of_the_client_is_told() -> None:
    text = (FOLDER / "python-client.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^### (\w+)$|^- `(\w+)\(", text, re.MULTILINE))
    assert set(osis_document_client.__all__) - {name for pair in told for name in pair} == set()


def test_every_method_of_the_client_is_told() -> None:
    text = (FOLDER / "python-client.md").read_text(encoding="utf-8")
    public = {name for name in dir(osis_document_client.Client) if not name.startswith("_")}
    assert public - set(re.findall(r"^#### (?:Client|Rpcs)\.(\w+)$", text, re.MULTILINE)) == set()
