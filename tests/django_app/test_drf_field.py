"""The field of Django REST framework, over a real service."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework import serializers

from osis_document.contrib import FileFieldSerializer
from osis_document.services import documents
from tests.django_app.project.dossiers.models import Dossier, Person
from tests.support.recorded_calls import recorded_calls

pytestmark = pytest.mark.django_db(transaction=True)

Upload = Callable[..., str]


@pytest.fixture
def calls() -> Iterator[list[str]]:
    """The rpcs that the test has made so far."""
    with recorded_calls() as names:
        yield names


class DossierSerializer(serializers.ModelSerializer[Dossier]):
    """As hosts write them: nothing is said of the field."""

    class Meta:
        model = Dossier
        fields = ("title", "files")


class PersonSerializer(serializers.ModelSerializer[Person]):
    """With a field that has limits."""

    class Meta:
        model = Person
        fields = ("number", "card")


def test_tokens_go_in_and_uuids_come_out(upload: Upload, calls: list[str]) -> None:
    sent = [upload(f"{number}".encode(), f"{number}.txt") for number in range(3)]
    calls.clear()
    serializer = DossierSerializer(data={"title": "Mine", "files": sent})
    assert isinstance(serializer.fields["files"], FileFieldSerializer)
    assert serializer.is_valid(), serializer.errors
    assert calls == ["BatchGetDocuments"]
    dossier = serializer.save()
    found = DossierSerializer(dossier).data["files"]
    assert found == [str(each) for each in dossier.files]
    assert [documents.describe([each])[each]["name"] for each in found] == ["0.txt", "1.txt", "2.txt"]


def test_what_came_out_may_be_sent_back_and_nothing_else_by_its_uuid(upload: Upload, store: Upload, calls: list[str]) -> None:
    dossier = Dossier.objects.create(files=[upload(), upload()])
    first, second = (str(each) for each in dossier.files)
    new = upload()
    serializer = DossierSerializer(dossier, data={"files": [second, new, first]}, partial=True)
    assert serializer.is_valid(), serializer.errors
    calls.clear()
    serializer.save()
    dossier.refresh_from_db()
    assert [str(dossier.files[0]), str(dossier.files[2])] == [second, first]
    assert "DeleteDocuments" not in calls
    for foreign in (store(), str(uuid4())):
        refused = DossierSerializer(dossier, data={"files": [foreign]}, partial=True)
        assert not refused.is_valid()
        assert foreign not in str(refused.errors)


def test_the_limits_of_the_model_field_hold(upload: Upload) -> None:
    def errors(*values: Any) -> Any:
        serializer = PersonSerializer(data={"number": "1", "card": list(values)})
        serializer.is_valid()
        return serializer.errors.get("card")

    assert errors(upload()) is None
    assert errors("a", "b", "c") == ["There can be 2 documents at most."]
    assert "larger than 1000\xa0bytes" in errors(upload(b"x" * 1_001))[0]
    assert "not accepted here" in errors(upload(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0" * 17, "image.png"))[0]
    assert "not valid" in errors("nonsense")[0]
    assert "Not a valid string" in str(errors({"a": 1}))


def test_a_service_that_is_down_is_an_error_of_the_field(upload: Upload, osis_settings: Any) -> None:
    token = upload()
    osis_settings.OSIS_DOCUMENT_TIMEOUTS = {"call": 0.5}
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = "127.0.0.1:1"
    serializer = DossierSerializer(data={"files": [token]})
    assert not serializer.is_valid()
    assert "Try again later" in serializer.errors["files"][0]


def test_a_field_that_may_not_be_blank_is_not_emptied(store: Upload) -> None:
    [document] = ids = [UUID(store())]
    person = Person.objects.create(number="1", card=ids)

    emptied = PersonSerializer(person, data={"card": []}, partial=True)
    kept = PersonSerializer(person, data={"card": [str(document)]}, partial=True)
    other = PersonSerializer(person, data={"number": "2"}, partial=True)

    assert not emptied.is_valid()
    assert emptied.errors == {"card": ["This list may not be empty."]}
    assert kept.is_valid(), kept.errors
    assert other.is_valid(), other.errors


def test_a_serializer_may_say_itself_that_a_field_may_be_empty() -> None:
    class Lenient(serializers.ModelSerializer[Person]):
        card = FileFieldSerializer(required=False, allow_empty=True)

        class Meta:
            model = Person
            fields = ("card",)

    assert Lenient(data={"card": []}).is_valid()


def test_a_field_of_its_own_has_options_of_its_own(upload: Upload) -> None:
    class Plain(serializers.Serializer[Any]):
        files = FileFieldSerializer(max_files=1)

    assert Plain({"files": [UUID(int=1)]}).data == {"files": ["00000000-0000-0000-0000-000000000001"]}
    assert Plain({"files": None}).data == {"files": None}
    refused = Plain(data={"files": [upload(), upload()]})
    assert not refused.is_valid()
    assert refused.errors == {"files": ["There can be 1 document at most."]}
