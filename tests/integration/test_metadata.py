"""Changing a document's name and the users' own keys."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.document_service_pb2 import UpdateMetadataRequest
from tests.support import files, images
from tests.support.changes import delete, infect, rotate, update
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.refusals import expect_refusal
from tests.support.signing import changed, expired
from tests.support.uploads import confirm, new_id, store, token_for, upload

LIMIT_BYTES = 64 * 1024


def struct(values):
    return ParseDict(values, Struct())


def keys_of(document):
    return MessageToDict(document.metadata)


@pytest.fixture
def document(alpha):
    return confirm(alpha, upload(alpha, b"content", metadata={"kept": "as it was"}).write_token, path="folder/")


@pytest.fixture
def token(alpha, document):
    return token_for(alpha, document.id, write=True)


# ---- the users' own keys ------------------------------------------------------------------------------------------------


def test_keys_are_set_and_those_not_named_stay(alpha, document, token):
    answered = update(alpha, token, metadata={"new": "value", "other": True})

    assert keys_of(answered) == {"kept": "as it was", "new": "value", "other": True}
    assert get(alpha, document.id) == answered


def test_keys_are_removed_and_unknown_ones_are_ignored(alpha, token):
    update(alpha, token, metadata={"first": 1, "second": 2})

    assert keys_of(update(alpha, token, remove_keys=["first", "never there", "first"])) == {"kept": "as it was", "second": 2}


def test_keys_are_set_and_removed_in_one_call(alpha, token):
    assert keys_of(update(alpha, token, metadata={"new": 1}, remove_keys=["kept"])) == {"new": 1}


def test_a_null_is_stored_as_null(alpha, document, token):
    update(alpha, token, metadata=struct({"kept": None}))

    assert keys_of(get(alpha, document.id)) == {"kept": None}


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [0, 1, -1, 2**53, -(2**53), 0.5, 1e300, "", "été 😀", "'\"\\%_", [1, [2, {"a": None}]], {"a": {"b": [True, False]}}, [], {}],
    ids=str,
)
def test_a_value_comes_back_as_it_was(alpha, document, token, value):
    update(alpha, token, metadata=struct({"key": value}))

    assert keys_of(get(alpha, document.id))["key"] == value


@pytest.mark.slow
@pytest.mark.parametrize("key", ["été", "with space", "a.b", "$", "", "id", "sha256", "name", "__proto__", "x" * 1000])
def test_any_text_may_be_a_key_and_none_shadows_what_the_service_says(alpha, document, token, key):
    answered = update(alpha, token, metadata={key: "mine"})

    assert keys_of(answered)[key] == "mine"
    for field in ("id", "name", "sha256", "size_bytes", "status", "path"):
        assert getattr(answered, field) == getattr(document, field)


@pytest.mark.parametrize("keys", [{"text": "a\0b"}, {"a\0b": "text"}, {"deep": [{"x": "\0"}]}], ids=["value", "key", "deep"])
def test_a_text_with_a_nul_is_kept_as_any_other(alpha, document, token, keys):
    update(alpha, token, metadata=struct(keys))

    assert keys_of(get(alpha, document.id)) == {"kept": "as it was"} | keys


@pytest.mark.slow
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("deep", [False, True])
def test_a_number_that_is_not_finite_is_refused(alpha, document, token, number, deep):
    keys = Struct()
    if deep:
        keys.update({"list": [1]})
        keys.fields["list"].list_value.values[0].number_value = number
    else:
        keys.fields["number"].number_value = number

    expect_refusal("METADATA_INVALID", update, alpha, token, metadata=keys)

    assert get(alpha, document.id) == document


def test_64_kib_of_keys_are_kept_and_more_is_refused(alpha, token):
    update(alpha, token, remove_keys=["kept"], metadata={"large": "x" * (LIMIT_BYTES - 100)})

    refusal = expect_refusal("METADATA_INVALID", update, alpha, token, metadata={"more": "x" * 200})

    assert int(refusal.metadata["limit_bytes"]) == LIMIT_BYTES
    assert int(refusal.metadata["size_bytes"]) > LIMIT_BYTES


def test_the_limit_is_for_all_keys_together_and_room_is_made_by_removing_some(alpha, document, token):
    update(alpha, token, metadata={"first": "x" * 40_000})

    expect_refusal("METADATA_INVALID", update, alpha, token, metadata={"second": "x" * 40_000})
    assert "second" not in keys_of(get(alpha, document.id))

    assert set(keys_of(update(alpha, token, metadata={"second": "x" * 40_000}, remove_keys=["first"]))) == {"kept", "second"}


# ---- the name -----------------------------------------------------------------------------------------------------------


def test_a_document_is_renamed_and_stays_where_and_what_it_is(alpha, document, token):
    answered = update(alpha, token, name="autre nom.TXT")

    assert answered.name == "autre nom.TXT"
    assert (answered.path, answered.sha256, answered.revision) == (document.path, document.sha256, document.revision)
    assert keys_of(answered) == keys_of(document)
    assert answered.update_time.ToNanoseconds() > document.update_time.ToNanoseconds()
    assert answered.upload_time == document.upload_time
    assert content_of(alpha, document.id) == b"content"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.txt", "x" * 251 + ".txt", "مستند.txt", "a b'\"&.txt", ".txt.txt", "100%.txt"])
def test_the_names_that_an_upload_may_have(alpha, token, name):
    assert update(alpha, token, name=name).name == name


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["", "x" * 252 + ".txt", "../note.txt", "a/note.txt", "a\\note.txt", "a\0.txt", "a\nb.txt", ".", ".."],
    ids=["empty", "256-characters", "parent", "folder", "backslash", "nul", "newline", "dot", "dots"],
)
def test_a_name_that_no_upload_may_have_is_refused(alpha, document, token, name):
    refusal = expect_refusal("NAME_INVALID", update, alpha, token, name=name, metadata={"new": 1})

    assert "name" in refusal.fields
    assert get(alpha, document.id) == document, "not even the keys are set"


@pytest.mark.parametrize("name", ["note.pdf", "note.docx", "note.png"])
def test_an_extension_that_does_not_agree_with_the_content_is_refused(alpha, document, token, name):
    expect_refusal("MIME_MISMATCH", update, alpha, token, name=name)

    assert get(alpha, document.id) == document


@pytest.mark.slow
@pytest.mark.parametrize("name", ["note", "note.exe", "txt", "note.", "note.txt.exe"])
def test_an_extension_that_no_upload_may_have_is_refused(alpha, document, token, name):
    expect_refusal("EXTENSION_NOT_ALLOWED", update, alpha, token, name=name)

    assert get(alpha, document.id) == document


def test_jpeg_is_jpg_in_a_new_name_too(alpha):
    photo = store(alpha, files.turned_jpeg(), "photo.jpg")

    assert update(alpha, token_for(alpha, photo.id, write=True), name="photo.JPEG").name == "photo.JPEG"


def test_a_download_carries_the_new_name(alpha, document, token):
    update(alpha, token, name="renamed.txt")

    assert download(alpha, token).header.document.name == "renamed.txt"


def test_a_refused_key_leaves_the_name_as_it_was(alpha, document, token):
    expect_refusal("METADATA_INVALID", update, alpha, token, name="renamed.txt", metadata={"large": "x" * LIMIT_BYTES})

    assert get(alpha, document.id) == document


# ---- tokens -------------------------------------------------------------------------------------------------------------


def test_one_token_serves_again_and_again_and_without_a_key(nobody, document, token):
    for number in range(5):
        assert keys_of(update(nobody, token, metadata={"number": number}))["number"] == number


def test_changing_the_metadata_is_no_change_of_content(alpha, document, token):
    assert update(alpha, token, name="renamed.txt", metadata={"new": 1}).revision == document.revision == 0


def test_a_token_of_a_past_revision_still_renames(alpha):
    image = store(alpha, images.picture(), "image.png")
    old = token_for(alpha, image.id, write=True)
    rotate(alpha, token_for(alpha, image.id, write=True))

    assert update(alpha, old, name="renamed.png").revision == 1


def test_an_upload_token_renames_before_the_confirmation_and_stays_good_for_it(alpha):
    result = upload(alpha, b"content", metadata={"first": 1})

    answered = update(alpha, result.write_token, name="renamed.txt", metadata={"second": 2})
    document = confirm(alpha, result.write_token, path="folder/")

    assert answered.status == DocumentStatus.DOCUMENT_STATUS_REQUESTED
    assert (document.name, document.path, keys_of(document)) == ("renamed.txt", "folder/renamed.txt", {"first": 1, "second": 2})


def test_an_upload_token_renames_after_the_confirmation_too(alpha):
    """Its revision is looked at as little as that of any other; it was spent for confirming alone."""
    result = upload(alpha, b"content")
    confirm(alpha, result.write_token)

    assert update(alpha, result.write_token, name="renamed.txt").name == "renamed.txt"


def test_a_read_token_changes_nothing(alpha, document):
    refusal = expect_refusal("TOKEN_WRONG_PURPOSE", update, alpha, token_for(alpha, document.id), name="renamed.txt")

    assert refusal.metadata["purpose"] == "read"
    assert get(alpha, document.id) == document


def test_the_token_of_a_modified_copy_changes_the_documents_metadata(alpha, document):
    token = token_for(alpha, document.id, write=True, for_modified=True)

    assert update(alpha, token, metadata={"new": 1}).id == document.id
    assert keys_of(get(alpha, document.id))["new"] == 1


@pytest.mark.parametrize("token", ["", "garbage"])
def test_without_a_good_token_nothing_changes(alpha, token):
    expect_refusal("TOKEN_INVALID", update, alpha, token, name="renamed.txt")


def test_a_token_whose_time_is_over_changes_nothing(alpha, document, token):
    expect_refusal("TOKEN_EXPIRED", update, alpha, expired(token), name="renamed.txt")

    assert get(alpha, document.id) == document


def test_a_token_of_a_document_that_does_not_exist_is_refused(alpha, token):
    unknown = new_id()

    refusal = expect_refusal("DOCUMENT_NOT_FOUND", update, alpha, changed(token, document=unknown), name="renamed.txt")

    assert refusal.metadata == {"document_id": unknown}


@pytest.mark.parametrize(("end", "reason"), [(delete, "DOCUMENT_DELETED"), (infect, "DOCUMENT_INFECTED")])
def test_a_deleted_or_infected_document_is_not_changed(alpha, document, token, end, reason):
    end(alpha, document.id)
    before = get(alpha, document.id)

    refusal = expect_refusal(reason, update, alpha, token, name="renamed.txt", metadata={"new": 1})

    assert refusal.metadata == {"document_id": document.id}
    assert get(alpha, document.id) == before


@pytest.mark.slow
def test_a_document_whose_bytes_are_damaged_can_still_be_renamed(alpha, server):
    content = new_id().encode()
    document = store(alpha, content)
    token = token_for(alpha, document.id, write=True)
    file = server.blob_file_of(content)
    file.chmod(0o600)
    file.write_bytes(b"!" + content[1:])
    assert download(alpha, token).refusal.reason == "DOCUMENT_CORRUPT"

    assert update(alpha, token, name="damaged.txt").name == "damaged.txt"


# ---- side by side -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_of_many_that_set_different_keys_at_once_none_is_lost(alpha, server, document, token):
    callers, start = [server.stubs(None) for _ in range(8)], Barrier(32)

    def run(number):
        start.wait(20)
        update(callers[number % 8], token, metadata={f"key {number}": number})

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(run, range(32)))

    assert keys_of(get(alpha, document.id)) == {"kept": "as it was"} | {f"key {number}": number for number in range(32)}


@pytest.mark.slow
def test_a_change_of_metadata_and_a_rotation_at_once_both_happen(alpha, server):
    image = store(alpha, images.picture(), "image.png")
    token, other = token_for(alpha, image.id, write=True), server.stubs(None)

    with ThreadPoolExecutor(1) as pool:
        rotating = pool.submit(rotate, other, token)
        number = 0
        while not rotating.done():
            number += 1
            update(alpha, token, metadata={"number": number})
        rotated = rotating.result().document

    document = get(alpha, image.id)
    assert rotated.revision == document.revision == 1
    assert document.sha256 == rotated.sha256 != image.sha256
    assert keys_of(document) == {"number": number}


def test_an_update_of_nothing_answers_the_document(alpha, document, token):
    answered = alpha.documents.UpdateMetadata(UpdateMetadataRequest(token=token)).document

    assert (answered.name, keys_of(answered), answered.revision) == (document.name, keys_of(document), document.revision)
