"""The gateway in hosts of several kinds."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from django.http import HttpResponse
from django.test import RequestFactory
from django.views import View

from osis_document.api.utils import CorsAllowOriginMixin
from tests.support import files
from tests.support.gateway import GatewayProcess, gunicorn
from tests.support.ports import free_port
from tests.support.uploads import MEBIBYTE

pytestmark = pytest.mark.without_service


@pytest.mark.slow
def test_workers_that_were_forked_from_a_loaded_host_all_serve(service, tmp_path):
    content = files.pdf_of_size(2 * MEBIBYTE)
    with gunicorn(tmp_path, service, "--preload", "--workers", "4") as gateway:

        def whole(_):
            return gateway.get(f"file/{gateway.token(gateway.store(content, 'a.pdf'))}").content

        with ThreadPoolExecutor(8) as pool:
            contents = list(pool.map(whole, range(40)))
        workers = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split()

    assert set(contents) == {content}
    assert len(workers) == 4


@pytest.mark.slow
def test_the_plainest_worker_breaks_the_connection_at_damage_too(service, tmp_path):
    content = files.pdf_of_size(3 * MEBIBYTE, seed=77)
    with gunicorn(tmp_path, service, "--worker-class", "sync", "--threads", "1") as gateway:
        token = gateway.token(gateway.store(content, "scan.pdf"))
        file = service.blob_file_of(content)
        file.chmod(0o600)
        with file.open("r+b") as opened:
            opened.seek(MEBIBYTE + 5)
            opened.write(bytes([content[MEBIBYTE + 5] ^ 1]))
        received = []
        with gateway.get(f"file/{token}", stream=True) as answer, pytest.raises(requests.exceptions.RequestException):
            received.extend(answer.iter_content(65_536))

        assert b"".join(received) == content[:MEBIBYTE]
        assert gateway.get(f"file/{token}").status_code == 409
        assert token[:60] not in gateway.output()


def test_a_service_that_does_not_answer_is_503_and_says_nothing_more(tmp_path):
    class Nowhere:
        target = f"127.0.0.1:{free_port()}"

    with gunicorn(tmp_path, Nowhere(), OSIS_DOCUMENT_TIMEOUTS={"transfer": 1}) as gateway:
        calls = {
            "metadata": lambda: gateway.get("metadata/some.token"),
            "file": lambda: gateway.get("file/some.token"),
            "page": lambda: gateway.get("file/some.token", headers={"Accept": "text/html"}),
            "token": lambda: gateway.post("read-token/00000000-0000-4000-8000-000000000000", key=True),
            "upload": lambda: gateway.post("request-upload", files={"file": ("n.txt", b"A note.")}),
        }
        with ThreadPoolExecutor(5) as pool:
            answers = dict(zip(calls, pool.map(lambda call: call(), calls.values()), strict=True))
        log = gateway.output()

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 503)
    assert not any(Nowhere.target in answer.text or "Traceback" in answer.text for answer in answers.values())
    assert "some.token" not in log


def test_the_related_model_says_where_a_confirmed_document_is_listed(service, tmp_path):
    with gunicorn(tmp_path, service) as gateway:
        related = {"app": "dossiers", "model": "dossier", "field": "files", "instance_filters": None}
        listed = gateway.store(b"A note.", related_model=related)
        given = gateway.store(b"A note.", related_model=related, upload_to="elsewhere")
        no_field = refused(gateway, related | {"field": "nothing"})

    paths = [service.client().get_document(each).path for each in (listed, given)]
    assert paths[0].startswith("dossiers/20")
    assert paths == [paths[0], "elsewhere/note.txt"]
    assert no_field.status_code == 400


def refused(gateway: GatewayProcess, related_model):
    """The answer to a confirmation with this related model."""
    token = quote(gateway.upload(b"A note."))
    return gateway.post(f"confirm-upload/{token}", json={"related_model": related_model}, key=True)


class ApplicantView(CorsAllowOriginMixin, View):
    """A view of a host."""

    def get(self, request):
        """Answers anything."""
        return HttpResponse("applicant")


@pytest.mark.parametrize(("origin", "allowed"), [("https://www.listed.example", True), ("https://other.example", False)])
def test_views_of_a_host_let_the_same_sites_in(settings, origin, allowed):
    settings.OSIS_DOCUMENT_DOMAIN_LIST = ["www.listed.example"]
    view, factory = ApplicantView.as_view(), RequestFactory()

    answer = view(factory.get("/", headers={"Origin": origin}))
    asked = view(factory.options("/", headers={"Origin": origin, "Access-Control-Request-Method": "GET"}))

    assert answer.content == b"applicant"
    assert answer.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert (asked.get("Access-Control-Allow-Methods") is not None) == allowed
    assert answer["Vary"] == asked["Vary"] == "Origin"
