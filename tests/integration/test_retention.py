"""When deleted documents, and bytes that nothing refers to any more, are removed for good; and what never is."""

import time

import pytest

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.document_service_pb2 import DuplicateDocument
from osis.document.v1.download_service_pb2 import DownloadRequest
from osis.document.v1.upload_service_pb2 import GetUploadStatusRequest
from tests.support import files, images, jobs, outcomes
from tests.support.changes import delete, duplicate, duplicate_all, infect, reason_of, rotate, save_edit, undelete
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.imports import bring, bring_modified_copy
from tests.support.listing import ids
from tests.support.outcomes import outcome_of
from tests.support.refusals import expect_refusal
from tests.support.server import serving
from tests.support.signing import changed
from tests.support.uploads import confirm, new_id, store, token_for, upload
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

UPLOADED = DocumentStatus.DOCUMENT_STATUS_UPLOADED
DELETED = DocumentStatus.DOCUMENT_STATUS_DELETED
INFECTED = DocumentStatus.DOCUMENT_STATUS_INFECTED

#: How long deleted documents can be brought back, in seconds, and how long to wait at most for what is then removed.
RETENTION = 3
PATIENCE = 20

SETTINGS = {"DELETED_UPLOAD_MAX_AGE": str(RETENTION), "BLOB_GRACE_SECONDS": "0.5", "SWEEP_SECONDS": "0.2"}


@pytest.fixture(scope="module")
def tidy(database, tmp_path_factory):
    """A server that removes what was deleted three seconds ago."""
    with serving(tmp_path_factory.mktemp("tidy"), **SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def stubs(tidy):
    return tidy.stubs()


@pytest.fixture(scope="module")
def admin(tidy):
    return tidy.stubs("admin")


def exists(stubs, document_id):
    reason = outcomes.reason_of(outcome_of(get, stubs, document_id))
    assert reason in {"", "DOCUMENT_NOT_FOUND"}
    return not reason


def wait_for_removal(stubs, *document_ids):
    wait_until(lambda: not any(exists(stubs, each) for each in document_ids), "the documents are removed", seconds=PATIENCE)


def is_stored(server, content):
    """True if some file among the blobs holds exactly this."""

    def holds(path):
        try:
            return path.stat().st_size == len(content) and path.read_bytes() == content
        except FileNotFoundError:
            return False

    return any(holds(path) for path in server.blob_files().values())


def wait_until_bytes_are_gone(server, content):
    wait_until(lambda: not is_stored(server, content), "the bytes are removed", seconds=PATIENCE)


def sweep_once_more(stubs):
    """Waits until something is removed that was deleted just now: whatever was due before has then been looked at."""
    marker = store(stubs, b"marker").id
    delete(stubs, marker)
    wait_for_removal(stubs, marker)


def unique():
    return f"content {new_id()}".encode()


# ---- deleted documents --------------------------------------------------------------------------------------------------


def test_a_deleted_document_is_there_for_its_retention_time_and_then_gone_with_its_bytes(tidy, stubs):
    content = unique()
    document = store(stubs, content)
    token = token_for(stubs, document.id)
    deleted_at = time.monotonic()
    delete(stubs, document.id)

    assert get(stubs, document.id).status == DELETED
    assert is_stored(tidy, content)
    wait_for_removal(stubs, document.id)

    assert time.monotonic() - deleted_at >= RETENTION - 0.5
    wait_until_bytes_are_gone(tidy, content)
    expect_refusal("DOCUMENT_NOT_FOUND", get, stubs, token=token)
    expect_refusal("DOCUMENT_NOT_FOUND", token_for, stubs, document.id)
    assert download(stubs, token).refusal.reason == "DOCUMENT_NOT_FOUND"
    expect_refusal("UPLOAD_NOT_FOUND", stubs.uploads.GetUploadStatus, GetUploadStatusRequest(upload_id=document.id))
    assert {reason_of(result) for call in (delete, undelete) for result in call(stubs, document.id)} == {"DOCUMENT_NOT_FOUND"}
    assert document.id not in ids(stubs, path_prefix=document.path, page_size=1000)
    assert {row["key"] for row in tidy.rows("blob")} >= {row["blob_key"] for row in tidy.rows("document")}


def test_what_is_undeleted_in_time_is_kept(tidy, stubs):
    content = unique()
    document = store(stubs, content).id
    delete(stubs, document)
    undelete(stubs, document)

    sweep_once_more(stubs)

    assert get(stubs, document).status == UPLOADED
    assert content_of(stubs, document) == content


def test_the_time_counts_anew_from_each_deletion(stubs):
    document = store(stubs, unique()).id
    delete(stubs, document)
    wait_until(lambda: time.time() - get(stubs, document).update_time.ToMilliseconds() / 1000 > RETENTION / 2, "half is over")
    undelete(stubs, document)
    delete(stubs, document)
    again = time.monotonic()

    wait_for_removal(stubs, document)

    assert time.monotonic() - again >= RETENTION - 0.5


def test_deleting_again_does_not_put_the_removal_off(stubs):
    document = store(stubs, unique()).id
    begun = time.monotonic()

    def is_gone_although_it_is_deleted_again_and_again():
        return reason_of(delete(stubs, document)[0]) == "DOCUMENT_NOT_FOUND"

    wait_until(is_gone_although_it_is_deleted_again_and_again, "it is removed", seconds=PATIENCE)

    assert time.monotonic() - begun >= RETENTION - 0.5


def test_a_document_that_is_not_deleted_stays_however_old_it_is(stubs, admin):
    old = bring(admin, b"old", at=1_000_000_000)

    sweep_once_more(stubs)

    assert get(stubs, old.id) == old


def test_a_deleted_import_is_there_for_its_retention_time_too(stubs, admin):
    """It was uploaded and changed long ago; nobody can have undeleted it here before it came."""
    old = bring(admin, unique(), at=1_000_000_000, status=DELETED)

    assert get(stubs, old.id).status == DELETED
    wait_for_removal(stubs, old.id)


def test_a_deleted_upload_that_nobody_confirmed_is_removed(tidy, stubs):
    content = unique()
    result = upload(stubs, content)
    delete(stubs, result.document.id)

    wait_for_removal(stubs, result.document.id)

    wait_until_bytes_are_gone(tidy, content)
    expect_refusal("DOCUMENT_NOT_FOUND", confirm, stubs, result.write_token)


def test_what_was_made_of_a_deleted_document_is_removed_with_it(tidy, stubs):
    source = store(stubs, images.picture(), "image.png").id
    other = store(stubs, files.pdf("other"), "other.pdf").id
    [pdf] = jobs.outputs(jobs.finish(stubs, jobs.start(stubs, [source], jobs.CONVERT).id))
    job_id = jobs.start(stubs, [pdf, other], jobs.MERGE).id
    [merged] = jobs.outputs(jobs.finish(stubs, job_id))
    contents = [content_of(stubs, document_id) for document_id in (pdf, merged)]
    delete(stubs, source)

    wait_for_removal(stubs, source, pdf, merged)

    for content in contents:
        wait_until_bytes_are_gone(tidy, content)
    assert get(stubs, other).status == UPLOADED


def test_a_job_can_still_be_asked_for_when_what_it_read_and_made_is_gone(stubs):
    kept, gone = (store(stubs, files.pdf(text), f"{text}.pdf").id for text in ("kept", "gone"))
    job = jobs.finish(stubs, jobs.start(stubs, [kept, gone], jobs.CONVERT, jobs.MERGE).id)
    delete(stubs, gone)
    wait_for_removal(stubs, gone)

    left = jobs.job_of(stubs, job.id)

    assert left.state == jobs.DONE
    token = token_for(stubs, kept, wanted_post_process="WANTED_POST_PROCESS_CONVERT")
    assert download(stubs, token).data == content_of(stubs, kept)


def test_documents_that_were_deleted_before_a_restart_are_removed_after_it(tmp_path):
    settings = SETTINGS | {"DELETED_UPLOAD_MAX_AGE": "2"}
    content = unique()
    with serving(tmp_path / "one", **(SETTINGS | {"DELETED_UPLOAD_MAX_AGE": "1000"})) as server:
        stubs = server.stubs()
        document = store(stubs, content).id
        delete(stubs, document)

    with serving(tmp_path / "one", **settings) as server:
        wait_for_removal(server.stubs(), document)
        wait_until_bytes_are_gone(server, content)


# ---- infected documents -------------------------------------------------------------------------------------------------


def test_an_infected_document_stays_described_for_good(stubs):
    document = store(stubs, unique()).id
    infect(stubs, document)

    sweep_once_more(stubs)

    assert get(stubs, document).status == INFECTED


def test_a_deleted_document_that_is_declared_infected_stays_described_too(stubs):
    document = store(stubs, unique()).id
    delete(stubs, document)
    infect(stubs, document)

    sweep_once_more(stubs)

    assert get(stubs, document).status == INFECTED


# ---- bytes --------------------------------------------------------------------------------------------------------------


def test_bytes_are_there_until_the_last_document_that_shares_them_is_gone(tidy, stubs):
    content = unique()
    source = store(stubs, content).id
    first, second = duplicate(stubs, source).id, duplicate(stubs, source).id

    for gone, left in ((source, [first, second]), (first, [second])):
        delete(stubs, gone)
        wait_for_removal(stubs, gone)
        sweep_once_more(stubs)
        assert is_stored(tidy, content)
        assert [content_of(stubs, document_id) for document_id in left] == [content] * len(left)

    delete(stubs, second)
    wait_for_removal(stubs, second)
    wait_until_bytes_are_gone(tidy, content)


def test_a_document_can_be_duplicated_until_it_is_removed_and_the_duplicate_keeps_the_bytes(tidy, stubs):
    content = unique()
    source = store(stubs, content).id
    made = duplicate(stubs, source).id
    delete(stubs, source)

    again = duplicate(stubs, made).id
    wait_for_removal(stubs, source)
    sweep_once_more(stubs)

    assert content_of(stubs, again) == content_of(stubs, made) == content
    [refused] = duplicate_all(stubs, [DuplicateDocument(document_id=source)])
    assert reason_of(refused) == "DOCUMENT_NOT_FOUND"


def test_the_bytes_of_a_modified_copy_go_with_the_last_document_that_shares_them(tidy, stubs, admin):
    original, edited = unique(), unique()
    source = bring(admin, original).id
    bring_modified_copy(admin, source, edited)
    with_copy = duplicate(stubs, source, with_modified=True).id
    without_copy = duplicate(stubs, source).id
    delete(stubs, source)
    wait_for_removal(stubs, source)
    sweep_once_more(stubs)
    assert download(stubs, token_for(stubs, with_copy, for_modified=True)).data == edited

    delete(stubs, with_copy)
    wait_for_removal(stubs, with_copy)

    wait_until_bytes_are_gone(tidy, edited)
    assert content_of(stubs, without_copy) == original


def test_the_bytes_from_before_a_rotation_are_removed_unless_a_duplicate_has_them(tidy, stubs):
    alone, shared = (images.picture(width=width, compress_level=0) for width in (101, 103))
    documents = [store(stubs, content, "image.png").id for content in (alone, shared)]
    copy = duplicate(stubs, documents[1]).id

    now = [rotate(stubs, token_for(stubs, document_id, write=True)).document.sha256 for document_id in documents]

    wait_until_bytes_are_gone(tidy, alone)
    sweep_once_more(stubs)
    assert is_stored(tidy, shared)
    assert content_of(stubs, copy) == shared
    assert [get(stubs, document_id).sha256 for document_id in documents] == now
    assert all(content_of(stubs, document_id) for document_id in documents)


def test_the_bytes_of_a_consumed_upload_and_of_the_copy_that_was_replaced_are_removed(tidy, stubs):
    form, first, second = (files.pdf(f"{name} {new_id()}") for name in ("form", "first", "second"))
    document = store(stubs, form, "form.pdf").id
    token = token_for(stubs, document, write=True, for_modified=True)
    for edited in (first, second):
        token = save_edit(stubs, token, upload(stubs, edited, "edited.pdf").write_token, rotations={0: 90}).token
        assert download(stubs, token).header.for_modified

    wait_until_bytes_are_gone(tidy, first)
    wait_until_bytes_are_gone(tidy, second)
    sweep_once_more(stubs)
    assert content_of(stubs, document) == form
    assert len(files.page_texts(download(stubs, token).data)) == 1


def test_the_bytes_of_an_edit_that_was_saved_as_it_is_stay(tidy, stubs):
    """Whether the bytes of the upload are taken over or copied, the document has them for good."""
    edited = files.pdf(f"edited {new_id()}")
    document = store(stubs, files.pdf("form"), "form.pdf").id
    result = upload(stubs, edited, "edited.pdf")
    saved = save_edit(stubs, token_for(stubs, document, write=True), result.write_token).document

    sweep_once_more(stubs)
    sweep_once_more(stubs)

    assert not exists(stubs, result.document.id)
    assert get(stubs, document) == saved
    assert files.page_texts(content_of(stubs, document)) == files.page_texts(edited)


def test_a_download_that_began_before_a_rotation_is_read_to_its_end(stubs):
    """The bytes that it reads have a grace in which they stay."""
    content = images.picture(width=2048, height=1024, compress_level=0)
    document = store(stubs, content, "image.png").id
    reading = stubs.downloads.Download(DownloadRequest(token=token_for(stubs, document)))
    header = next(reading).header
    rotate(stubs, token_for(stubs, document, write=True))

    received = b"".join(message.data for message in reading)

    assert received == content
    assert header.sha256 != get(stubs, document).sha256


def test_nothing_is_left_on_the_disk_that_no_document_refers_to(tidy, stubs):
    """After all that the other tests of this module did."""

    def only_what_is_referred_to():
        rows = tidy.rows("document")
        referred = {row[column] for row in rows for column in ("blob_key", "modified_blob_key")} - {None}
        kept = {row["key"] for row in tidy.rows("blob")}
        on_disk = set(tidy.blob_files())
        return kept == referred and on_disk == kept

    wait_until(only_what_is_referred_to, "blobs, rows and files are the same", seconds=PATIENCE)


def test_a_token_of_a_removed_document_tells_no_more_than_one_of_a_document_that_never_was(stubs):
    document = store(stubs, unique()).id
    token = token_for(stubs, document)
    delete(stubs, document)
    wait_for_removal(stubs, document)
    never = new_id()

    removed = expect_refusal("DOCUMENT_NOT_FOUND", get, stubs, token=token)
    unknown = expect_refusal("DOCUMENT_NOT_FOUND", get, stubs, token=changed(token, document=never))

    assert removed.message.replace(document, "D") == unknown.message.replace(never, "D")
