"""The form field and its widgets, over a real service, with and without a script in the browser."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import QueryDict
from django.test import Client, override_settings
from django.utils import translation
from django.utils.datastructures import MultiValueDict

from osis_document import channel, exceptions
from osis_document.contrib.forms import FileUploadField, TokenField
from osis_document.contrib.widgets import FileUploadWidget, HiddenFileWidget
from osis_document.services import documents, tokens
from tests.django_app.project.dossiers.models import Dossier, Person
from tests.support.proxy import Proxy, Swallow
from tests.support.recorded_calls import recorded_calls
from tests.support.relay import Relay

Upload = Callable[..., str]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def calls() -> Iterator[list[str]]:
    """The rpcs that the test has made so far."""
    with recorded_calls() as names:
        yield names


def form_of(**options: Any) -> type[forms.Form]:
    """A form with one field, `files`."""
    return type("FilesForm", (forms.Form,), {"files": FileUploadField(**options)})


def sent(values: list[str]) -> QueryDict:
    """What a browser sends for hidden inputs with these values."""
    data = QueryDict(mutable=True)
    for place in sorted(range(len(values)), key=str):  # in no useful order
        data[f"files_{place}"] = values[place]
    return data


def write_token(document_id: str, **options: Any) -> str:
    """A token as pages carry it for a document that is there."""
    return str(tokens.token(document_id, write=True, **options).body["token"])


def checkboxes(html: str) -> list[str]:
    """The values that the page would send."""
    return re.findall(r'<input type="checkbox" name="files_[0-9]+" value="([^"]+)" checked', html)


def test_twelve_files_come_in_the_order_of_their_numbers_and_are_checked_in_one_call(upload: Upload, calls: list[str]) -> None:
    values = [upload(f"{number}".encode(), f"{number}.txt") for number in range(12)]
    calls.clear()
    form = form_of()(sent(values))
    assert form.is_valid(), form.errors
    assert form.cleaned_data["files"] == values
    assert calls == ["BatchGetDocuments"]
    ids = form.fields["files"].persist(form.cleaned_data["files"])
    assert calls == ["BatchGetDocuments", "ConfirmUploads"]
    assert all(isinstance(each, UUID) for each in ids)
    assert [found.name for found in channel.client().get_documents(map(str, ids)).require_all()] == [
        f"{number}.txt" for number in range(12)
    ]


def test_a_page_with_fifty_documents_costs_as_many_calls_as_one_with_two(store: Upload, calls: list[str]) -> None:
    ids = [store() for _ in range(2)]
    counts = []
    for initial in (ids, ids * 25):
        calls.clear()
        html = str(form_of()(initial={"files": initial})["files"])
        assert len(checkboxes(html)) == len(initial)
        counts.append(list(calls))
    assert counts[0] == counts[1] == ["BatchCreateTokens", "BatchGetDocuments"]


def test_a_page_with_many_file_fields_costs_as_many_calls_as_one_with_a_single_one(store: Upload, calls: list[str]) -> None:
    ids = [UUID(store(f"{number}".encode(), f"{number}.txt")) for number in range(4)]
    names = ["one", "two", "three"]
    fields = {name: FileUploadField(initial=ids[place : place + 2]) for place, name in enumerate(names)}
    form = type("ManyFiles", (forms.Form,), fields)()
    calls.clear()

    page = str(form)

    assert calls == ["BatchCreateTokens", "BatchGetDocuments"]
    for place, name in enumerate(names):
        shown = str(form[name])
        assert re.findall(r"\d\.txt", shown) == [f"{place}.txt", f"{place + 1}.txt"]
        assert all(checkbox in page for checkbox in checkboxes(shown))
    assert calls == ["BatchCreateTokens", "BatchGetDocuments"], "shown again, they are known"


def test_a_field_that_prepares_its_values_by_itself_still_does(store: Upload) -> None:
    class Backwards(FileUploadField):
        def prepare_value(self, value: Any) -> list[str]:
            return super().prepare_value(value)[::-1]

    ids = [UUID(store(f"{number}".encode(), f"{number}.txt")) for number in range(2)]
    form = type("Form", (forms.Form,), {"files": Backwards(initial=ids)})()

    assert re.findall(r"\d\.txt", str(form["files"])) == ["1.txt", "0.txt"]


def test_a_form_that_is_shown_again_asks_for_what_it_did_not_know(upload: Upload, store: Upload, calls: list[str]) -> None:
    kept = UUID(store(b"Kept.", "kept.txt"))
    form = form_of()(sent([write_token(str(kept)), upload(b"New.", "new.txt")]), initial={"files": [kept]})
    assert form.is_valid()
    calls.clear()

    assert re.findall(r"\w+\.txt", str(form)) == ["kept.txt", "new.txt"]
    form.initial = {"files": [kept]}
    form.is_bound = False
    assert re.findall(r"\w+\.txt", str(form)) == ["kept.txt"]
    assert calls == ["BatchGetDocuments", "BatchCreateTokens", "BatchGetDocuments"]


def test_the_uploader_carries_what_the_script_reads(store: Upload) -> None:
    document_id = store(name="a <b>.txt")
    field = FileUploadField(
        max_size=True,
        mimetypes=["application/pdf", "image/png"],
        min_files=1,
        max_files=3,
        upload_text='Drop "here"',
        upload_button_text="",
        automatic_upload=False,
        can_edit_filename=False,
        with_cropping=True,
        cropping_options={"aspectRatio": 1.5},
    )
    form = type("F", (forms.Form,), {"files": field})(initial={"files": [UUID(document_id)]}, prefix="p")
    with override_settings(OSIS_DOCUMENT_MAX_UPLOAD_SIZE=1234):
        html = str(form["files"])
    [token] = re.findall(r'data-values="([^",]+)"', html)
    assert documents.metadata(token)["upload_uuid"] == document_id
    for attribute in (
        'class="osis-document-uploader"',
        'data-name="p-files"',
        'data-base-url="http://testserver/osis_document/"',
        'data-limit="3"',
        'data-mimetypes="application/pdf,image/png"',
        'data-automatic-upload="false"',
        'data-editable-filename="false"',
        'data-max-size="1234"',
        'data-min-files="1"',
        'data-max-files="3"',
        'data-upload-text="Drop &quot;here&quot;"',
        'data-with-cropping="true"',
        'data-cropping-options="{&quot;aspectRatio&quot;: 1.5}"',
        '<input type="file" name="p-files" accept="application/pdf,image/png" multiple',
    ):
        assert attribute in html
    assert "data-upload-button-text" not in html
    assert "a &lt;b&gt;.txt" in html
    assert form.is_multipart()


def test_a_widget_with_options_of_its_own_keeps_them() -> None:
    field = FileUploadField(widget=FileUploadWidget(upload_text="Mine"), upload_text="Theirs", max_files=2)
    assert (field.widget.options.upload_text, field.widget.options.max_files) == ("Mine", 2)
    assert FileUploadField.widget is FileUploadWidget
    with pytest.raises(TypeError, match="no option nonsense"):
        FileUploadWidget(nonsense=1)


@pytest.mark.parametrize(
    ("options", "count", "message"),
    [
        ({}, 0, "Add a file."),
        ({"max_files": 1}, 2, "Add no more than 1 file."),
        ({"max_files": 2}, 3, "Add no more than 2 files."),
        ({"min_files": 3}, 2, "Add at least 3 files."),
    ],
)
def test_the_number_of_files_is_checked_before_anybody_is_asked(
    options: dict[str, Any], count: int, message: str, calls: list[str]
) -> None:
    form = form_of(**options)(sent([f"token{place}" for place in range(count)]))
    assert form.errors == {"files": [message]}
    assert calls == []


def test_no_files_are_no_error_where_none_are_needed() -> None:
    form = form_of(required=False, min_files=2)({})
    assert form.is_valid()
    assert form.cleaned_data["files"] == []


def test_every_bad_token_has_its_text_in_the_users_language_and_nothing_leaks(
    upload: Upload, store: Upload, caplog: pytest.LogCaptureFixture
) -> None:
    spent, infected, good = upload(name="spent.txt"), upload(b"A virus."), upload()
    FileUploadField().persist([spent])
    documents.declare_infected(uuid=documents.metadata(infected)["upload_uuid"])
    read = tokens.token(store()).body["token"]
    bad = {"nonsense": "not valid", spent: "spent.txt: this file was sent before", infected: "infected", read: "does not allow"}
    form = form_of()(sent([good, *bad]))
    messages = form.errors["files"]
    assert len(messages) == len(bad)
    for token, message in bad.items():
        assert any(message in each for each in messages)
        assert token not in str(messages) + caplog.text
    with translation.override("fr"):
        french = form_of()(sent([good, *bad])).errors["files"]
    assert not set(french) & set(messages)
    assert form_of()(sent([good])).is_valid()


def test_types_and_sizes_of_new_files_are_checked_and_those_of_old_ones_are_not(upload: Upload, store: Upload) -> None:
    docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    limited = form_of(mimetypes=["application/pdf", docx, "x-own/type"], max_size=3)
    form = limited(sent([upload(b"12345", "large.txt")]))
    assert form.errors == {"files": ["large.txt: the file is larger than 3\xa0bytes. Choose a smaller one."]}
    form = limited(sent([upload(b"123", "short.txt")]))
    told = "short.txt: files of this type (TXT) are not accepted here. Choose a file of another type: PDF, DOCX, x-own/type."
    assert form.errors["files"] == [told]
    with translation.override("fr"):
        french = limited(sent([upload(b"123", "short.txt")])).errors["files"]
    in_french = "les fichiers de ce type (TXT) ne sont pas acceptés ici. Choisissez un fichier d’un autre type"
    assert french == [f"short.txt\xa0: {in_french}\xa0: PDF, DOCX, x-own/type."]
    old = write_token(store(b"12345"))
    assert limited(sent([old])).is_valid()


def test_a_document_that_is_there_stays_when_its_token_has_expired(upload: Upload, store: Upload) -> None:
    document_id = store()
    expired = write_token(document_id, custom_ttl=1)
    other = write_token(store(), custom_ttl=1)
    form_class = form_of()
    while tokens_alive(expired) or tokens_alive(other):
        pass
    form = form_class(sent([expired]), initial={"files": [UUID(document_id)]})
    assert form.is_valid(), form.errors
    [fresh] = form.cleaned_data["files"]
    assert documents.metadata(fresh)["upload_uuid"] == document_id
    assert not form.has_changed()
    form = form_class(sent([other, expired]), initial={"files": [UUID(document_id)]})
    assert form.errors == {"files": ["The access to this file has expired. Reload the page and try again."]}
    assert form.has_changed()
    [_, shown] = checkboxes(str(form["files"]))
    assert documents.metadata(shown)["upload_uuid"] == document_id


def tokens_alive(token: str) -> bool:
    """Whether the service still accepts a token."""
    try:
        documents.metadata(token)
    except exceptions.TokenExpired:
        return False
    return True


def test_a_second_tab_that_sends_the_same_token_is_told_and_the_first_ones_file_stays(upload: Upload, db: None) -> None:
    token = upload()
    first = form_of()(sent([token]))
    second = form_of()(sent([token]))
    assert first.is_valid()
    assert second.is_valid()  # both were checked before either was saved
    [document_id] = first.fields["files"].persist(first.cleaned_data["files"])
    with pytest.raises(exceptions.TokenSpent):
        second.fields["files"].persist(second.cleaned_data["files"])
    assert "was sent before" in form_of()(sent([token])).errors["files"][0]
    # On the page of what the first has saved, it is a file that is there.
    assert form_of()(sent([token]), initial={"files": [document_id]}).is_valid()
    assert documents.describe([document_id])[str(document_id)]["status"] == "UPLOADED"


def test_a_service_that_is_down_is_a_form_error_and_loses_nothing(upload: Upload, store: Upload, osis_settings: Any) -> None:
    document_id, token = UUID(store()), upload()
    target = osis_settings.OSIS_DOCUMENT_GRPC_TARGET
    osis_settings.OSIS_DOCUMENT_TIMEOUTS = {"call": 0.5}
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = "127.0.0.1:1"
    page = str(form_of()(initial={"files": [document_id]})["files"])
    assert "A file that cannot be shown at the moment" in page
    [reference] = checkboxes(page)
    form = form_of()(sent([reference, token]), initial={"files": [document_id]})
    [message] = form.errors["files"]
    assert re.fullmatch(r"The document service .*\. Try again later\.", message)
    assert checkboxes(str(form["files"])) == [reference, token]
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = target
    form = form_of()(sent([reference, token]), initial={"files": [document_id]})
    assert form.is_valid(), form.errors
    first, second = form.fields["files"].persist(form.cleaned_data["files"])
    assert first == document_id
    assert documents.describe([second])[str(second)]["status"] == "UPLOADED"
    forged = reference.replace(str(document_id), str(uuid4()))
    assert not form_of()(sent([forged])).is_valid()


def test_an_infected_document_of_the_page_stays_unless_it_is_removed(store: Upload) -> None:
    infected = UUID(store(b"Another virus.", "virus.txt"))
    documents.declare_infected(uuid=infected)
    form_class = form_of(required=False)
    html = str(form_class(initial={"files": [infected]})["files"])
    assert "virus.txt" in html
    [reference] = checkboxes(html)
    form = form_class(sent([reference]), initial={"files": [infected]})
    assert form.is_valid()
    assert form.cleaned_data["files"] == [infected]
    assert form.fields["files"].persist([infected]) == [infected]
    assert not form.has_changed()


def test_a_document_that_has_no_edited_copy_yet_may_be_edited_and_sent_back(store: Upload) -> None:
    document_id = UUID(store(name="plain.txt"))
    form_class = form_of(for_modified_upload=True)
    html = str(form_class(initial={"files": [document_id]})["files"])
    assert "plain.txt" in html
    form = form_class(sent(checkboxes(html)), initial={"files": [document_id]})
    assert form.is_valid(), form.errors
    assert form.fields["files"].persist(form.cleaned_data["files"]) == [document_id]


def test_a_disabled_field_answers_its_initial_value_whatever_is_sent(store: Upload, upload: Upload, calls: list[str]) -> None:
    document_id, token = UUID(store()), upload()
    calls.clear()
    form = form_of(disabled=True)(sent([token]), initial={"files": [document_id]})
    assert form.is_valid()
    assert form.cleaned_data["files"] == [document_id]
    assert calls == []
    assert " disabled" in str(form["files"])


@pytest.mark.parametrize("junk", ["\ud800", "\0", "x" * 100_000, "a.b.c", "a.e30.c", "kept~", "kept~1~2", "é", "[]", "__proto__"])
def test_whatever_is_sent_in_place_of_a_token_is_a_form_error(junk: str) -> None:
    form = form_of()({"files_0": junk, f"files_{'9' * 5_000}": "x"})
    assert len(form.errors["files"]) == 1
    assert "not valid" in form.errors["files"][0]
    assert str(form["files"]).count("A file that cannot be shown") == 1
    with pytest.raises(ValidationError):
        TokenField().clean(junk)


def test_a_forged_token_shows_nothing_of_the_document_that_it_names(store: Upload) -> None:
    token = write_token(store(name="secret.txt"))
    header, payload, signature = token.split(".")
    form = form_of()(sent([f"{header}.{payload}.{signature[::-1]}"]))
    assert "not valid" in form.errors["files"][0]
    assert "secret" not in str(form)


def test_a_uuid_is_not_accepted_in_place_of_a_token_nor_is_a_token_made_of_it(store: Upload, calls: list[str]) -> None:
    others, own = store(name="secret.txt"), store(name="own.txt")
    form = form_of()(sent([others, own]), initial={"files": [own]})
    assert not form.is_valid()
    html = str(form["files"])
    assert [documents.metadata(value)["name"] for value in checkboxes(html)] == ["own.txt"]
    assert others not in html
    calls.clear()
    assert checkboxes(str(form_of()(sent([others, others.replace("-", ""), others.upper()]))["files"])) == []
    assert calls == ["BatchGetDocuments"], "it is checked, and nobody is asked for a token of it"


def test_persist_follows_the_transaction_of_the_host(upload: Upload, transactional_db: None) -> None:
    field = FileUploadField(upload_to="reports/%Y")
    with transaction.atomic():
        [kept] = field.persist([upload()])
        assert channel.client().get_document(str(kept)).HasField("hold_expire_time")
    with transaction.atomic():
        [lost] = field.persist([upload()])
        transaction.set_rollback(True)
    found = channel.client().get_document(str(kept))
    assert not found.HasField("hold_expire_time")
    assert re.fullmatch(r"reports/20[0-9][0-9]/note.txt", found.path)
    assert channel.client().get_document(str(lost)).HasField("hold_expire_time")


def test_persist_takes_all_files_or_none(upload: Upload, db: None) -> None:
    good, spent = upload(), upload()
    field = FileUploadField()
    field.persist([spent])
    with pytest.raises(exceptions.TokenSpent):
        field.persist([good, spent])
    assert len(field.persist([good])) == 1
    assert field.persist(None) == []


def test_of_many_that_spend_one_token_at_once_one_wins(upload: Upload) -> None:
    token = upload()

    def persist(_: int) -> object:
        try:
            with patch.object(FileUploadField, "_transaction_of", return_value=None):  # threads would open databases
                return FileUploadField().persist([token])
        except exceptions.TokenSpent as exc:
            return exc

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(persist, range(16)))
    assert len([each for each in outcomes if isinstance(each, list)]) == 1
    assert len([each for each in outcomes if isinstance(each, exceptions.TokenSpent)]) == 15


def test_the_browser_asks_for_a_file_only_where_there_is_none(upload: Upload) -> None:
    assert re.search(r'<input type="file"[^>]* required', str(form_of()()["files"]))
    assert " required" not in str(form_of()(sent([upload()]))["files"])


def test_each_instance_has_the_directory_of_its_own(upload: Upload, db: None) -> None:
    described = {"app": "dossiers", "model": "person", "field": "card", "instance_filter_fields": ["uuid"]}
    field = FileUploadField(related_model=described)
    paths = []
    for number in ("1", "2"):
        person = Person.objects.create(number=number)
        [document_id] = field.persist([upload()], person)
        paths.append(channel.client().get_document(str(document_id)).path)
    assert paths == ["persons/1/note.txt", "persons/2/note.txt"]
    assert described == {"app": "dossiers", "model": "person", "field": "card", "instance_filter_fields": ["uuid"]}


def on_a_secondary_server(osis_settings: Any, primary_url: str, person: Person, tokens: list[str]) -> tuple[list[str], str]:
    """Has a server without models keep the files of a person; what it answers, and what it says beside it."""
    names = ("OSIS_DOCUMENT_GRPC_TARGET", "OSIS_DOCUMENT_API_SHARED_SECRET")
    configured = {name: getattr(osis_settings, name) for name in names}
    task = {
        "settings": configured | {"OSIS_DOCUMENT_BASE_URL": f"{primary_url}/osis_document/"},
        "related_model": {"app": "dossiers", "model": "person", "field": "card", "instance_filter_fields": ["uuid"]},
        "instance": {"uuid": str(person.uuid)},
        "tokens": tokens,
    }
    script = [sys.executable, "-m", "tests.django_app.project.secondary"]
    done = subprocess.run(script, input=json.dumps(task), capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_a_secondary_server_without_models_has_the_primary_resolve_the_path(
    upload: Upload, osis_settings: Any, transactional_db: None, live_server: Any
) -> None:
    for person in [Person.objects.create(number=number) for number in ("7", "8")]:
        uploaded = [upload(name="first.txt"), upload(name="second.txt")]
        ids, _ = on_a_secondary_server(osis_settings, live_server.url, person, uploaded)
        found = channel.client().get_documents(ids).require_all()
        assert [each.path for each in found] == [f"persons/{person.number}/{name}.txt" for name in ("first", "second")]


def test_a_secondary_server_whose_primary_fails_half_way_knows_what_is_kept_and_goes_on_from_there(
    upload: Upload, osis_settings: Any, transactional_db: None, live_server: Any
) -> None:
    person = Person.objects.create(number="9")
    uploaded = [upload(name=f"{number}.txt") for number in range(3)]

    with Relay(live_server.url, refused={1}) as relay:
        ids, said = on_a_secondary_server(osis_settings, relay.url, person, uploaded)

    assert [each.name for each in channel.client().get_documents(ids).require_all()] == ["0.txt", "1.txt", "2.txt"]
    assert said.split() == ids[:1], "the error names what is kept"
    assert [uploaded.index(path.rpartition("/")[2]) for path in relay.paths] == [0, 1, 1, 2]


def test_persisting_of_which_nobody_heard_is_done_again(upload: Upload, osis_settings: Any, db: None) -> None:
    target = osis_settings.OSIS_DOCUMENT_GRPC_TARGET
    osis_settings.OSIS_DOCUMENT_TIMEOUTS = {"call": 2}
    uploaded = [upload(b"One."), upload(b"Two."), upload(b"Three.")]
    field = FileUploadField()
    with Proxy(target) as wire:
        osis_settings.OSIS_DOCUMENT_GRPC_TARGET = wire.target
        documents.all_metadata(uploaded)
        channel.close()
        wire.plan.append(Swallow(after=wire.sent[0] + 300))  # as much again, and then some of the confirmation
        documents.all_metadata(uploaded)
        with pytest.raises(exceptions.ServiceTimeout):
            field.persist(uploaded)
    osis_settings.OSIS_DOCUMENT_GRPC_TARGET = target
    states = documents.all_metadata(uploaded)

    assert list(map(str, field.persist(uploaded))) == [state["upload_uuid"] for state in states.values()]
    with pytest.raises(exceptions.TokenSpent):
        field.persist(uploaded)


def test_a_form_works_without_a_script(osis_settings: Any, client: Client, transactional_db: None) -> None:
    osis_settings.ROOT_URLCONF = "tests.django_app.project.pages"
    files = [SimpleUploadedFile(f"{number}.txt", f"Number {number}".encode()) for number in range(2)]
    again = client.post("/dossiers/", {"title": "", "files": files}).content.decode()
    assert "This field is required." in again
    values = checkboxes(again)  # uploaded already, although the page has another error
    assert len(values) == 2
    more = SimpleUploadedFile("2.txt", b"Number 2")
    data = {"title": "Mine", "files": more} | {f"files_{place}": value for place, value in enumerate(values)}
    assert client.post("/dossiers/", data).status_code == 302
    dossier = Dossier.objects.get()
    kept = dossier.files
    assert [documents.describe([each])[str(each)]["name"] for each in kept] == ["0.txt", "1.txt", "2.txt"]
    page = client.get(f"/dossiers/{dossier.pk}/").content.decode()
    first, _, third = checkboxes(page)
    # The one in the middle is unticked, and the order is another one.
    assert client.post(f"/dossiers/{dossier.pk}/", {"title": "Mine", "files_0": third, "files_1": first}).status_code == 302
    dossier.refresh_from_db()
    assert dossier.files == [kept[2], kept[0]]
    assert documents.describe([kept[1]])[str(kept[1])]["status"] == "DELETED"
    assert client.post(f"/dossiers/{dossier.pk}/", {"title": "Mine"}).status_code == 302
    dossier.refresh_from_db()
    assert dossier.files == []


def test_files_that_come_with_the_form_are_refused_with_a_text_for_each() -> None:
    files = MultiValueDict(
        {
            "files": [
                SimpleUploadedFile("empty.txt", b""),
                SimpleUploadedFile("virus.exe", b"MZ"),
                SimpleUploadedFile("fake.pdf", b"<html></html>"),
                SimpleUploadedFile("good.txt", b"Good."),
                SimpleUploadedFile("large.txt", b"x" * 101),
            ]
        }
    )
    form = form_of(max_size=100, mimetypes=["text/plain", "application/pdf"])({}, files)
    messages = form.errors["files"]
    assert [message.partition(":")[0] for message in messages] == ["empty.txt", "virus.exe", "fake.pdf", "large.txt"]
    assert "is empty" in messages[0]
    assert "pdf, txt, docx" in messages[1]
    assert "does not match its extension" in messages[2]
    [good] = checkboxes(str(form["files"]))
    assert documents.metadata(good)["name"] == "good.txt"


def test_a_name_before_a_refusal_is_set_off_as_the_language_has_it() -> None:
    files = MultiValueDict({"files": [SimpleUploadedFile("vide.txt", b"")]})
    with translation.override("fr"):
        assert form_of()({}, files).errors["files"] == ["vide.txt : Le fichier est vide. Choisissez un autre fichier."]


def test_one_document_may_be_the_initial_value_without_a_list_around_it(store: Upload) -> None:
    document = store()
    initial = {"files": UUID(document)}
    form = form_of()(initial=initial)
    [value] = checkboxes(str(form["files"]))
    assert documents.metadata(value)["upload_uuid"] == document
    back = form_of()(sent([value]), initial=initial)
    assert back.is_valid(), back.errors
    assert not back.has_changed()
    unchanged = form_of(disabled=True)({}, initial=initial)
    assert unchanged.is_valid()
    assert unchanged.cleaned_data["files"] == [UUID(document)]


def test_a_text_in_an_address_gives_nobody_a_document(store: Upload) -> None:
    form = form_of()(initial={"files": store()})  # as Django's admin makes it of `?files=…`
    assert checkboxes(str(form["files"])) == []


@pytest.mark.parametrize("options", [{"mimetypes": "application/pdf"}, {"max_files": "3"}, {"max_size": "10 MB"}])
def test_an_option_that_cannot_be_is_refused_when_the_form_is_written(options: dict[str, Any]) -> None:
    [name] = options
    with pytest.raises(TypeError, match=f"FileUploadField: {name} is '.*'; it must be"):
        FileUploadField(**options)


def test_hidden_inputs_pass_documents_on(store: Upload) -> None:
    ids = [UUID(store()) for _ in range(11)]
    form = form_of(widget=HiddenFileWidget())(initial={"files": ids})
    html = str(form["files"])
    values = re.findall(r'<input type="hidden" name="files_[0-9]+" value="([^"]+)">', html)
    assert form["files"].is_hidden
    assert "visualizer" not in html
    back = form_of(widget=HiddenFileWidget())(sent(values), initial={"files": ids})
    assert back.is_valid(), back.errors
    assert back.fields["files"].persist(back.cleaned_data["files"]) == ids
    shown = form_of(widget=HiddenFileWidget(display_visualizer=True))(initial={"files": ids[:1]})
    assert not shown["files"].is_hidden
    assert '<div class="osis-document-visualizer" data-values="' in str(shown["files"])


def test_a_token_field_takes_what_the_service_would_accept_now(upload: Upload, db: None) -> None:
    token = upload()
    assert TokenField().clean(token) == token
    FileUploadField().persist([token])
    for bad in (token, "nonsense"):
        with pytest.raises(ValidationError) as caught:
            TokenField().clean(bad)
        assert bad not in str(caught.value)
