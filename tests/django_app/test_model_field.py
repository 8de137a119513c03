"""The model field on both databases of the host, over a real service."""

import io
import json
import pickle
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connections, transaction
from django.db.models import F
from reportlab.pdfgen.canvas import Canvas

from osis_document import channel, exceptions
from osis_document.services import documents, tokens
from tests.django_app.project.dossiers.models import Bundle, Dossier, Person, Publication, Student
from tests.support.recorded_calls import recorded_calls
from tests.support.server import ServerProcess

pytestmark = pytest.mark.django_db(transaction=True)

ALIASES = [
    "default",
    pytest.param(
        "postgresql", marks=[pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "postgresql"])]
    ),
]

Upload = Callable[..., str]


@pytest.fixture(scope="session", params=ALIASES)
def alias(request: pytest.FixtureRequest) -> str:
    """The database of the host that the test uses; for the session, so that it is there before pytest-django looks for it."""
    if request.param == "postgresql":
        request.getfixturevalue("postgresql")
    return str(request.param)


@pytest.fixture
def calls() -> Iterator[list[str]]:
    """The rpcs that the test has made so far."""
    with recorded_calls() as names:
        yield names


def status_of(document_id: object) -> str:
    """How a document stands, by the service."""
    described = documents.describe([document_id])[str(document_id)]
    return str(described.get("status", described.get("error")))


def pdf(text: str) -> bytes:
    """A PDF of one page with a text."""
    file = io.BytesIO()
    page = Canvas(file)
    page.drawString(72, 720, text)
    page.save()
    return file.getvalue()


def is_held(document_id: object) -> bool:
    """Whether a document still waits for being made final."""
    return channel.client().get_document(str(document_id)).HasField("hold_expire_time")


def jobs_of(document_id: object) -> list[Any]:
    """The jobs that were started over a document."""
    return list(channel.client().list_jobs(document_id=str(document_id)))


def test_tokens_become_uuids_in_their_order_and_the_documents_are_final(alias: str, upload: Upload) -> None:
    sent = [upload(f"Number {number}.".encode(), f"{number}.txt") for number in range(12)]
    dossier = Dossier.objects.using(alias).create(files=sent)
    assert all(isinstance(each, uuid.UUID) for each in dossier.files)
    kept = Dossier.objects.using(alias).get(pk=dossier.pk).files
    assert kept == dossier.files
    assert [found.name for found in channel.client().get_documents(map(str, kept)).require_all()] == [
        f"{number}.txt" for number in range(12)
    ]
    assert not any(map(is_held, kept))


def test_a_column_is_uuid_array_on_postgresql_and_json_on_sqlite(alias: str, store: Upload) -> None:
    document_id = store()
    Dossier.objects.using(alias).create(files=[document_id])
    with connections[alias].cursor() as cursor:
        kind = "pg_typeof(files)::text" if alias == "postgresql" else "files"
        cursor.execute(f"SELECT {kind} FROM dossiers_dossier")
        [(found,)] = cursor.fetchall()
    assert found == ("uuid[]" if alias == "postgresql" else f'["{document_id}"]')


def test_a_rollback_after_the_confirmation_leaves_held_documents_and_no_row(alias: str, upload: Upload) -> None:
    dossier = Dossier(files=[upload()])
    with transaction.atomic(using=alias):
        dossier.save(using=alias)
        transaction.set_rollback(True, using=alias)
    assert not Dossier.objects.using(alias).exists()
    [document_id] = dossier.files
    assert is_held(document_id)
    # The same instance, saved again, keeps it after all.
    dossier.pk = None
    dossier._state.adding = True
    with transaction.atomic(using=alias):
        dossier.save(using=alias)
        assert is_held(document_id)
    assert not is_held(document_id)


def test_a_savepoint_that_is_rolled_back_takes_what_follows_with_it(alias: str, upload: Upload) -> None:
    with transaction.atomic(using=alias):
        kept = Dossier.objects.using(alias).create(files=[upload()])
        with transaction.atomic(using=alias):
            lost = Dossier.objects.using(alias).create(files=[upload()])
            transaction.set_rollback(True, using=alias)
    assert not is_held(kept.files[0])
    assert is_held(lost.files[0])


def test_replaced_files_are_deleted_after_the_commit_and_not_before(alias: str, upload: Upload) -> None:
    dossier = Dossier.objects.using(alias).create(files=[upload(), upload()])
    first, second = dossier.files
    with transaction.atomic(using=alias):
        dossier.files = [second]
        dossier.save()
        transaction.set_rollback(True, using=alias)
    assert status_of(first) == "UPLOADED"
    with transaction.atomic(using=alias):
        dossier.files = [second, upload()]
        dossier.save()
        assert status_of(first) == "UPLOADED"
    assert status_of(first) == "DELETED"
    assert [status_of(each) for each in dossier.files] == ["UPLOADED", "UPLOADED"]


def test_what_somebody_else_saved_meanwhile_is_replaced_too(alias: str, upload: Upload) -> None:
    dossier = Dossier.objects.using(alias).create()
    stale = Dossier.objects.using(alias).get(pk=dossier.pk)
    dossier.files = [upload()]
    dossier.save()
    stale.files = [upload()]
    stale.save()
    assert status_of(dossier.files[0]) == "DELETED"
    assert status_of(stale.files[0]) == "UPLOADED"


def test_files_to_keep_survive_one_save(alias: str, upload: Upload) -> None:
    instance = Dossier.objects.using(alias).create(files=[upload(), upload()])
    moved, kept = instance.files
    instance.others = [moved]
    instance.files = []
    instance._files_to_keep = [kept]
    instance.save()
    assert [status_of(moved), status_of(kept)] == ["UPLOADED", "UPLOADED"]
    instance.others = None
    instance.save()
    assert Dossier.objects.using(alias).get().others is None
    assert [status_of(moved), status_of(kept)] == ["DELETED", "UPLOADED"]


@pytest.mark.parametrize("taken_first", [True, False])
def test_documents_that_move_to_another_row_in_one_transaction_stay(alias: str, upload: Upload, taken_first: bool) -> None:
    giving, taking = (Dossier.objects.using(alias).create() for _ in range(2))
    giving.files = [upload(), upload()]
    giving.save()
    moved, left = giving.files
    giving.files, taking.files = [], [moved]
    with transaction.atomic(using=alias):
        for each in (taking, giving) if taken_first else (giving, taking):
            each.save()
    assert [status_of(moved), status_of(left)] == ["UPLOADED", "DELETED"]
    with transaction.atomic(using=alias):
        brief = Dossier.objects.using(alias).create(files=[upload()])
        short_lived, *_ = brief.files
        Dossier.objects.using(alias).get(pk=brief.pk).delete()
        taking.files = []
        taking.save()
        taking.files = [upload()]
        taking.save()
    assert [status_of(each) for each in (short_lived, moved, *taking.files)] == ["DELETED", "DELETED", "UPLOADED"]


def test_a_save_of_other_fields_neither_reads_nor_changes_documents(
    alias: str, upload: Upload, django_assert_num_queries: Any
) -> None:
    dossier = Dossier.objects.using(alias).create(files=[upload()])
    dossier.files = []
    dossier.title = "Changed"
    with django_assert_num_queries(1, connection=connections[alias]):
        dossier.save(update_fields=["title"])
    assert status_of(Dossier.objects.using(alias).get().files[0]) == "UPLOADED"


def test_documents_are_deleted_with_their_instance(alias: str, upload: Upload) -> None:
    kept, dossier, other = (Dossier.objects.using(alias).create(files=[upload()]) for _ in range(3))
    [document_id] = dossier.files
    dossier.files = []  # in memory alone
    with transaction.atomic(using=alias):
        dossier.delete()
        assert status_of(document_id) == "UPLOADED"
    assert status_of(document_id) == "DELETED"
    Dossier.objects.using(alias).filter(pk=other.pk).only("title").delete()
    assert status_of(other.files[0]) == "DELETED"
    assert status_of(kept.files[0]) == "UPLOADED"


def test_a_child_that_leaves_its_parent_there_leaves_its_documents_there(alias: str, upload: Upload) -> None:
    first, second = (Student.objects.using(alias).create(number="1", card=[upload()], report=[upload()]) for _ in range(2))
    first.delete(keep_parents=True)
    assert (status_of(first.card[0]), status_of(first.report[0])) == ("UPLOADED", "DELETED")
    second.delete()
    assert (status_of(second.card[0]), status_of(second.report[0])) == ("DELETED", "DELETED")


def test_paths_metadata_and_expiry_are_the_fields(alias: str, upload: Upload) -> None:
    student = Student.objects.using(alias).create(number="42", card=[upload(name="card.txt")], report=[upload()])
    card, report = channel.client().get_documents([str(student.card[0]), str(student.report[0])]).require_all()
    assert card.path == "persons/42/card.txt"
    assert card.metadata["person"] == "42"
    assert report.HasField("expire_time")
    assert not card.HasField("expire_time")
    dossier = Dossier.objects.using(alias).create(files=[upload(name="a.txt")])
    assert channel.client().get_document(str(dossier.files[0])).path == f"dossiers/{datetime.now(UTC).year}/a.txt"


def test_bulk_create_confirms_and_makes_final(alias: str, upload: Upload, calls: list[str]) -> None:
    made = Dossier.objects.using(alias).bulk_create([Dossier(files=[upload()]) for _ in range(5)])
    found = {each for row in Dossier.objects.using(alias).all() for each in row.files}
    assert found == {each for row in made for each in row.files}
    assert len(found) == 5
    assert not any(map(is_held, found))
    assert calls.count("FinalizeDocuments") == 1


def test_bulk_create_that_is_rolled_back_leaves_held_documents(alias: str, upload: Upload) -> None:
    made = Dossier(files=[upload()])
    with transaction.atomic(using=alias):
        Dossier.objects.using(alias).bulk_create([made])
        transaction.set_rollback(True, using=alias)
    assert is_held(made.files[0])


def test_bulk_create_of_which_a_token_is_refused_leaves_held_documents_which_another_try_makes_final(
    alias: str, upload: Upload
) -> None:
    rows = Dossier.objects.using(alias)
    made = [Dossier(files=[upload()]), Dossier(files=[upload(), "no.token.this"]), Dossier(files=[upload()])]
    with pytest.raises(exceptions.TokenNotFound):
        rows.bulk_create(made)
    assert rows.count() == 0
    assert is_held(made[0].files[0])
    made[1].files = made[1].files[:1]
    rows.bulk_create(made)
    found = {each for row in rows.all() for each in row.files}
    assert len(found) == 3
    assert not any(map(is_held, found))


def test_a_forced_update_of_a_row_that_is_not_there_leaves_held_documents_which_another_save_makes_final(
    alias: str, upload: Upload
) -> None:
    dossier = Dossier(pk=4711, files=[upload()])
    for _ in range(2):
        with pytest.raises(DatabaseError):
            dossier.save(using=alias, force_update=True)
        assert is_held(dossier.files[0])
    dossier.save(using=alias)
    assert Dossier.objects.using(alias).get().files == dossier.files
    assert status_of(dossier.files[0]) == "UPLOADED"
    assert not is_held(dossier.files[0])


def test_documents_of_a_row_that_bulk_create_passes_over_stay(alias: str, upload: Upload) -> None:
    rows = Dossier.objects.using(alias)
    there = rows.create(files=[upload()])
    twice, new = Dossier(pk=there.pk, files=[upload()]), Dossier(pk=there.pk + 1, files=[upload()])
    rows.bulk_create([twice, new], ignore_conflicts=True)
    assert [rows.get(pk=each.pk).files for each in (there, new)] == [there.files, new.files]
    assert not is_held(new.files[0])
    assert (status_of(twice.files[0]), is_held(twice.files[0])) == ("UPLOADED", False)


def test_update_and_bulk_update_refuse_tokens_and_take_uuids(alias: str, upload: Upload, store: Upload) -> None:
    dossier = Dossier.objects.using(alias).create()
    rows = Dossier.objects.using(alias)
    with pytest.raises(exceptions.FormatInvalidException, match="Only save"):
        rows.update(files=[upload()])
    dossier.files = [upload()]
    with pytest.raises(exceptions.FormatInvalidException, match="Only save"):
        rows.bulk_update([dossier], ["files"])
    document_id = uuid.UUID(store())
    rows.update(files=[document_id])
    assert rows.get().files == [document_id]
    rows.update(others=F("files"), files=[])
    assert (rows.get().files, rows.get().others) == ([], [document_id])
    dossier.files = [document_id]
    rows.bulk_update([dossier], ["files"])
    assert rows.get().files == [document_id]
    dossier.files = F("others")
    dossier.others = []
    dossier.save()
    assert (rows.get().files, status_of(document_id)) == ([document_id], "UPLOADED")


def test_rows_are_looked_up_by_their_documents(alias: str) -> None:
    a, b, c = (uuid.uuid4() for _ in range(3))
    rows = Dossier.objects.using(alias)
    for title, files in (("both", [a, b]), ("one", [a]), ("none", []), ("other", [c])):
        rows.create(title=title, files=files)

    def titles(**lookups: Any) -> set[str]:
        return set(rows.filter(**lookups).values_list("title", flat=True))

    assert titles(files=[a, b]) == {"both"}
    assert titles(files=[b, a]) == set()
    assert titles(files=[]) == {"none"}
    assert titles(files__contains=[a]) == {"both", "one"}
    assert titles(files__contains=[b, a]) == {"both"}
    assert titles(files__contains=[str(a)]) == {"both", "one"}
    assert titles(files__overlap=[b, c]) == {"both", "other"}
    assert titles(files__contained_by=[a, c]) == {"one", "none", "other"}
    assert titles(files__len=2) == {"both"}
    assert titles(files__len__gt=0) == {"both", "one", "other"}
    assert titles(files__0=a) == {"both", "one"}
    assert titles(files__1__in=[b]) == {"both"}
    rows.filter(title="one").update(others=None)
    assert titles(others__isnull=True) == titles(others=None) == {"one"}
    assert list(rows.filter(title="both").values_list("files__1", flat=True)) == [b]
    assert set(rows.exclude(files__contains=[a]).values_list("title", flat=True)) == {"none", "other"}


def test_post_processing_starts_once_for_each_real_change(alias: str, queueing: ServerProcess, upload: Upload) -> None:
    publication = Publication.objects.using(alias).create(parts=[upload(), upload(b"Another.")])
    [first, second] = publication.parts
    [job] = jobs_of(first)
    assert list(job.input_document_ids) == [str(first), str(second)]
    publication.title = "Another title"
    publication.save()
    Publication.objects.using(alias).get().save()
    assert len(jobs_of(first)) == 1
    publication.parts = [second, first]
    with transaction.atomic(using=alias):
        publication.save()
        assert len(jobs_of(first)) == 1
    assert [list(job.input_document_ids) for job in jobs_of(first)] == [[str(second), str(first)], [str(first), str(second)]]
    assert tokens.token(first).status == 206
    Publication.objects.using(alias).bulk_create([Publication(parts=[upload(b"In bulk.")])])
    in_bulk = Publication.objects.using(alias).latest("pk").parts
    assert len(jobs_of(in_bulk[0])) == 1


def test_save_waits_for_a_post_processing_that_is_not_asynchronous(alias: str, upload: Upload) -> None:
    bundle = Bundle.objects.using(alias).create(parts=[upload(pdf(text), f"{text}.pdf") for text in ("One", "Two")])
    [first, second] = bundle.parts
    for each in (first, second):
        merged = documents.metadata(tokens.token(each).body["token"])
        assert merged["name"] == "bundle.pdf"
    assert documents.metadata(tokens.token(second, wanted_post_process="ORIGINAL").body["token"])["name"] == "Two.pdf"


def test_a_post_processing_that_fails_costs_no_row(alias: str, upload: Upload, caplog: pytest.LogCaptureFixture) -> None:
    bundle = Bundle.objects.using(alias).create(parts=[upload(pdf("One"), "One.pdf"), upload(b"Not a PDF.")])
    assert Bundle.objects.using(alias).get().parts == bundle.parts
    assert not any(map(is_held, bundle.parts))
    assert "MERGE_INPUT_NOT_PDF" in caplog.text


def test_fixtures_carry_uuids_and_ask_nobody(alias: str, upload: Upload, calls: list[str]) -> None:
    dossier = Dossier.objects.using(alias).create(files=[upload(), upload()], others=None)
    calls.clear()
    text = serializers.serialize("json", [dossier])
    assert json.loads(text)[0]["fields"]["files"] == json.dumps([str(each) for each in dossier.files])
    Dossier.objects.using(alias).all()._raw_delete(alias)
    for loaded in serializers.deserialize("json", text, using=alias):
        loaded.save(using=alias)
    found = Dossier.objects.using(alias).get()
    assert (found.files, found.others) == (dossier.files, None)
    assert pickle.loads(pickle.dumps(found)).files == dossier.files
    assert calls == []


def test_a_refused_token_saves_nothing_and_spends_no_other(alias: str, upload: Upload) -> None:
    good, bad = upload(), upload()
    Dossier.objects.using(alias).create(files=[bad])
    with pytest.raises(exceptions.TokenSpent) as caught:
        Dossier.objects.using(alias).create(files=[good, bad])
    assert bad not in str(caught.value)
    with pytest.raises(exceptions.TokenNotFound):
        Dossier.objects.using(alias).create(files=[good, "nonsense"])
    assert Dossier.objects.using(alias).count() == 1
    assert not is_held(Dossier.objects.using(alias).create(files=[good]).files[0])


def test_a_service_that_is_down_loses_neither_rows_nor_tokens(upload: Upload, osis_settings: Any) -> None:
    token, target = upload(), osis_settings.OSIS_DOCUMENT_GRPC_TARGET
    osis_settings.OSIS_DOCUMENT_TIMEOUTS = {"call": 0.5}
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = "127.0.0.1:1"
    dossier = Dossier(files=[token])
    with pytest.raises(exceptions.ServiceUnavailable):
        dossier.save()
    assert dossier.files == [token]
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = target
    dossier.save()
    assert status_of(dossier.files[0]) == "UPLOADED"


def test_a_service_that_goes_down_before_the_commit_costs_no_row(
    alias: str, upload: Upload, osis_settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    target = osis_settings.OSIS_DOCUMENT_GRPC_TARGET
    osis_settings.OSIS_DOCUMENT_TIMEOUTS = {"call": 0.5}
    with transaction.atomic(using=alias):
        dossier = Dossier.objects.using(alias).create(files=[upload()])
        osis_settings.OSIS_DOCUMENT_GRPC_TARGET = "127.0.0.1:1"
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = target
    assert "could not be made final" in caplog.text
    assert str(dossier.files[0]) not in caplog.text
    assert is_held(dossier.files[0])
    dossier.save()  # whoever saves the same instance again makes up for it
    assert not is_held(dossier.files[0])


def test_limits_are_checked_with_the_instance(store: Upload) -> None:
    person = Person(number="1", card=[store(), store(), store()])
    with pytest.raises(ValidationError) as caught:
        person.full_clean()
    assert caught.value.message_dict["card"] == ["There can be 2 documents at most."]
    with pytest.raises(ValidationError) as caught:
        Person(number="1", card="what").full_clean()
    assert caught.value.message_dict["card"] == ["The documents must be a list of UUIDs and tokens."]


@pytest.mark.parametrize("value", [3, [3], "a-token", ["a-token"]])
def test_what_rows_are_looked_up_by_has_to_be_documents(value: Any) -> None:
    with pytest.raises(exceptions.FormatInvalidException, match="looked up by their UUIDs"):
        Dossier.objects.filter(files=value).exists()


@pytest.mark.parametrize("files", ["a-token", uuid.uuid4(), [3], [None], [{"uuid": "x"}], {"uuid": "x"}])
def test_what_is_no_list_of_documents_is_refused_before_anybody_is_asked(files: Any, calls: list[str]) -> None:
    with pytest.raises(ValidationError, match="The documents must be a list of UUIDs and tokens"):
        Dossier(files=files).save()
    assert calls == []
