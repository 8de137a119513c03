"""Documents through the Python functions, over a real service."""

import hashlib
import io
import pickle
import re
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

import osis_document_client
from osis.document.v1.document_pb2 import ItemError
from osis.document.v1.error_reason_pb2 import ErrorReason
from osis_document import exceptions
from osis_document.api import utils as api
from osis_document.channel import client
from osis_document.enums import DocumentExpirationPolicy
from osis_document.exceptions import (
    FileInfectedException,
    FileRefused,
    FormatInvalidException,
    MimeMismatch,
    SaveRawContentRemotelyException,
    ServiceMisconfigured,
    ServiceUnavailable,
    SystemKeyRefused,
    TokenNotAllowed,
    TokenNotFound,
    TokenSpent,
    TtlInvalid,
    UploadInvalidException,
    UploadNotFound,
    WrongFileType,
)
from osis_document.services import documents, uploads
from osis_document.utils import (
    calculate_hash,
    confirm_upload,
    generate_filename,
    get_file_url,
    get_metadata,
    get_token,
    is_uuid,
    save_raw_content_remotely,
    save_raw_upload,
)
from tests.django_app.project.dossiers.models import Person
from tests.support import files
from tests.support.gunicorn import Gunicorn
from tests.support.images import are_equal, picture, shown, turned
from tests.support.ports import free_port
from tests.support.waiting import wait_until

SYSTEM_KEYS = {"size", "mimetype", "name", "url", "uploaded_at", "upload_uuid", "hash"}


def path_of(document_id):
    """The logical path of a document."""
    return client().get_document(document_id).path


# ---- storing and reading ------------------------------------------------------------------------------------------------------


def test_what_is_saved_and_confirmed_is_described_and_read(osis_settings):
    content = files.pdf("A page")

    token = save_raw_upload(content, "page.pdf", "application/pdf", author="Ada", pages=1, nothing=None).token
    document_id = confirm_upload(token, upload_to="admission")
    read = api.get_remote_token(document_id)

    metadata = api.get_remote_metadata(read)
    assert metadata == get_metadata(read)
    uploaded_at = datetime.fromisoformat(metadata.pop("uploaded_at"))
    assert timedelta(0) <= datetime.now(UTC) - uploaded_at < timedelta(minutes=1)
    assert metadata == {
        "size": len(content),
        "mimetype": "application/pdf",
        "name": "page.pdf",
        "url": f"http://testserver/osis_document/file/{read}",
        "upload_uuid": str(document_id),
        "hash": hashlib.sha256(content).hexdigest(),
        "author": "Ada",
        "pages": 1,
        "nothing": None,
    }
    assert get_file_url(read) == metadata["url"]
    assert api.get_raw_content_remotely(read) == content
    assert path_of(str(document_id)) == "admission/page.pdf"


def test_keys_of_users_never_shadow_those_of_the_system(store, upload):
    shadows = dict.fromkeys(SYSTEM_KEYS, "javascript:alert(1)")
    document_id = api.confirm_remote_upload(uploads.save(io.BytesIO(b"Text."), "a.txt", metadata=shadows).token, metadata=shadows)
    write = api.get_remote_token(document_id, write_token=True)

    assert "javascript:alert(1)" not in api.get_remote_metadata(write).values()
    assert "javascript:alert(1)" not in documents.describe([document_id])[document_id].values()
    for key in SYSTEM_KEYS - {"name"}:
        with pytest.raises(SystemKeyRefused):
            api.change_remote_metadata(write, {key: "javascript:alert(1)"})


def test_a_name_and_own_keys_are_changed_again_and_again_with_one_token(store):
    write = api.get_remote_token(store(b"Text.", "a.txt", old=1), write_token=True)

    api.change_remote_metadata(write, {"name": "b.txt"})
    changed = api.change_remote_metadata(write, {"name": "c.txt", "new": [1, {"two": 2}]})

    assert (changed["name"], changed["old"], changed["new"]) == ("c.txt", 1, [1, {"two": 2}])
    for wrong in (
        {"name": "../c.txt"},
        {"name": "\ud800.txt"},
        {"own": "\ud800"},
        {"name": "c.pdf"},
        {"name": 3},
        {"own": 2**60},
        {"own": {1, 2}},
    ):
        with pytest.raises((FormatInvalidException, UploadInvalidException)):
            api.change_remote_metadata(write, wrong)
    assert api.get_remote_metadata(write)["name"] == "c.txt"


@pytest.mark.parametrize(
    ("content", "name", "exception"),
    [
        (b"MZ", "a.exe", FileRefused),
        (b"", "a.txt", FileRefused),
        (b"<html>", "a.pdf", MimeMismatch),
        (b"a", "a/b.txt", FileRefused),
    ],
)
def test_files_that_the_service_does_not_take_are_refused_with_what_to_do(osis_settings, content, name, exception):
    with pytest.raises(exception, match=r"[Cc]hoose|Rename"):
        save_raw_upload(content, name)
    with pytest.raises(SaveRawContentRemotelyException, match=r"[Cc]hoose|Rename"):
        save_raw_content_remotely(content, name, "text/plain")


def test_the_refusal_of_an_extension_names_those_that_are_accepted(osis_settings):
    with pytest.raises(FileRefused, match="pdf, txt, docx, doc, odt, png, jpg"):
        save_raw_upload(b"MZ", "a.exe")


def test_one_write_token_confirms_once_however_many_ask(upload):
    token = upload()

    def confirm(_):
        try:
            return api.confirm_remote_upload(token)
        except TokenSpent:
            return None

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(confirm, range(8)))

    assert len([answer for answer in answers if answer]) == 1


def test_a_document_that_is_kept_may_be_confirmed_again_by_a_write_token_and_stays_as_it_is(store):
    document_id = store(upload_to="first")

    again = api.confirm_remote_upload(api.get_remote_token(document_id, write_token=True), upload_to="second")

    assert again == document_id
    assert path_of(document_id) == "first/note.txt"


def test_several_are_confirmed_all_or_none_in_their_order(upload):
    tokens = [upload(name=f"{number}.txt") for number in range(12)]

    with pytest.raises(TokenNotFound):
        uploads.confirm_all([*tokens, "forged"])
    confirmed = uploads.confirm_all(tokens, hold=True)

    assert [documents.describe([each])[each]["name"] for each in confirmed] == [f"{number}.txt" for number in range(12)]
    assert all(client().get_document(each).HasField("hold_expire_time") for each in confirmed)
    documents.finalize(confirmed)
    assert not any(client().get_document(each).HasField("hold_expire_time") for each in confirmed)


@pytest.mark.parametrize("policy", [DocumentExpirationPolicy.EXPORT_EXPIRATION_POLICY, "EXPORT_EXPIRATION_POLICY"])
def test_exports_expire_and_other_documents_do_not(upload, policy):
    exported = api.confirm_remote_upload(upload(), document_expiration_policy=policy)
    kept = api.confirm_remote_upload(upload(), document_expiration_policy="NO_EXPIRATION")

    expires = client().get_document(exported).expire_time.ToDatetime(tzinfo=UTC)
    assert timedelta(days=14) < expires - datetime.now(UTC) <= timedelta(days=15)
    assert not client().get_document(kept).HasField("expire_time")
    with pytest.raises(FormatInvalidException, match="NO_EXPIRATION, EXPORT_EXPIRATION_POLICY"):
        api.confirm_remote_upload(upload(), document_expiration_policy="SOMETIMES")


# ---- tokens -------------------------------------------------------------------------------------------------------------------


def test_tokens_of_one_document_made_in_one_second_differ_and_say_what_they_allow(store):
    document_id = store()

    read, other, write = (api.get_remote_token(document_id, write_token=each) for each in (False, False, True))

    assert len({read, other, write}) == 3
    with pytest.raises(TokenNotAllowed):
        api.change_remote_metadata(read, {"name": "b.txt"})
    assert api.change_remote_metadata(write, {"name": "b.txt"})["name"] == "b.txt"


def test_a_token_is_good_for_as_long_as_was_asked(store):
    document_id = store()

    for ttl in (3600, 90.5):
        token = client().inspect_token(api.get_remote_token(document_id, custom_ttl=ttl))
        seconds = (token.token.expire_time.ToDatetime() - token.issue_time.ToDatetime()).total_seconds()
        assert seconds == pytest.approx(ttl, abs=1)


@pytest.mark.parametrize("ttl", [0, -1, 1e300, "3600", True, float("nan"), float("inf"), 8 * 24 * 3600])
def test_a_validity_that_cannot_be_is_refused_for_one_and_for_many(store, ttl):
    document_id = store()

    with pytest.raises(TtlInvalid):
        api.get_remote_token(document_id, custom_ttl=ttl)
    with pytest.raises(TtlInvalid):
        api.get_remote_tokens([document_id], custom_ttl=ttl)


def test_tokens_of_many_come_by_the_ids_as_they_were_given(store):
    first, second, deleted = (store(name=f"{name}.txt") for name in ("first", "second", "deleted"))
    documents.delete([deleted])

    answers = api.get_remote_tokens([uuid.UUID(first), second.upper(), deleted, str(uuid.uuid4())])

    assert list(answers) == [first, second.upper()], "there are no tokens of what is not there"
    assert api.get_several_remote_metadata(answers.values()) == {
        token: api.get_remote_metadata(token) for token in answers.values()
    }
    assert api.get_remote_metadata(answers[second.upper()])["name"] == "second.txt"
    with pytest.raises(UploadNotFound):
        api.get_remote_token(deleted)
    with pytest.raises(FormatInvalidException):
        api.get_remote_tokens([first, "no uuid"])
    with pytest.raises(FormatInvalidException):
        api.get_remote_tokens(first)
    assert api.get_remote_tokens([]) == {}


def test_metadata_that_are_not_to_be_had_are_none_alone_and_errors_among_many(store, service):
    deleted = store()
    good, gone = api.get_remote_token(store()), api.get_remote_token(deleted)
    expired = expired_token(store())
    documents.delete([deleted])

    for token in (gone, expired, "forged", "", None):
        assert api.get_remote_metadata(token) is None
        assert api.get_raw_content_remotely(token) is None
    several = api.get_several_remote_metadata([good, gone, expired, "forged"])
    assert several[good]["name"] == "note.txt"
    assert [several[token]["error"]["code"] for token in (gone, expired, "forged")] == [
        "UPLOAD_NOT_FOUND",
        "TOKEN_NOT_FOUND",
        "TOKEN_NOT_FOUND",
    ]


def expired_token(document_id):
    """A token whose time is over."""
    token = api.get_remote_token(document_id, custom_ttl=0.001)
    wait_until(lambda: client().inspect_token(token).HasField("refusal"), "the token has expired")
    return token


def test_infected_documents_give_neither_tokens_nor_metadata_nor_duplicates(store):
    infected, sound = store(b"A virus.", upload_to="a"), store()
    token, write = api.get_remote_token(infected), api.get_remote_token(infected, write_token=True)

    assert documents.declare_infected(uuid=infected) == [infected]

    for writing in (False, True):
        with pytest.raises(FileInfectedException):
            api.get_remote_token(infected, write_token=writing)
    with pytest.raises(FileInfectedException):
        get_metadata(write)
    assert api.get_remote_metadata(token) is None
    answers = api.get_remote_tokens([sound, infected])
    assert answers[infected]["error"]["code"] == "INFECTED"
    assert api.get_remote_metadata(answers[sound]["token"])["upload_uuid"] == sound
    assert api.documents_remote_duplicate([infected]) == {}
    assert documents.describe([infected])[infected]["status"] == "INFECTED"
    api.declare_remote_files_as_deleted([infected, sound, uuid.uuid4()])
    assert documents.describe([sound])[sound]["status"] == "DELETED"


def test_damaged_bytes_are_never_read_and_said_to_be_damaged_from_then_on(store, service):
    content = files.text_of_size(5_000, seed=77)
    token = api.get_remote_token(store(content))
    path = service.blob_file_of(content)
    path.chmod(0o600)
    path.write_bytes(b"?" + content[1:])

    assert api.get_raw_content_remotely(token) is None
    assert api.get_several_remote_metadata([token])[token]["error"]["code"] == "HASH_MISMATCH"


# ---- changing -----------------------------------------------------------------------------------------------------------------


def test_an_image_is_rotated_and_the_next_token_takes_the_place_of_the_spent_one(store):
    original = picture()
    write = api.get_remote_token(store(original, "image.png"), write_token=True)

    following = documents.rotate_image(write, 90)

    assert are_equal(shown(api.get_raw_content_remotely(following)), turned(original, 90))
    with pytest.raises(TokenSpent):
        documents.rotate_image(write, 90)
    with pytest.raises(FormatInvalidException):
        documents.rotate_image(following, 45)
    with pytest.raises(WrongFileType):
        documents.rotate_image(api.get_remote_token(store(), write_token=True), 90)


def test_an_edited_pdf_becomes_the_modified_copy_and_the_original_stays(store):
    document_id = store(files.pdf("as it was"), "page.pdf")
    write = api.get_remote_token(document_id, write_token=True, for_modified_upload=True)

    documents.save_edit(write, io.BytesIO(files.pdf("annotated")), rotations={"0": 90})

    copy = api.get_remote_token(document_id, for_modified_upload=True)
    edited = api.get_raw_content_remotely(copy)
    assert files.page_texts(edited) == ["annotated"]
    assert files.page_sizes(edited) == [(595, 420)]
    assert api.get_remote_metadata(copy)["hash"] == hashlib.sha256(edited).hexdigest()
    assert files.page_texts(api.get_raw_content_remotely(api.get_remote_token(document_id))) == ["as it was"]


def test_duplicates_are_documents_of_their_own_below_the_path_that_was_asked(store, stored_bytes):
    first, second = store(b"First.", "first.txt", upload_to="old"), store(b"Second.", "second.txt", upload_to="old")

    copies = api.documents_remote_duplicate([uuid.UUID(first), second], upload_path_by_uuid={uuid.UUID(first): "new/"})
    documents.delete([first])

    assert list(copies) == [first, second]
    assert stored_bytes(copies[first]) == b"First."
    assert [path_of(each) for each in copies.values()] == ["new/first.txt", "old/second.txt"]


# ---- paths --------------------------------------------------------------------------------------------------------------------


def test_a_folder_has_the_date_of_the_projects_time_zone_and_a_function_gets_the_instance_and_the_name(upload, osis_settings):
    person = Person(number="42")
    this_year = str(datetime.now(UTC).astimezone().year)

    dated = api.confirm_remote_upload(upload(), upload_to="admission/%Y")
    called = confirm_upload(upload(name="card.txt"), lambda instance, name: f"p/{instance.number}/{name}", model_instance=person)

    assert path_of(dated) == f"admission/{this_year}/note.txt"
    assert path_of(str(called)) == "p/42/card.txt"
    assert generate_filename(person, "a.pdf", "x/%%/") == "x/%/a.pdf"
    assert generate_filename(person, "a.pdf", "") == "a.pdf"


@pytest.mark.django_db
def test_a_related_model_says_where_to_for_each_instance_and_is_not_changed(upload):
    persons = [Person.objects.create(number=number) for number in ("one", "two")]
    related = {"app": "dossiers", "model": "person", "field": "card", "instance_filter_fields": ["uuid"]}
    filtered = [{**related, "instance_filters": {"uuid": str(person.uuid)}} for person in persons]

    by_instance = [api.confirm_remote_upload(upload(), related_model=related, related_model_instance=each) for each in persons]
    by_filters = [api.confirm_remote_upload(upload(), related_model=each) for each in filtered]

    assert [path_of(each) for each in by_instance] == ["persons/one/note.txt", "persons/two/note.txt"]
    assert [path_of(each) for each in by_filters] == ["persons/one/note.txt", "persons/two/note.txt"]
    assert related == {"app": "dossiers", "model": "person", "field": "card", "instance_filter_fields": ["uuid"]}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"field": "nothing"}, "no such field"),
        ({"model": "nothing", "app": None}, "its app, its model"),
        ({"instance_filters": {"uuid": "11111111-1111-4111-8111-111111111111"}}, "not exactly one"),
        ({"instance_filters": {"uuid": "no uuid"}}, "cannot be filtered"),
        ({"instance_filters": {"secret__contains": "x"}}, "cannot be filtered"),
        ({"instance_filters": None}, "instance_filters"),
    ],
)
def test_a_related_model_that_says_nothing_of_use_is_refused_and_the_token_stays_good(upload, change, words):
    token = upload()

    with pytest.raises(FormatInvalidException, match=words):
        api.confirm_remote_upload(token, related_model={"app": "dossiers", "model": "person", "field": "card"} | change)
    assert api.confirm_remote_upload(token)


@pytest.mark.parametrize("path", ["../up", "/absolute", "with\x00nul", "half\ud800", "%Y\ud800"])
def test_a_path_that_cannot_be_is_refused(upload, path):
    with pytest.raises(FormatInvalidException):
        api.confirm_remote_upload(upload(), upload_to=path)


def test_what_belongs_to_a_model_of_the_primary_server_is_confirmed_there(service, upload, osis_settings, tmp_path):
    related = {"app": "dossiers", "model": "dossier", "field": "files"}
    osis_settings.INSTALLED_APPS = [each for each in osis_settings.INSTALLED_APPS if not each.endswith("dossiers")]
    with Gunicorn(tmp_path, target=service.target) as primary:
        osis_settings.OSIS_DOCUMENT_BASE_URL = f"{primary.address}/osis_document/"
        token = upload(b"Text.", "a.txt")

        document_id = api.confirm_remote_upload(token, related_model=related, metadata={"own": 1})

        assert re.fullmatch(r"dossiers/\d{4}/a.txt", path_of(document_id))
        assert api.get_remote_metadata(api.get_remote_token(document_id))["own"] == 1
        with pytest.raises(UploadInvalidException, match="used before"):
            api.confirm_remote_upload(token, related_model=related)
        infected = upload(b"A virus of its own.")
        documents.declare_infected(uuid=api.get_remote_metadata(infected)["upload_uuid"])
        with pytest.raises(FileInfectedException):
            api.confirm_remote_upload(infected, related_model=related)
        osis_settings.OSIS_DOCUMENT_API_SHARED_SECRET = "unknown"
        with pytest.raises(ServiceMisconfigured):
            api.confirm_remote_upload(token, related_model=related)
    osis_settings.OSIS_DOCUMENT_BASE_URL = f"http://127.0.0.1:{free_port()}/"
    with pytest.raises(ServiceUnavailable) as caught:
        api.confirm_remote_upload(token, related_model=related)
    assert token not in "".join(traceback.format_exception(caught.value)), "tokens are not for logs"


# ---- small things -------------------------------------------------------------------------------------------------------------


def test_small_helpers(tmp_path):
    file = io.BytesIO(b"skip this; hash this")
    file.seek(11)

    assert calculate_hash(file) == hashlib.sha256(b"hash this").hexdigest()
    assert file.tell() == 11
    assert [is_uuid(value) for value in (uuid.uuid4(), str(uuid.uuid4()), "no", None, 4)] == [True, True, False, False, False]


def test_get_token_is_for_the_document_itself(store):
    document_id = store()

    assert get_metadata(get_token(document_id, write=True))["upload_uuid"] == document_id


# ---- exceptions ---------------------------------------------------------------------------------------------------------------

REASONS = [reason for reason in ErrorReason.values() if reason]


@pytest.mark.parametrize("reason", REASONS, ids=ErrorReason.Name)
def test_every_reason_of_the_service_has_an_exception_that_fits(reason):
    exception = exceptions.exception_for(osis_document_client.error_for_item(ItemError(reason=reason, message="secret detail")))

    name = ErrorReason.Name(reason).removeprefix("ERROR_REASON_")
    at_fault = {"STORAGE_FULL", "INTERNAL"}
    assert isinstance(exception, exceptions.ServiceFault) == (name in at_fault)
    assert exception.reason == name
    assert str(exception) == exception.message
    assert "secret detail" not in str(exception)
    assert exceptions.error_dict(exception)["error"]["code"] in exceptions.DocumentError.values
    again = pickle.loads(pickle.dumps(exception))
    assert (type(again), str(again), again.reason, again.code) == (type(exception), str(exception), name, exception.code)


def test_every_error_of_the_client_has_an_exception():
    kinds = [each for each in vars(osis_document_client).values() if isinstance(each, type) and issubclass(each, Exception)]
    assert len(kinds) > 80

    for kind in kinds:
        if kind is not osis_document_client.PostProcessingFailed:
            with pytest.raises(exceptions.OsisDocumentException), exceptions.translated():
                raise kind("anything")


def test_what_is_said_is_in_the_language_of_the_moment(osis_settings):
    with translation.override("fr"):
        with pytest.raises(FileRefused) as refused:
            save_raw_upload(b"MZ", "a.exe")
        missing = str(UploadNotFound())

    assert "fichier" in missing
    assert "pdf, txt, docx" in str(refused.value)
    assert str(refused.value) != str(FileRefused())
    assert "Choose" not in str(refused.value)
