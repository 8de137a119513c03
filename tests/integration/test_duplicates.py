"""Documents that share the content of others, and live a life of their own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from google.protobuf.json_format import MessageToDict

from osis.document.v1.document_pb2 import DocumentStatus, ExpirationPolicy
from osis.document.v1.document_service_pb2 import ConfirmUpload, ConfirmUploadsRequest, DuplicateDocument, Hold
from tests.support import files, images, jobs, outcomes
from tests.support.changes import delete, duplicate, duplicate_all, reason_of, rotate, save_edit, update
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.imports import bring, bring_modified_copy
from tests.support.listing import ids
from tests.support.outcomes import outcome_of
from tests.support.refusals import expect_refusal
from tests.support.uploads import confirm, messages, new_id, spec, store, token_for, upload

UPLOADED = DocumentStatus.DOCUMENT_STATUS_UPLOADED
DELETED = DocumentStatus.DOCUMENT_STATUS_DELETED


@pytest.fixture(scope="module")
def admin(server):
    return server.stubs("admin")


def test_a_duplicate_is_a_document_of_its_own_with_the_same_content(alpha, beta, server):
    content = new_id().encode()
    document = confirm(alpha, upload(alpha, content, metadata={"number": 5}).write_token, path="first/")

    made = duplicate(beta, document.id)

    assert made.id != document.id
    assert (made.name, made.mime_type, made.sha256, made.size_bytes) == (
        document.name,
        document.mime_type,
        document.sha256,
        document.size_bytes,
    )
    assert made.path == document.path
    assert made.status == UPLOADED
    assert made.revision == 0
    assert get(alpha, made.id) == made
    assert content_of(alpha, made.id) == content
    assert server.blob_file_of(content), "no bytes are copied"
    assert get(alpha, document.id) == document


def test_a_duplicate_goes_where_it_is_told(alpha):
    document = confirm(alpha, upload(alpha, b"content").write_token, path="first/")

    assert duplicate(alpha, document.id, path="second/").path == "second/note.txt"
    assert duplicate(alpha, document.id, path="second/other.txt").path == "second/other.txt"


def test_a_duplicate_with_an_id_of_the_callers_choice_is_made_once(alpha):
    document, chosen = store(alpha, b"content"), new_id()

    first = duplicate(alpha, document.id, new_document_id=chosen)
    again = duplicate(alpha, document.id, new_document_id=chosen, path="elsewhere/")

    assert first.id == chosen
    assert again == first == get(alpha, chosen)


def test_a_duplicate_that_exists_already_is_answered_as_it_is_by_now(alpha):
    document, chosen = store(alpha, b"content"), new_id()
    duplicate(alpha, document.id, new_document_id=chosen)
    delete(alpha, chosen)

    again = duplicate(alpha, document.id, new_document_id=chosen)

    assert again == get(alpha, chosen)
    assert again.status == DELETED


def test_the_same_id_twice_in_one_batch_makes_one_duplicate(alpha):
    document, chosen = store(alpha, b"content"), new_id()

    first, second = duplicate_all(alpha, [DuplicateDocument(document_id=document.id, new_document_id=chosen)] * 2)

    assert first.document == second.document == get(alpha, chosen)


def test_an_id_that_another_document_or_another_duplicate_has_is_taken(alpha):
    one, other, chosen = store(alpha, b"one"), store(alpha, b"other"), new_id()
    duplicate(alpha, one.id, new_document_id=chosen)

    for taken in (chosen, one.id, other.id):
        [result] = duplicate_all(alpha, [DuplicateDocument(document_id=other.id, new_document_id=taken)])
        assert reason_of(result) == "UPLOAD_ID_TAKEN"
        assert result.error.metadata["upload_id"] == taken


def test_the_id_of_an_unfinished_upload_is_taken(alpha):
    document, unfinished = store(alpha, b"content"), spec()
    alpha.uploads.WriteUpload(messages(unfinished, b"some", finish=False))

    [result] = duplicate_all(alpha, [DuplicateDocument(document_id=document.id, new_document_id=unfinished.upload_id)])

    assert reason_of(result) == "UPLOAD_ID_TAKEN"


def test_a_duplicates_id_cannot_be_uploaded_to(alpha, beta):
    made = duplicate(alpha, store(alpha, b"content").id)

    for stubs in (alpha, beta):
        outcome = outcome_of(stubs.uploads.WriteUpload, messages(spec(upload_id=made.id), b"other"))
        assert outcomes.reason_of(outcome) in {"", "UPLOAD_ID_TAKEN", "UPLOAD_SPEC_CONFLICT"}
        if not outcomes.reason_of(outcome):
            assert outcome.result.document == made, "it was answered as finished and confirmed"
            assert outcome.result.write_token == ""
    assert content_of(alpha, made.id) == b"content"


@pytest.mark.parametrize("with_modified", [True, False])
def test_the_modified_copy_is_shared_if_asked_for(alpha, admin, with_modified):
    document = bring(admin, b"original")
    bring_modified_copy(admin, document.id, b"edited")

    made = duplicate(alpha, document.id, with_modified=with_modified)

    assert content_of(alpha, made.id) == b"original"
    assert made.HasField("modified") is with_modified
    if with_modified:
        assert download(alpha, token_for(alpha, made.id, for_modified=True)).data == b"edited"
    else:
        expect_refusal("MODIFIED_COPY_NOT_FOUND", token_for, alpha, made.id, for_modified=True)


def test_twenty_that_make_one_duplicate_at_once_make_one(alpha, server):
    document, chosen, start = store(alpha, b"content"), new_id(), Barrier(20)

    def race(_):
        start.wait(20)
        return duplicate(alpha, document.id, new_document_id=chosen).SerializeToString(deterministic=True)

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(race, range(20)))) == 1


def test_a_duplicate_has_the_users_keys_of_its_source_and_each_changes_its_own(alpha):
    source = confirm(alpha, upload(alpha, b"content", metadata={"number": 5}).write_token)
    made = duplicate(alpha, source.id)

    update(alpha, token_for(alpha, made.id, write=True), name="copy.txt", metadata={"number": 6})
    update(alpha, token_for(alpha, source.id, write=True), metadata={"other": 7})

    assert MessageToDict(get(alpha, made.id).metadata) == {"number": 6}
    assert MessageToDict(get(alpha, source.id).metadata) == {"number": 5, "other": 7}
    assert get(alpha, source.id).name == "note.txt"


def test_each_is_rotated_apart(alpha):
    source = store(alpha, images.picture(), "image.png")
    made = duplicate(alpha, source.id)

    rotate(alpha, token_for(alpha, made.id, write=True), 180)

    assert content_of(alpha, source.id) == images.picture()
    assert get(alpha, source.id) == source
    assert images.are_equal(images.shown(content_of(alpha, made.id)), images.turned(images.picture(), 180))


def test_a_duplicate_of_a_rotated_picture_shows_it_rotated_and_begins_at_revision_zero(alpha):
    source = store(alpha, images.picture(), "image.png")
    rotated = rotate(alpha, token_for(alpha, source.id, write=True)).document

    made = duplicate(alpha, source.id)

    assert (made.sha256, made.revision) == (rotated.sha256, 0)
    assert rotate(alpha, token_for(alpha, made.id, write=True)).document.revision == 1


def test_a_token_of_the_source_opens_the_source_alone(alpha):
    source = store(alpha, files.pdf("text"), "form.pdf")
    token = token_for(alpha, source.id, write=True)
    made = duplicate(alpha, source.id)

    save_edit(alpha, token, rotations={0: 90})

    assert get(alpha, token=token).id == source.id
    assert get(alpha, made.id) == made


def test_a_duplicate_is_kept_and_not_held_whatever_its_source_was(alpha):
    """Whoever makes it wants it: an export's end and a hold are the source's."""
    export = ExpirationPolicy.EXPIRATION_POLICY_EXPORT
    uploads = [ConfirmUpload(token=upload(alpha, b"content").write_token, expiration_policy=export)]
    [source] = alpha.documents.ConfirmUploads(ConfirmUploadsRequest(uploads=uploads, hold=Hold())).documents
    assert source.HasField("expire_time")
    assert source.HasField("hold_expire_time")

    made = duplicate(alpha, source.id)

    assert not made.HasField("hold_expire_time")
    assert made.HasField("expire_time") is (made.expiration_policy == export)


def test_what_was_made_of_the_source_was_not_made_of_the_duplicate(alpha):
    source = store(alpha, images.picture(), "image.png").id
    [pdf] = jobs.outputs(jobs.finish(alpha, jobs.start(alpha, [source], jobs.CONVERT).id))
    made = duplicate(alpha, source)

    assert get(alpha, token=token_for(alpha, made.id)).id == made.id
    assert get(alpha, token=token_for(alpha, source)).id == pdf


def test_duplicates_are_listed_under_their_own_paths(alpha):
    folder = f"duplicates/{new_id()}/"
    source = confirm(alpha, upload(alpha, b"content").write_token, path=f"{folder}source/")

    made = [duplicate(alpha, source.id, path=f"{folder}copies/").id for _ in range(3)]

    assert set(ids(alpha, path_prefix=f"{folder}copies/")) == set(made)
    assert ids(alpha, path_prefix=f"{folder}source/") == [source.id]


def test_a_duplicate_belongs_to_whoever_made_it(alpha, beta):
    source = store(alpha, b"content")

    made = duplicate(beta, source.id)

    assert (source.client, made.client) == ("alpha", "beta")
