"""The template tags, over a real service."""

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.utils.functional import SimpleLazyObject, lazystr

from osis_document.services import documents, post_processing
from tests.django_app.project.dossiers.models import Dossier
from tests.support import files, jobs, tasks
from tests.support.recorded_calls import recorded_calls
from tests.support.server import ServerProcess
from tests.support.stubs import Stubs

Store = Callable[..., str]


@pytest.fixture
def calls() -> Iterator[list[str]]:
    """The rpcs that the test has made so far."""
    with recorded_calls() as names:
        yield names


def render(source: str, **values: Any) -> str:
    """A page with the tags loaded."""
    return Template("{% load osis_document %}" + source).render(Context(values))


def listed(html: str) -> list[dict[str, Any]]:
    """What the script is told of each document of a visualizer."""
    [text] = re.findall('data-documents="([^"]+)"', html)
    found: list[dict[str, Any]] = json.loads(unescape(text))
    return found


PAGE = """
{% for file_uuid in my_instance.files %}
    {% get_metadata file_uuid as metadata %}
    {% get_file_url file_uuid as file_url %}
    <a href="{{ file_url }}">{{ metadata.name }} ({{ metadata.mimetype }} - {{ metadata.size|filesizeformat }})</a>
{% endfor %}
"""


def test_a_page_with_fifty_documents_costs_two_calls(store: Store, calls: list[str]) -> None:
    stored = [store(f"{number}".encode(), f"{number}.txt") for number in range(3)]
    for ids in (stored[:1], stored * 17):
        calls.clear()
        html = render(PAGE, my_instance=Dossier(files=[UUID(each) for each in ids]))
        assert calls == ["BatchCreateTokens", "BatchGetDocuments"]
        assert html.count("0.txt (text/plain - 1\xa0byte)") == ids.count(stored[0])
        urls = re.findall(r'href="http://testserver/osis_document/file/([^"]+)"', html)
        assert [documents.metadata(url)["upload_uuid"] for url in urls[:3]] == ids[:3]


@pytest.mark.django_db
def test_rows_of_a_table_and_what_they_include_share_the_calls(store: Store, calls: list[str]) -> None:
    for number in range(3):
        Dossier.objects.create(title=f"{number}", files=[store(), store()])
    calls.clear()
    table = """
    {% for row in rows %}{% for each in row.files %}{% get_metadata each as one %}{{ one.name }} {% endfor %}
    {% document_visualizer row.files %}{% endfor %}
    """
    rows = Dossier.objects.all()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        html = render(table, rows=rows)
    assert calls == ["BatchCreateTokens", "BatchGetDocuments"]
    assert len(queries) == 1
    assert html.count("osis-document-visualizer") == 3
    dtos = [SimpleNamespace(files=[str(each) for each in row.files]) for row in rows]
    for values in ({"rows": dtos}, {"rows": [{"files": dto.files} for dto in dtos]}):
        calls.clear()
        assert render(table, **values).count("note.txt") == html.count("note.txt") == 12
        assert calls == ["BatchCreateTokens", "BatchGetDocuments"]


def test_nothing_lazy_is_fetched_to_find_documents(store: Store, calls: list[str]) -> None:
    def fetch() -> None:
        raise AssertionError("fetched")

    store_ids = [store(), store()]
    calls.clear()
    lazy = {"user": SimpleLazyObject(fetch), "text": lazystr("x"), "rows": Dossier.objects.all(), "call": fetch}
    assert "note.txt" in render("{% get_metadata ids.0 as one %}{{ one.name }}{% get_file_url ids.1 %}", ids=store_ids, **lazy)
    assert calls == ["BatchCreateTokens", "BatchGetDocuments"]


def test_documents_that_cannot_be_had_are_told_apart_from_those_that_can(store: Store, calls: list[str]) -> None:
    good, infected, unknown = store(), store(b"One more virus."), str(uuid4())
    documents.declare_infected(uuid=infected)
    page = "{% for each in files %}{% get_metadata each as one %}[{{ one.name }}|{% get_file_url each %}]{% endfor %}"
    calls.clear()
    html = render(page, files=[good, infected, unknown, "nonsense", None])
    assert calls == ["BatchCreateTokens", "BatchGetDocuments"]
    assert re.fullmatch(r"\[note.txt\|http://testserver/osis_document/file/[^]]+\](\[\|\]){4}", html)
    shown = render("{% document_visualizer files %}", files=[good, infected, unknown])
    assert len(re.findall("<li>", shown)) == 3
    assert "declared infected" in shown
    assert "does not exist" in shown
    [token] = re.findall('data-values="([^"]+)"', shown)
    assert documents.metadata(token)["upload_uuid"] == good
    first, second, third = listed(shown)
    assert first == {"token": token}
    assert second["error"]["code"] == "INFECTED"
    assert third["error"]["code"] == "UPLOAD_NOT_FOUND"


def test_a_page_lists_its_documents_to_the_script_only_where_some_cannot_be_read(store: Store) -> None:
    assert "data-documents" not in render("{% document_visualizer files %}", files=[store(), store()])
    assert "data-documents" not in render("{% document_visualizer files %}", files=[])


def test_a_page_is_shown_without_documents_while_the_service_is_down(
    store: Store, osis_settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    document_id = store()
    osis_settings.OSIS_DOCUMENT_TIMEOUTS = {"call": 0.5}
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = "127.0.0.1:1"
    html = render(PAGE + "{% document_visualizer my_instance.files %}", my_instance=Dossier(files=[document_id]))
    assert "Try again later" in html
    assert document_id not in html + caplog.text


def test_a_url_lives_as_long_as_it_is_told_to(store: Store) -> None:
    document_id = store()
    url = render("{% get_file_url id custom_ttl=1 %}", id=document_id)
    token = url.rpartition("/")[2]
    assert re.search(r"\.", token)
    while documents.all_metadata([token])[token].get("error") is None:
        pass
    assert documents.all_metadata([token])[token]["error"]["code"] == "TOKEN_NOT_FOUND"


def test_a_document_that_is_being_processed_shows_where_to_ask(store: Store, queueing: ServerProcess) -> None:
    document_id = store()
    job = post_processing.launch([document_id], ["CONVERT"], asynchronous=True)
    html = render("{% document_visualizer files %}", files=[document_id])
    assert 'data-values=""' in html
    assert 'data-post-process-status="PENDING"' in html
    assert f'data-base-uuid="{document_id}"' in html
    assert 'data-wanted-post-process=""' in html
    assert re.search(rf'data-get-progress-url="[^"]*{job["uuid"]}[^"]*signature=', html)
    assert "Reload the page" in html
    both = listed(render("{% document_visualizer files wanted_post_process='CONVERT' %}", files=[other := store(), document_id]))
    assert documents.metadata(both[0]["token"])["upload_uuid"] == other
    assert both[1]["status"] == "PENDING"
    assert f"/{job['uuid']}?" in both[1]["progress_url"]
    assert both[1]["wanted_post_process"] == "CONVERT"
    original = render("{% document_visualizer files wanted_post_process='ORIGINAL' %}", files=[document_id])
    assert "data-post-process-status" not in original
    assert "note.txt" in original
    assert render("{% get_metadata id as one %}{{ one }}", id=document_id) == "None"


def test_inputs_of_one_merge_are_shown_once_as_the_merged_document(store: Store) -> None:
    alone = store(b"Alone.", "alone.txt")
    inputs = [store(files.pdf(f"Part {number}"), f"{number}.pdf") for number in range(2)]
    post_processing.launch(inputs, ["MERGE"], params={"MERGE": {"output_filename": "merged"}})
    values = [inputs[0], alone, inputs[1]]

    shown = render("{% document_visualizer files %}", files=values)
    originals = render("{% document_visualizer files wanted_post_process='ORIGINAL' %}", files=values)

    assert re.findall(r"\w+\.(?:pdf|txt)", shown) == ["merged.pdf", "alone.txt"]
    [listed] = re.findall('data-values="([^"]+)"', shown)
    assert [documents.metadata(token)["name"] for token in listed.split(",")] == ["merged.pdf", "alone.txt"]
    assert re.findall(r"\w+\.(?:pdf|txt)", originals) == ["0.pdf", "alone.txt", "1.pdf"]
    each = "{% for each in files %}{% get_metadata each as one %}{{ one.name }} {% endfor %}"
    assert render(each, files=values).split() == ["merged.pdf", "alone.txt", "merged.pdf"]


def test_inputs_of_one_merge_are_shown_once_while_it_is_being_made_and_when_it_cannot_be(
    store: Store, queueing: ServerProcess, worker: Stubs
) -> None:
    inputs = [store(files.pdf(f"Part {number}"), f"{number}.pdf") for number in range(2)]
    answer = post_processing.launch(inputs, ["MERGE"], params={"MERGE": {}}, asynchronous=True)

    pending = render("{% document_visualizer files %}", files=inputs)
    [task_id] = jobs.task_ids(jobs.job_of(queueing.stubs(), answer["uuid"]))
    tasks.fail(worker, tasks.claim(worker, task_id).lease_id, "DOCUMENT_UNREADABLE", document_id=inputs[0])
    failed = render("{% document_visualizer files %}", files=inputs)

    assert [each["status"] for each in listed(pending)] == ["PENDING"]
    assert [each["status"] for each in listed(failed)] == ["FAILED"]


def test_a_document_that_could_not_be_made_shows_why(store: Store, queueing: ServerProcess, worker: Stubs) -> None:
    document_id = store()
    answer = post_processing.launch([document_id], ["CONVERT"], asynchronous=True)
    [task_id] = jobs.task_ids(jobs.job_of(queueing.stubs(), answer["uuid"]))
    tasks.fail(worker, tasks.claim(worker, task_id).lease_id, "DOCUMENT_UNREADABLE", document_id=document_id)
    html = render("{% document_visualizer files %}", files=[document_id])
    assert 'data-post-process-status="FAILED"' in html
    [failed] = listed(html)
    assert failed["status"] == "FAILED"
    [reason] = failed["errors"]["messages"]
    assert reason in unescape(html.partition("<li>")[2])


def test_the_editor_carries_a_write_token_and_its_toggles(store: Store) -> None:
    document_id = store()
    html = render("{% document_editor id zoom=False comment=True highlight='' rotation='false' %}", id=document_id)
    [token] = re.findall('data-value="([^"]+)"', html)
    assert documents.change_metadata(token, {"name": "other.txt"})["upload_uuid"] == document_id
    assert 'data-base-url="http://testserver/osis_document/"' in html
    assert f'<a href="http://testserver/osis_document/file/{token}">Open the file</a>' in html
    assert re.findall(r'data-(zoom|comment|highlight|rotation|pagination)="(\w+)"', html) == [
        ("zoom", "false"),
        ("comment", "true"),
        ("highlight", "false"),
        ("rotation", "false"),
    ]
    assert "does not exist" in render("{% document_editor id %}", id=uuid4())
    assert render("{% document_editor id %}", id=None).strip() == ""


def test_the_alias_app_has_the_same_tags(store: Store) -> None:
    html = Template("{% load osis_document_components %}{% get_metadata id as one %}{{ one.name }}").render(
        Context({"id": store()})
    )
    assert html == "note.txt"
