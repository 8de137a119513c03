"""The fake is whole, and the app works over it; no service runs."""

import ast
import inspect
import re
import subprocess
import sys
import uuid
from datetime import timedelta
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.core.management import call_command
from django.db import transaction
from django.template import Context, Template
from django.test import Client as Browser
from django.test import TestCase
from django.utils.datastructures import MultiValueDict

import osis_document_client
from osis.document.v1 import (
    document_service_pb2,
    download_service_pb2,
    post_processing_service_pb2,
    token_service_pb2,
    upload_service_pb2,
)
from osis.document.v1.error_reason_pb2 import ErrorReason
from osis_document import channel, exceptions
from osis_document.api.utils import confirm_remote_upload, get_remote_metadata, get_remote_token, launch_post_processing
from osis_document.contrib import FileUploadField
from osis_document.testing import FakeDocuments, FakeDocumentsMixin, fake_documents
from osis_document.testing.client import FakeClient, method_name
from osis_document.testing.fixtures import documents
from osis_document_client import Client, DocumentNotFound, ServiceError
from tests.django_app.project.dossiers.models import Bundle, Dossier, Publication
from tests.django_app.project.pages import DossierForm
from tests.support import files
from tests.support.files import page_texts

__all__ = ["documents"]  # a fixture

pytestmark = [pytest.mark.without_service, pytest.mark.one_database]

_ROOT = Path(__file__).parents[3]
_APP = _ROOT / "django_client/osis_document"
_SERVICES: dict[str, ModuleType] = {
    "documents": document_service_pb2,
    "downloads": download_service_pb2,
    "post_processings": post_processing_service_pb2,
    "tokens": token_service_pb2,
    "uploads": upload_service_pb2,
}
#: What the fake refuses nothing with, unless a test has it do so by `refusing`: it takes every key and any number of uploads, has
#: neither workers nor a disk, and outlives no call.
_NEVER_BY_ITSELF = {
    *("API_KEY_INVALID", "API_KEY_MISSING", "ROLE_NOT_ALLOWED", "UPLOAD_LIMIT_REACHED", "NOT_IMPLEMENTED"),
    *("WRITER_SUPERSEDED", "UPLOAD_CANCELLED", "LEASE_LOST", "ATTEMPTS_EXHAUSTED", "CONVERTER_MISSING", "ENGINE_CRASHED"),
    *("DOCUMENT_UNREADABLE", "PASSWORD_REQUIRED", "PROCESSING_TIMED_OUT", "PROCESSING_TOO_LARGE", "TYPE_NOT_CONVERTIBLE"),
    *("DATABASE_UNAVAILABLE", "STORAGE_FULL", "STORAGE_UNAVAILABLE", "SERVER_OVERLOADED", "SHUTTING_DOWN", "INTERNAL"),
}


# ---- whole ------------------------------------------------------------------------------------------------------------------


def _lacking(called: dict[str, set[str]], fake: FakeClient) -> list[str]:
    """What the fake does not have of what is called: methods of the client, and rpcs by service."""
    methods = [name for name in called["client"] if not hasattr(fake, name)]
    rpcs = [f"{kind}.{rpc}" for kind in _SERVICES for rpc in called[kind] if not _answers(fake, kind, rpc)]
    return sorted(methods + rpcs)


def _answers(fake: FakeClient, kind: str, rpc: str) -> bool:
    return callable(getattr(getattr(fake._backend, kind), method_name(rpc), None))


def _called(folder: Path) -> dict[str, set[str]]:
    """What the modules of a folder ask of a client: its methods, and the rpcs of each service."""
    called: dict[str, set[str]] = {kind: set() for kind in ["client", *_SERVICES]}
    for module in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Attribute):
                continue
            of = node.value
            if isinstance(of, ast.Attribute) and of.attr in _SERVICES and _is_client(of.value):
                called[of.attr].add(node.attr)
            elif _is_client(of) and node.attr.islower():  # with capitals: a class of the client's package
                called["client"].add(node.attr)
    return called


def _is_client(node: ast.expr) -> bool:
    """`client`, `client()` or `channel.client()`."""
    if isinstance(node, ast.Call):
        node = node.func
    return (isinstance(node, ast.Name) and node.id == "client") or (isinstance(node, ast.Attribute) and node.attr == "client")


@pytest.fixture
def fake(documents: FakeDocuments) -> FakeClient:
    """The client that the app gets."""
    client = documents.client()
    assert isinstance(client, FakeClient)
    return client


def test_the_fake_answers_every_rpc_but_those_of_workers(fake: FakeClient) -> None:
    for kind, module in _SERVICES.items():
        [service] = module.DESCRIPTOR.services_by_name.values()
        assert [rpc.name for rpc in service.methods if not _answers(fake, kind, rpc.name)] == []


def test_the_fake_has_whatever_the_app_calls(fake: FakeClient) -> None:
    called = _called(_APP)
    assert {"confirm", "create_tokens", "get_documents", "open_download", "start", "upload"} <= called["client"]
    assert called["documents"] >= {"GetDocument", "ListDocuments"}
    assert called["uploads"] >= {"StartUpload", "WriteUpload", "CancelUpload", "GetUploadStatus"}
    assert _lacking(called, fake) == []


def test_that_something_is_lacking_would_be_seen(fake: FakeClient, tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text("client().archive(1)\nchannel.client().documents.ArchiveDocuments(2)\n")
    assert _lacking(_called(tmp_path), fake) == ["archive", "documents.ArchiveDocuments"]


def test_every_error_of_the_service_is_compared_or_known_to_need_more_than_a_client() -> None:
    reasons = {name.removeprefix("ERROR_REASON_") for name, number in ErrorReason.items() if number}
    compared = (Path(__file__).parent / "test_both.py").read_text(encoding="utf-8")
    classes = [each for each in vars(osis_document_client).values() if isinstance(each, type) and issubclass(each, ServiceError)]
    covered = {
        each.default_reason for each in classes if re.search(rf"\b{each.__name__}\b", compared.partition("\npytestmark")[2])
    }
    assert reasons - covered == _NEVER_BY_ITSELF


def test_the_fakes_methods_are_those_of_the_client(fake: FakeClient) -> None:
    own = {name for name in vars(FakeClient) if not name.startswith("_")}
    assert own == {*_SERVICES, "workers"}
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(getattr(FakeClient, name)) == inspect.signature(method)


def test_importing_it_brings_no_test_framework_and_needs_no_settings() -> None:
    program = (
        "import sys; import osis_document.testing; "
        "print([each for each in ('pytest', 'django.test', 'osis_document_server') if each in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "[]\n"


# ---- ways in ----------------------------------------------------------------------------------------------------------------


class DossierTest(FakeDocumentsMixin, TestCase):
    """The way in for Django's own test cases."""

    def test_a_case_begins_without_documents_and_keeps_some(self) -> None:
        assert len(self.documents) == 0
        with self.captureOnCommitCallbacks(execute=True):
            dossier = Dossier.objects.create(files=[self.documents.upload(b"Dear all", "page.txt")])
        assert self.documents.content(dossier.files[0]) == b"Dear all"
        assert not self.documents.is_held(dossier.files[0])

    def test_another_case_begins_without_documents(self) -> None:
        assert len(self.documents) == 0
        self.documents.store()
        assert len(self.documents) == 1


@fake_documents()
def test_the_decorator_gives_the_app_a_service() -> None:
    assert get_remote_metadata("no token") is None


def test_a_block_ends_with_the_client_that_was_there_before(settings: Any) -> None:
    with fake_documents() as outer:
        kept = outer.store(b"outer")
        with fake_documents() as inner:
            assert len(inner) == 0
            with pytest.raises(DocumentNotFound):
                channel.client().get_document(str(kept))
        assert channel.client().get_document(str(kept)).name == "note.txt"
        settings.OSIS_DOCUMENT_GRPC_TARGET = "elsewhere:1"  # a test may change settings: the documents stay
        assert channel.client().get_document(str(kept)).name == "note.txt"
    assert type(channel.client()) is Client
    channel.close()


def test_settings_that_a_project_does_not_have_are_set(settings: Any) -> None:
    for name in ("OSIS_DOCUMENT_GRPC_TARGET", "OSIS_DOCUMENT_API_SHARED_SECRET", "OSIS_DOCUMENT_BASE_URL"):
        delattr(settings, name)
    with fake_documents() as documents:
        assert documents.content(documents.store(b"kept")) == b"kept"


# ---- what a test can say and ask --------------------------------------------------------------------------------------------


def test_time_passes_when_the_test_says_so(documents: FakeDocuments) -> None:
    uploaded, kept = documents.upload(), documents.store()
    token = str(get_remote_token(kept))
    documents.advance(timedelta(minutes=14))
    assert len(documents) == 2
    assert get_remote_metadata(token) is not None
    documents.advance(timedelta(minutes=2))
    assert len(documents) == 1
    assert get_remote_metadata(token) is None
    with pytest.raises(exceptions.TokenExpired):
        confirm_remote_upload(uploaded)


def test_a_service_that_is_away(documents: FakeDocuments) -> None:
    kept = documents.store()
    with documents.refusing(), pytest.raises(exceptions.ServiceUnavailable):
        documents.upload()
    with documents.refusing(DocumentNotFound("gone")), pytest.raises(exceptions.MissingFileException):
        launch_post_processing([kept], False, ["MERGE"], {})
    assert documents.content(kept) == b"A note."


def test_calls_can_be_counted(documents: FakeDocuments) -> None:
    ids = [documents.store(f"{number}".encode()) for number in range(50)]
    page = Template("{% load osis_document %}{% for each in ids %}{% get_metadata each as m %}{{ m.name }}{% endfor %}")
    documents.calls.clear()
    assert page.render(Context({"ids": ids})).count("note.txt") == 50
    assert documents.calls == ["BatchCreateTokens", "BatchGetDocuments"]


def test_post_processing_is_done_pending_or_failed(documents: FakeDocuments) -> None:
    photo, page = documents.store(files.png(), "photo.png"), documents.store(files.pdf("kept as it is"), "page.pdf")
    made = launch_post_processing([photo, page], False, ["CONVERT", "MERGE"], {"MERGE": {"output_filename": "both"}})
    [merged] = made["MERGE"]["output"]["upload_objects"]
    assert documents.document(merged).name == "both.pdf"
    assert [text.strip() for text in page_texts(documents.content(merged))] == ["photo.pdf", "page.pdf"]
    [converted, passed] = made["CONVERT"]["output"]["upload_objects"]
    assert [text.strip() for text in page_texts(documents.content(converted))] == ["photo.png"]
    assert documents.content(passed) == documents.content(page)

    documents.post_processing = "pending"
    with pytest.raises(exceptions.ServiceTimeout):
        launch_post_processing([page], False, ["MERGE"], {})
    pending = get_remote_token(page)
    assert isinstance(pending, dict)
    assert pending["status"] == "PENDING"
    documents.finish(documents.jobs[-1].id)
    assert isinstance(get_remote_token(page), str)

    documents.post_processing = "failed"
    with pytest.raises(exceptions.ConversionError):
        launch_post_processing([page], False, ["MERGE"], {})
    failed = get_remote_token(page)
    assert isinstance(failed, dict)
    assert failed["code"] == "ASYNC_POST_PROCESS_FAILED"


# ---- the app over it --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_model_keeps_replaces_and_deletes_documents(documents: FakeDocuments) -> None:
    dossier = Dossier.objects.create(files=[documents.upload(b"one", "1.txt"), documents.upload(b"two", "2.txt")])
    one, two = dossier.files
    assert [documents.content(each) for each in (one, two)] == [b"one", b"two"]
    assert documents.document(one).path.startswith("dossiers/20")
    assert not documents.is_held(one)
    dossier.files = [two, documents.upload(b"three", "3.txt")]
    dossier.save()
    assert documents.is_deleted(one)
    assert not documents.is_deleted(two)
    kept = dossier.files
    dossier.delete()
    assert all(documents.is_deleted(each) for each in kept)


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_documents_that_go_when_their_hold_ends(documents: FakeDocuments) -> None:
    with transaction.atomic():
        dossier = Dossier.objects.create(files=[documents.upload()])
        transaction.set_rollback(True)
    [left] = dossier.files
    assert documents.is_held(left)
    documents.advance(timedelta(days=8))
    assert documents.is_deleted(left)


@pytest.mark.django_db(transaction=True)
def test_a_models_post_processing_is_started_once(documents: FakeDocuments) -> None:
    publication = Publication.objects.create(parts=[documents.upload(files.pdf("a"), "a.pdf")])
    publication.title = "Another"
    publication.save()
    assert len(documents.jobs) == 1
    bundle = Bundle.objects.create(parts=[documents.upload(files.pdf(text), f"{text}.pdf") for text in "ab"])
    token = str(get_remote_token(bundle.parts[0]))
    metadata = get_remote_metadata(token)
    assert metadata is not None
    assert metadata["name"] == "bundle.pdf"


def _sent(file: SimpleUploadedFile) -> "MultiValueDict[str, UploadedFile[bytes]]":
    return MultiValueDict({"files": [file]})


@pytest.mark.django_db(transaction=True)
def test_a_form_without_scripts_uploads_and_saves(documents: FakeDocuments) -> None:
    form = DossierForm({"title": "T"}, _sent(SimpleUploadedFile("page.txt", b"Dear all")))
    assert form.is_valid(), form.errors
    assert documents.content(form.save().files[0]) == b"Dear all"
    refused = DossierForm({"title": "T"}, _sent(SimpleUploadedFile("page.pdf", b"no PDF")))
    assert not refused.is_valid()
    assert "files" in refused.errors


def test_a_form_field_persists(documents: FakeDocuments) -> None:
    field = FileUploadField()
    [kept] = field.persist(field.clean([documents.upload(b"kept")]))
    assert documents.document(kept).status == 2
    infected = documents.store(b"bad")
    token = get_remote_token(infected, write_token=True)
    documents.declare_infected(infected)
    with pytest.raises(ValidationError, match="infected"):
        field.clean([token])


def test_what_the_primary_server_would_confirm_leaves_the_process_neither(documents: FakeDocuments) -> None:
    elsewhere = {"app": "elsewhere", "model": "file", "field": "papers", "instance_filter_fields": ["pk"]}
    field = FileUploadField(related_model=elsewhere)
    [kept] = field.persist(field.clean([documents.upload()]), Dossier(pk=7))
    assert documents.document(kept).path == "elsewhere/file/papers/note.txt"
    assert not documents.is_held(kept)


def test_the_visualizer_shows_documents(documents: FakeDocuments) -> None:
    kept = documents.store(b"x", "page.txt")
    html = Template("{% load osis_document %}{% document_visualizer files %}{% get_file_url files.0 as url %}{{ url }}").render(
        Context({"files": [kept]})
    )
    assert "osis-document-visualizer" in html
    assert "http://testserver/osis_document/file/" in html


@pytest.fixture
def browser() -> Browser:
    """Somebody before the gateway, without the API key."""
    return Browser()


def _below(path: str) -> str:
    return f"/osis_document/{path}"


def test_the_gateway_takes_files_and_hands_them_out(documents: FakeDocuments, browser: Browser) -> None:
    named = SimpleUploadedFile("digits.txt", b"0123456789")
    token = browser.post(_below("request-upload"), {"file": named}).json()["token"]

    def post(path: str, **body: Any) -> Any:
        return browser.post(_below(path), body, "application/json", HTTP_X_API_KEY="alpha-secret")

    confirmed = post(f"confirm-upload/{token}", upload_to="a/")
    kept = confirmed.json()["uuid"]
    assert documents.document(kept).path == "a/digits.txt"
    read = get_remote_token(kept)
    assert b"".join(browser.get(_below(f"file/{read}"))) == b"0123456789"
    part = browser.get(_below(f"file/{read}"), HTTP_RANGE="bytes=2-4")
    assert (part.status_code, b"".join(part), part["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    documents.advance(timedelta(minutes=16))
    assert browser.get(_below(f"file/{read}")).status_code == 403
    documents.declare_infected(kept)
    refused = post(f"read-token/{kept}")
    assert (refused.status_code, refused.json()) == (500, {"detail": "INFECTED"})
    assert post(f"read-token/{uuid.uuid4()}").status_code == 404


@pytest.mark.django_db
def test_the_admin_lists_documents_and_jobs(documents: FakeDocuments, browser: Browser) -> None:
    browser.force_login(User.objects.create_superuser("root"))
    page = documents.store(files.pdf("x"), "page.pdf")
    launch_post_processing([page], False, ["MERGE"], {})
    for path, text in (("document", "page.pdf"), ("postprocessing", str(documents.jobs[0].id))):
        listed = browser.get(f"/admin/osis_document/{path}/")
        assert listed.status_code == 200
        assert text in listed.content.decode()


@pytest.mark.django_db(transaction=True)
def test_reconciling_finalises_what_rows_name(documents: FakeDocuments) -> None:
    [confirmed] = documents.client().confirm([documents.upload()], hold=timedelta(days=7))
    Dossier.objects.create(files=[UUID(confirmed.id)])
    output = StringIO()
    call_command("osis_document_reconcile", stdout=output)
    assert not documents.is_held(confirmed.id)
