"""Documents and post-processings in the admin, over a real service."""

import io
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from osis_document.admin import paging
from osis_document.services import documents, post_processing
from tests.support.ports import free_port
from tests.support.server import ServerProcess

pytestmark = pytest.mark.django_db

Store = Callable[..., str]
DOCUMENTS, JOBS = "admin:osis_document_document", "admin:osis_document_postprocessing"


@pytest.fixture
def staff() -> Callable[..., Client]:
    """The browser of somebody of the staff with these permissions, logged in, whose forms must carry the CSRF token."""

    def log_in(*permissions: str, **rights: Any) -> Client:
        user = User.objects.create_user(f"staff-{uuid4()}", is_staff=True, **rights)
        found = Permission.objects.filter(content_type__app_label="osis_document", codename__in=permissions)
        assert len(found) == len(permissions), "migrate made the permissions"
        user.user_permissions.set(found)
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(user)
        return browser

    return log_in


@pytest.fixture
def superuser(staff: Callable[..., Client]) -> Client:
    """The browser of somebody who may do everything."""
    return staff(is_superuser=True)


def html_of(browser: Client, view: str, *args: object, code: int = 200, **query: object) -> str:
    """A page."""
    answer = browser.get(reverse(view, args=args), query)
    assert answer.status_code == code
    return answer.content.decode()


def listed(browser: Client, view: str = f"{DOCUMENTS}_changelist", **query: object) -> list[str]:
    """What the lines of a list are called, in order."""
    [table] = re.findall(r'<table id="result_list">.*?</table>', html_of(browser, view, **query), re.DOTALL)
    return re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', table)


def press(browser: Client, page: str, action: str) -> Any:
    """Submits the form of a page that leads to an address, with its CSRF token, and follows."""
    form = re.search(rf'<form method="post" action="{re.escape(action)}">.*?</form>', page, re.DOTALL)
    assert form is not None, f"the page has no form for {action}"
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form[0])
    return browser.post(action, {"csrfmiddlewaretoken": token}, follow=True)


def test_documents_are_filtered_by_status_type_name_path_and_day(
    superuser: Client, store: Store, upload: Callable[..., str]
) -> None:
    here = f"filters-{uuid4()}/"
    store(b"%PDF-1.4\n%%EOF\n", "Sheet.pdf", upload_to=here)
    store(b"One.", "one.txt", upload_to=here + "deep/")
    deleted = store(b"Two.", "two.txt", upload_to=here)
    documents.delete([deleted])
    upload(b"Three.", "unconfirmed.txt")

    assert listed(superuser, path=here) == ["two.txt", "one.txt", "Sheet.pdf"]
    assert listed(superuser, path=here, status="UPLOADED") == ["one.txt", "Sheet.pdf"]
    assert listed(superuser, path=here, status="DELETED") == ["two.txt"]
    assert listed(superuser, path=here, type="application/pdf") == ["Sheet.pdf"]
    assert listed(superuser, path=here, q="sHEE") == ["Sheet.pdf"]
    assert listed(superuser, path=here + "deep") == ["one.txt"]
    assert listed(superuser, status="REQUESTED", q="unconfirmed") == ["unconfirmed.txt"]
    assert listed(superuser, path=here, held="yes") == []
    assert listed(superuser, path=here, corrupt="no", since="2020-01-01", until="2999-12-31") == [
        "two.txt",
        "one.txt",
        "Sheet.pdf",
    ]
    assert listed(superuser, path=here, until="2020-01-01") == []


@pytest.mark.parametrize(
    "query", [{"status": "LOST"}, {"since": "soon"}, {"until": "9999-12-31"}, {"since": "0001-01-01"}, {"q": "\0"}, {"page": "x"}]
)
def test_filters_and_pages_that_cannot_be_are_told_on_the_page(superuser: Client, query: dict[str, str]) -> None:
    html = html_of(superuser, f"{DOCUMENTS}_changelist", **query)

    assert "There is nothing to show." in html
    assert 'class="errorlist' in html or 'class="error"' in html


def test_an_id_that_is_searched_for_leads_to_its_page(superuser: Client, store: Store) -> None:
    document_id = store()

    answer = superuser.get(reverse(f"{DOCUMENTS}_changelist"), {"q": document_id})

    assert answer.headers["Location"] == reverse(f"{DOCUMENTS}_change", args=[document_id])


def test_pages_lead_to_each_other_both_ways(superuser: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    here = f"pages-{uuid4()}/"
    for number in range(5):
        store(b"%d" % number, f"{number}.txt", upload_to=here)

    def follow(html: str, rel: str) -> str:
        [query] = re.findall(rf'<a href="([^"]+)" rel="{rel}">', html)
        return superuser.get(reverse(f"{DOCUMENTS}_changelist") + query.replace("&amp;", "&")).content.decode()

    def names(html: str) -> list[str]:
        return re.findall(r">(\d)\.txt</a>", html)

    first = html_of(superuser, f"{DOCUMENTS}_changelist", path=here)
    second = follow(first, "next")
    third = follow(second, "next")
    assert [names(page) for page in (first, second, third)] == [["4", "3"], ["2", "1"], ["0"]]
    assert 'rel="prev"' not in first
    assert 'rel="next"' not in third
    assert "First page" in third
    assert names(follow(third, "prev")) == ["2", "1"]
    assert names(follow(follow(third, "prev"), "prev")) == ["4", "3"]


def test_a_document_shows_what_is_known_and_no_markup_of_others(superuser: Client, store: Store) -> None:
    document_id = store(b"A note.", "<b>.txt", upload_to="notes/", author="<script>alert(1)</script>", pages=[1, 2])

    html = html_of(superuser, f"{DOCUMENTS}_change", document_id)

    for text in (document_id, "text/plain", "7\xa0bytes (7)", "Uploaded", "notes/&lt;b&gt;.txt", "author", "alpha"):
        assert text in html
    assert "<script>alert" not in html
    assert "<b>.txt" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "eyJ" not in html, "a token in a page lasts longer than needed"


def test_a_document_is_opened_and_saved_by_links_made_at_that_moment(superuser: Client, store: Store) -> None:
    document_id = store(b"A note.", "note.txt")
    [preview, download] = re.findall(r'<a href="([^"]+/open/[^"]*)"', html_of(superuser, f"{DOCUMENTS}_change", document_id))

    shown, saved = (superuser.get(url, follow=True) for url in (preview, download))

    assert b"".join(shown.streaming_content) == b"".join(saved.streaming_content) == b"A note."
    assert shown.redirect_chain[0][0].startswith("http://testserver/osis_document/file/")
    assert saved.headers["Content-Disposition"] == 'attachment; filename="note.txt"'


def test_a_document_is_deleted_and_brought_back_by_buttons_which_is_logged(staff: Callable[..., Client], store: Store) -> None:
    document_id = store(b"A note.", "note.txt")
    browser = staff("view_document", "change_document")
    delete, undelete = (reverse(f"{DOCUMENTS}_{name}", args=[document_id]) for name in ("delete", "undelete"))
    assert browser.post(delete).status_code == 403, "without the CSRF token"
    assert browser.get(delete).status_code == 405

    after = press(browser, html_of(browser, f"{DOCUMENTS}_change", document_id), delete)
    assert "The document was deleted." in after.content.decode()
    assert documents.describe([document_id])[document_id]["status"] == "DELETED"
    assert "/open/" not in after.content.decode()

    after = press(browser, after.content.decode(), undelete)
    assert "The document was brought back." in after.content.decode()
    assert documents.describe([document_id])[document_id]["status"] == "UPLOADED"
    assert [(str(entry.object_id), entry.object_repr) for entry in LogEntry.objects.all()] == [(document_id, "note.txt")] * 2
    assert document_id in html_of(browser, "admin:index"), "under the recent actions"


def test_what_the_service_does_not_do_is_a_message(superuser: Client, store: Store) -> None:
    infected, unknown = store(b"Virus.", "virus.txt"), str(uuid4())
    page = html_of(superuser, f"{DOCUMENTS}_change", infected)
    documents.declare_infected(uuid=infected)

    after = press(superuser, page, reverse(f"{DOCUMENTS}_delete", args=[infected])).content.decode()
    assert "was declared infected" in after
    assert "/open/" not in after
    opened = superuser.get(reverse(f"{DOCUMENTS}_open", args=[infected]), follow=True)
    assert "was declared infected" in opened.content.decode()
    assert "does not exist" in html_of(superuser, f"{DOCUMENTS}_change", unknown)
    assert "no such post-processing" in html_of(superuser, f"{JOBS}_change", unknown)


@pytest.mark.slow
def test_post_processings_are_filtered_and_show_what_they_are_made_of(
    superuser: Client, store: Store, queueing: ServerProcess
) -> None:
    one, two = store(b"One.", "one.txt"), store(b"Two.", "two.txt")
    converting = post_processing.launch([one], ["CONVERT"], asynchronous=True)["uuid"]
    parameters = {"MERGE": {"output_filename": "joined", "pages_dimension": "A4"}}
    merging = post_processing.launch([one, two], ["CONVERT", "MERGE"], params=parameters, asynchronous=True)["uuid"]
    jobs = f"{JOBS}_changelist"

    assert listed(superuser, jobs, document=one) == [merging, converting]
    assert listed(superuser, jobs, document=two) == [merging]
    assert listed(superuser, jobs, document=one, type="MERGE") == [merging]
    assert listed(superuser, jobs, document=one, status="PENDING") == [merging, converting]
    assert listed(superuser, jobs, document=one, status="DONE") == []
    assert superuser.get(reverse(jobs), {"q": merging}).headers["Location"] == reverse(f"{JOBS}_change", args=[merging])
    html = html_of(superuser, f"{JOBS}_change", merging)
    assert f'<a href="{reverse(f"{DOCUMENTS}_change", args=[two])}">{two}</a>' in html
    for text in ("1. Convert to PDF", "2. Merge", "joined", "A4", "0/3"):
        assert text in html
    [jobs_url] = re.findall(r'href="([^"]+document=[^"]+)"', html_of(superuser, f"{DOCUMENTS}_change", two))
    assert merging in superuser.get(jobs_url).content.decode()


@pytest.mark.slow
def test_a_failed_post_processing_says_why(superuser: Client, store: Store) -> None:
    document_id = store(b"%PDF-1.4\nnothing\n%%EOF\n", "broken.pdf")
    job = post_processing.launch([document_id], ["MERGE"], asynchronous=True)["uuid"]
    list(post_processing.client().watch(job, timeout=60))

    html = html_of(superuser, f"{JOBS}_change", job)

    assert "Failed because" in html
    assert listed(superuser, f"{JOBS}_changelist", document=document_id, status="FAILED") == [job]


@pytest.mark.parametrize("view", [f"{DOCUMENTS}_changelist", f"{JOBS}_changelist"])
@pytest.mark.parametrize("setting", ["OSIS_DOCUMENT_GRPC_TARGET", "OSIS_DOCUMENT_API_SHARED_SECRET"])
def test_a_service_that_is_down_or_not_configured_is_a_message(
    superuser: Client, osis_settings: Any, view: str, setting: str
) -> None:
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = f"127.0.0.1:{free_port()}"
    if setting == "OSIS_DOCUMENT_API_SHARED_SECRET":
        osis_settings.OSIS_DOCUMENT_API_SHARED_SECRET = ""

    html = html_of(superuser, view)

    assert ("cannot be reached" if setting == "OSIS_DOCUMENT_GRPC_TARGET" else "is not configured well") in html
    detail = html_of(superuser, view.replace("changelist", "change"), uuid4())
    assert ("cannot be reached" if setting == "OSIS_DOCUMENT_GRPC_TARGET" else "is not configured well") in detail


def test_only_staff_with_the_permission_gets_in(staff: Callable[..., Client], store: Store) -> None:
    document_id = store()
    views = [(f"{DOCUMENTS}_changelist",), (f"{DOCUMENTS}_change", document_id), (f"{DOCUMENTS}_open", document_id)]
    nobody, viewer, changer = staff(), staff("view_document"), staff("change_document")
    for view, *args in views:
        assert Client().get(reverse(view, args=args)).headers["Location"].startswith("/admin/login/")
        html_of(nobody, view, *args, code=403)
        for browser in (viewer, changer):
            assert browser.get(reverse(view, args=args)).status_code == (302 if view.endswith("open") else 200)
    html_of(viewer, f"{JOBS}_changelist", code=403)
    page = html_of(viewer, f"{DOCUMENTS}_change", document_id)
    assert "/delete/" not in page
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    data = {"csrfmiddlewaretoken": token[1]} if token else {}
    assert viewer.post(reverse(f"{DOCUMENTS}_delete", args=[document_id]), data).status_code == 403
    assert documents.describe([document_id])[document_id]["status"] == "UPLOADED"
    assert reverse(f"{DOCUMENTS}_changelist") in html_of(viewer, "admin:index")
    assert reverse(f"{DOCUMENTS}_changelist") not in html_of(nobody, "admin:index")


@pytest.mark.without_service
def test_there_is_no_table_that_a_host_would_have_to_migrate_or_dump() -> None:
    call_command("makemigrations", check=True, dry_run=True, stdout=io.StringIO())
    dumped = io.StringIO()
    call_command("dumpdata", "osis_document", stdout=dumped)
    assert dumped.getvalue().strip() == "[]"
