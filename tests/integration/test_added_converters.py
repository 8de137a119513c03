"""A converter that was installed beside the service: the one that docs/how-to/add-a-converter.md shows."""

import os

import pytest

from tests.support import files, jobs
from tests.support.converters import install_of_the_page
from tests.support.documents import get
from tests.support.downloads import content_of
from tests.support.refusals import expect_refusal
from tests.support.server import serving
from tests.support.uploads import store
from tests.support.worker import WorkerProcess

pytestmark = [pytest.mark.one_database, pytest.mark.needs_redis, pytest.mark.slow]

TABLE = "name,age\nAda,36\nGrace,85\nZoë,7\n".encode()


@pytest.fixture(scope="module")
def service(database, redis_server, tmp_path_factory):
    """A server that takes tables, and a worker with the converter for them."""
    folder = tmp_path_factory.mktemp("tables")
    site = install_of_the_page(folder / "site-packages")
    path = {"PYTHONPATH": os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])}
    url = redis_server.url(7)
    with (
        serving(folder, BROKER_URL=url, ALLOWED_EXTENSIONS="csv txt pdf", CONVERTIBLE_TYPES="text/csv") as server,
        WorkerProcess(folder, server, broker_url=url, environment=path) as worker,
    ):
        yield server, worker


@pytest.fixture(scope="module")
def client(service):
    return service[0].stubs()


def test_a_worker_tells_at_its_start_which_converters_were_installed(service):
    assert "the converter csv (csv_to_pdf) takes text/csv" in service[1].output()


def test_a_document_of_the_added_type_becomes_a_pdf(client):
    table = store(client, TABLE, "people.csv")
    assert table.mime_type == "text/csv"

    job = jobs.finish(client, jobs.start(client, [table.id], jobs.CONVERT, jobs.MERGE).id)

    assert job.state == jobs.DONE, job
    converted, merged = jobs.outputs(job)
    assert get(client, converted).name == "people.pdf"
    for output in (converted, merged):
        [text] = files.page_texts(content_of(client, output))
        assert text.split() == ["name", "age", "Ada", "36", "Grace", "85", "Zoë", "7"]


def test_a_refusal_of_the_converter_reaches_who_started_the_job(client):
    table = store(client, b"name,age\nAd\xe9la,36\nGrace,85\nAda,7\n", "latin.csv")

    job = jobs.finish(client, jobs.start(client, [table.id], jobs.CONVERT).id)

    assert job.state == jobs.FAILED
    assert "'latin.csv': The table cannot be read. Save it anew as CSV in UTF-8." in job.failure.message
    assert job.failure.document_id == table.id


def test_without_the_setting_the_type_is_refused_and_with_it_named(client, tmp_path):
    archive = store(client, files.archive(readme=b"words"), "archive.csv")
    refusal = expect_refusal("TYPE_NOT_CONVERTIBLE", jobs.start, client, [archive.id], jobs.CONVERT)
    assert "png, text/csv." in refusal.message

    with serving(tmp_path / "plain", ALLOWED_EXTENSIONS="csv") as server:
        stubs = server.stubs()
        table = store(stubs, TABLE, "people.csv")
        refusal = expect_refusal("TYPE_NOT_CONVERTIBLE", jobs.start, stubs, [table.id], jobs.CONVERT)
    assert refusal.metadata["mime_type"] == "text/csv"
    assert "text/csv." not in refusal.message
