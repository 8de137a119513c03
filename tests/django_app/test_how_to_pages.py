"""The pages on the app name what there is."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission

from osis_document import exceptions
from osis_document.management.commands.osis_document_reconcile import MISSING_STATUS, Command
from tests.django_app.test_names import NAMES

pytestmark = pytest.mark.without_service

_PAGES = Path(__file__).parents[2] / "docs/how-to"


def _page(name: str) -> str:
    return (_PAGES / f"{name}.md").read_text(encoding="utf-8")


def test_every_option_of_reconciling_is_on_its_page_and_no_other() -> None:
    parser = Command().create_parser("manage.py", "osis_document_reconcile")
    own = {"--dry-run", "--held-only", "--database", "--min-age", "--progress"}
    assert own <= {option for action in parser._actions for option in action.option_strings}
    table = _page("reconcile-documents").partition("## Options")[2]
    assert set(re.findall(r"^\| `(--[a-z-]+)", table, re.MULTILINE)) == own
    assert f"| `{MISSING_STATUS}` | it was finished" in _page("reconcile-documents")


@pytest.mark.django_db
def test_every_permission_is_on_the_admins_page_and_no_other() -> None:
    found = Permission.objects.filter(content_type__app_label="osis_document").values_list("codename", flat=True)
    assert set(re.findall(r"^\| `osis_document\.(\w+)`", _page("use-the-admin"), re.MULTILINE)) == set(found)


def test_the_errors_of_a_secondary_server_exist() -> None:
    table = _page("secondary-server").partition("| exception of")[2].partition("\n\n")[0]
    named = re.findall(r"`([A-Z]\w+[a-z])`", table)
    assert len(named) >= 6
    assert [name for name in named if not hasattr(exceptions, name)] == []


def test_every_name_that_applications_import_is_on_the_reference_page() -> None:
    page = (_PAGES.parent / "reference/python-django.md").read_text(encoding="utf-8")
    told = {name for pair in re.findall(r"^### (\w+)$|^- `(\w+)\(", page, re.MULTILINE) for name in pair}
    wanted = {name for names in NAMES.values() for name in names.split()}
    assert wanted - told == {"FileFieldSerializer"}  # another name, which the page begins with


def test_links_of_the_pages_lead_somewhere() -> None:
    for name in ("reconcile-documents", "secondary-server", "test-without-a-service", "use-the-admin"):
        for target in re.findall(r"\]\(([^)#:]+)\)", _page(name)):
            assert (_PAGES / target).exists(), f"{name}: {target}"
