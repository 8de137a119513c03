"""The one client of each process: made when it is first used, after forks, with the settings of then."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from osis_document import channel
from osis_document.api import utils as api
from osis_document.exceptions import ServiceMisconfigured, ServiceTimeout, ServiceUnavailable
from osis_document.services import documents, tokens
from osis_document.utils import save_raw_upload
from tests.support.certificates import Authority
from tests.support.gunicorn import Gunicorn
from tests.support.ports import free_port
from tests.support.server import serving

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_workers_that_were_forked_after_the_project_was_loaded_and_checked_all_reach_the_service(service, store, tmp_path):
    document_id = store(b"Some text.", "some.txt")

    with (
        Gunicorn(tmp_path, "--preload", target=service.target, module="preloaded", workers=4) as server,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(server.get, [f"/{document_id}"] * 60))

    assert {status for status, _ in answers} == {200}
    names, processes = zip(*(text.split() for _, text in answers), strict=True)
    assert set(names) == {"some.txt"}
    assert len(set(processes)) > 1, "more than one worker answered"


def test_nothing_of_grpc_is_made_by_loading_the_app():
    code = (
        "import os, threading, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.django_app.project.settings'\n"
        "django.setup()\n"
        "import osis_document.api.utils, osis_document.utils, osis_document.contrib.post_processing.merger\n"
        "from osis_document import channel\n"
        "print(len(channel._clients), len(os.listdir('/proc/self/task')))"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert printed.split() == ["0", "1"], "no client, and no thread but the main one"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of Python 3.12 on: what is tested is that it is right here
def test_a_forked_child_has_a_client_of_its_own_and_leaves_its_parents_alone(store):
    document_id = store()
    parents = channel.client()
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # rather than for ever
        outcome = 1
        try:
            asked = tokens.token(document_id).status == tokens.CREATED
            outcome = 0 if asked and channel.client() is not parents else 1
        finally:
            os._exit(outcome)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert channel.client() is parents
    assert tokens.token(document_id).status == tokens.CREATED


def test_all_threads_share_one_client_until_the_settings_change(osis_settings):
    with ThreadPoolExecutor(8) as pool:
        clients = set(pool.map(lambda _: channel.client(), range(64)))
    osis_settings.OSIS_DOCUMENT_API_SHARED_SECRET = "beta-secret"

    assert len(clients) == 1
    assert channel.client() not in clients


def test_calls_have_the_deadline_of_the_settings(osis_settings):
    osis_settings.OSIS_DOCUMENT_TIMEOUTS = {"call": 0.3}

    with socket.create_server(("127.0.0.1", 0)) as silent:
        osis_settings.OSIS_DOCUMENT_GRPC_TARGET = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ServiceTimeout) as caught:
            documents.metadata("any")

    assert isinstance(caught.value, TimeoutError)
    assert str(caught.value) == "The document service did not answer in time. Try again later."


def test_a_service_that_is_not_there_and_a_key_that_is_not_known_are_told_apart(osis_settings):
    osis_settings.OSIS_DOCUMENT_API_SHARED_SECRET = "unknown"
    with pytest.raises(ServiceMisconfigured):
        documents.delete(["11111111-1111-4111-8111-111111111111"])

    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = f"127.0.0.1:{free_port()}"
    with pytest.raises(ServiceUnavailable):
        documents.delete(["11111111-1111-4111-8111-111111111111"])


@pytest.mark.slow
def test_a_service_behind_mutual_tls_is_reached_with_the_files_that_the_settings_name(osis_settings, tmp_path):
    authority = Authority(tmp_path / "authority")
    server, member = authority.issue("server"), authority.issue("member", "host.example")
    tls = {"TLS_CERTIFICATE": server.certificate, "TLS_KEY": server.key, "TLS_CLIENT_CA": authority.file}
    with serving(tmp_path / "service", **{name: str(path) for name, path in tls.items()}) as service:
        osis_settings.OSIS_DOCUMENT_GRPC_TARGET = service.target
        osis_settings.OSIS_DOCUMENT_TIMEOUTS = {"call": 5}
        with pytest.raises(ServiceUnavailable):
            documents.metadata("any")
        osis_settings.OSIS_DOCUMENT_GRPC_TLS_CA = str(authority.file)
        osis_settings.OSIS_DOCUMENT_GRPC_TLS_CERT = member.certificate
        osis_settings.OSIS_DOCUMENT_GRPC_TLS_KEY = member.key

        token = save_raw_upload(b"Over an encrypted wire.", "secret.txt").token

        assert api.get_raw_content_remotely(token) == b"Over an encrypted wire."
