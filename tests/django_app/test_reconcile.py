"""`manage.py osis_document_reconcile`: rows and the service agree again after crashes, and nothing is deleted."""

import io
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from osis.document.v1.document_pb2 import DocumentStatus
from osis_document import channel
from osis_document.contrib.transactions import AfterCommit
from osis_document.management import named_documents, reconciliation
from osis_document.services import documents, post_processing, uploads
from osis_document_client import Backoff
from tests.django_app.project.dossiers.models import Dossier, Student
from tests.support.ports import free_port
from tests.support.recorded_calls import recorded_calls
from tests.support.server import ServerProcess, serving

ALIASES = [
    pytest.param("default", marks=pytest.mark.django_db(transaction=True)),
    pytest.param(
        "postgresql", marks=[pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "postgresql"])]
    ),
]

Store = Callable[..., str]
Upload = Callable[..., str]


@pytest.fixture(scope="module")
def own_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A service of these tests alone, which count what it keeps."""
    with serving(tmp_path_factory.mktemp("reconciled"), SWEEP_SECONDS="1") as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(own_service: ServerProcess, osis_settings: Any) -> None:
    """Points the project at that service, and deletes what the test before has left there."""
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = own_service.target
    kept = channel.client().list_documents(statuses=[DocumentStatus.DOCUMENT_STATUS_UPLOADED])
    channel.client().delete([document.id for document in kept])


@pytest.fixture(scope="session", params=ALIASES)
def alias(request: pytest.FixtureRequest) -> str:
    """The database of the host that the test uses."""
    if request.param == "postgresql":
        request.getfixturevalue("postgresql")
    return str(request.param)


def reconcile(*options: str, database: str = "default", status: int = 0) -> list[str]:
    """What the command writes when it ends with this exit status."""
    out = io.StringIO()
    arguments = ["osis_document_reconcile", f"--database={database}", "--min-age=0", *options]
    if status == 0:
        call_command(*arguments, stdout=out)
    else:
        with pytest.raises(CommandError) as caught:
            call_command(*arguments, stdout=out)
        assert caught.value.returncode == status
    return out.getvalue().splitlines()


def is_held(document_id: object) -> bool:
    """Whether a document still waits for being made final."""
    return channel.client().get_document(str(document_id)).HasField("hold_expire_time")


def status_of(document_id: object) -> str:
    """How a document stands, by the service."""
    return str(documents.describe([document_id])[str(document_id)]["status"])


def save_and_crash(instance: Any, monkeypatch: pytest.MonkeyPatch, alias: str) -> None:
    """Saves as a process does that ends between the commit and what follows it."""
    with monkeypatch.context() as patch:
        patch.setattr(AfterCommit, "__call__", lambda _following: None)
        with transaction.atomic(using=alias):
            instance.save(using=alias)


def test_what_a_crash_after_the_commit_left_held_is_made_final(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, alias: str
) -> None:
    dossier = Dossier(files=[upload(b"One."), upload(b"Two.")], others=[upload(b"Three.")])
    student = Student(number="7", card=[upload(b"Card.")], report=[upload(b"Report.")])
    save_and_crash(dossier, monkeypatch, alias)
    save_and_crash(student, monkeypatch, alias)
    named = {str(each) for each in [*dossier.files, *dossier.others, *student.card, *student.report]}
    rolled_back = uploads.confirm(upload(b"No row."), hold=timedelta(hours=1))
    assert all(is_held(each) for each in [*named, rolled_back])

    dry = reconcile("--dry-run", database=alias)
    assert set(dry) == {*(f"would be finalized {each}" for each in named), "finalized: 5, missing: 0, unnamed: 0"}
    assert all(is_held(each) for each in named)

    assert set(reconcile("--held-only", database=alias)) == {*(f"finalized {each}" for each in named), "finalized: 5"}
    assert not any(is_held(each) for each in named)
    assert is_held(rolled_back), "the service removes it in time"
    assert reconcile(database=alias) == ["finalized: 0, missing: 0, unnamed: 0"]


def test_what_rows_name_and_the_service_lacks_is_listed_with_its_place(store: Store, alias: str) -> None:
    kept, deleted, infected = (UUID(store(text)) for text in (b"Kept.", b"Deleted.", b"Infected."))
    unknown = uuid4()
    dossier = Dossier(files=[kept, deleted], others=[unknown, infected])
    dossier.save(using=alias)
    Dossier(files=[], others=None).save(using=alias)
    documents.delete([str(deleted)])
    documents.declare_infected(uuid=str(infected))

    *lines, summary = reconcile(database=alias, status=3)

    assert set(lines) == {
        f"missing {deleted} DELETED dossiers.Dossier.files pk={dossier.pk}",
        f"missing {unknown} UNKNOWN dossiers.Dossier.others pk={dossier.pk}",
        f"missing {infected} INFECTED dossiers.Dossier.others pk={dossier.pk}",
    }
    assert summary == "finalized: 0, missing: 3, unnamed: 0"
    assert [status_of(each) for each in (kept, deleted, infected)] == ["UPLOADED", "DELETED", "INFECTED"]


@pytest.mark.django_db(transaction=True)
def test_final_documents_that_no_row_names_are_listed_and_stay(store: Store, upload: Upload) -> None:
    named, unnamed = store(b"Named."), store(b"Unnamed.")
    upload(b"Not confirmed.")
    Dossier.objects.create(files=[named])
    made = post_processing.launch([named], ["CONVERT"])["CONVERT"]["output"]["upload_objects"]
    [document] = documents.describe([unnamed]).values()

    assert reconcile() == [
        f"unnamed {unnamed} {document['uploaded_at']} 8 alpha",
        "finalized: 0, missing: 0, unnamed: 1",
    ]
    assert [status_of(each) for each in (named, unnamed, *made)] == ["UPLOADED"] * 3
    assert reconcile("--min-age=300") == ["finalized: 0, missing: 0, unnamed: 0"], "its row may be on its way"


@pytest.mark.django_db(transaction=True)
def test_a_row_that_changes_after_it_was_read_is_no_missing_document(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = Dossier.objects.create(files=[store(b"Before.")])
    finalize = reconciliation.Reconciliation.finalize

    def change_meanwhile(self: Any, *, dry_run: bool) -> Iterator[list[str]]:
        dossier.files = []
        dossier.save()
        return finalize(self, dry_run=dry_run)

    monkeypatch.setattr(reconciliation.Reconciliation, "finalize", change_meanwhile)

    assert reconcile() == ["finalized: 0, missing: 0, unnamed: 0"]


@pytest.mark.django_db(transaction=True)
def test_a_held_document_that_goes_meanwhile_stops_nothing(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = Dossier(files=[upload(b"One."), upload(b"Two.")])
    save_and_crash(dossier, monkeypatch, "default")
    gone, kept = dossier.files
    finalize = reconciliation._finalized

    def delete_one_before(document_ids: list[str]) -> list[str]:
        documents.delete([str(gone)])
        return finalize(document_ids)

    monkeypatch.setattr(reconciliation, "_finalized", delete_one_before)

    assert reconcile(status=3) == [
        f"finalized {kept}",
        f"missing {gone} DELETED dossiers.Dossier.files pk={dossier.pk}",
        "finalized: 1, missing: 1, unnamed: 0",
    ]
    assert not is_held(kept)


@pytest.mark.django_db(transaction=True)
def test_a_service_that_does_not_answer_ends_it_with_1_and_says_so(
    osis_settings: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    Dossier.objects.create(files=[store()])
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = f"127.0.0.1:{free_port()}"
    monkeypatch.setattr(channel.client(), "backoff", Backoff(attempts=1))

    with pytest.raises(CommandError, match=r"not be finished: .* cannot be reached") as caught:
        call_command("osis_document_reconcile", stdout=io.StringIO())

    assert caught.value.returncode == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_rows_take_calls_by_the_batch_and_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted(io.StringIO):
        lines = 0

        def write(self, text: str) -> int:
            Counted.lines += text.count("\n")
            return len(text)

    def peak_bytes_with(rows: int) -> int:
        empty = [Dossier(title="", files=[]) for _ in range(rows)]
        Dossier.objects.bulk_create(empty)
        for dossier in empty:
            dossier.files = [uuid4(), uuid4()]
        Dossier.objects.bulk_update(empty, ["files"], batch_size=200)
        del empty
        tracemalloc.start()
        with pytest.raises(CommandError, match=f"{Dossier.objects.count() * 2} documents"):
            call_command("osis_document_reconcile", "--database=default", stdout=Counted())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    monkeypatch.setattr(named_documents, "_ROWS_AT_ONCE", 200)
    few = peak_bytes_with(500)
    with recorded_calls() as calls:
        many = peak_bytes_with(2_000)

    assert calls.count("BatchGetDocuments") == 20
    assert Counted.lines == 1_000 + 5_000 + 2
    assert many < few * 1.5
