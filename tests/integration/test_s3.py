"""Documents in S3: all that works on a local disk works there, and an upload outlives the host that received it."""

import hashlib
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from osis.document.v1.document_service_pb2 import DeleteDocumentsRequest
from osis.document.v1.upload_service_pb2 import CancelUploadRequest, WriteUploadRequest
from tests.support import databases, files
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.gate import Gate
from tests.support.ports import free_port
from tests.support.refusals import expect_refusal, refusal_of
from tests.support.resuming import rest, status
from tests.support.s3_server import ENVIRONMENT, S3Process
from tests.support.server import ServerProcess, serving
from tests.support.uploads import MEBIBYTE, confirm, messages, spec, store, token_for, upload
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

SMALL = files.pdf_of_size(3 * MEBIBYTE + 7, seed=31)
#: More than two checkpoints.
LARGE = files.pdf_of_size(40 * MEBIBYTE + 7, seed=32)
CHECKPOINT = 16 * MEBIBYTE


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with S3Process(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def bucket(s3):
    return s3.bucket()


@contextmanager
def serving_from(bucket, folder, *, port=None, **settings):
    with serving(folder, environment=ENVIRONMENT, STORAGE_URL=bucket.url(port=port), **settings) as server:
        yield server


@pytest.fixture(scope="module")
def shared_bucket(s3):
    return s3.bucket()


@pytest.fixture(scope="module")
def shared(shared_bucket, tmp_path_factory):
    """A server for all tests that leave it as it was; it does nothing by itself."""
    with serving_from(shared_bucket, tmp_path_factory.mktemp("shared"), SWEEP_SECONDS="3600") as server:
        yield server


@pytest.fixture(scope="module")
def alpha(shared):
    return shared.stubs()


SEEDS = iter(range(1000, 2000))


@pytest.fixture
def small():
    """A file that nobody else has stored, of less than a checkpoint."""
    return files.pdf_of_size(3 * MEBIBYTE + 7, seed=next(SEEDS))


@pytest.fixture
def large():
    """The same of more than two checkpoints."""
    return files.pdf_of_size(40 * MEBIBYTE + 7, seed=next(SEEDS))


def database_of(server):
    """The URL of a server's database, for another server."""
    return databases.in_use.settings(server.data).get("DATABASE_URL", f"sqlite:///{server.data / 'osis-document.db'}")


def blob_of(bucket, content):
    """The name of the one object that holds exactly this content."""
    [name] = [name for name, size in bucket.objects().items() if size == len(content) and bucket.content(name) == content]
    return name


def scratch_files(server):
    return list((server.data / "spool").iterdir())


@pytest.mark.one_database
def test_a_document_goes_all_its_way(bucket, tmp_path):
    settings = {"SWEEP_SECONDS": "0.2", "DELETED_UPLOAD_MAX_AGE": "1", "BLOB_GRACE_SECONDS": "0"}
    with serving_from(bucket, tmp_path / "server", **settings) as server:
        alpha = server.stubs()
        document = store(alpha, SMALL, "scan.pdf")
        assert document.sha256 == hashlib.sha256(SMALL).hexdigest()

        token = token_for(alpha, document.id)
        assert download(alpha, token).data == SMALL
        assert download(alpha, token, read_offset=MEBIBYTE - 5, read_limit=10).data == SMALL[MEBIBYTE - 5 : MEBIBYTE + 5]
        assert download(alpha, token, read_offset=-7).data == SMALL[-7:]
        assert bucket.objects().keys() == {blob_of(bucket, SMALL)}
        assert server.blob_files() == {}
        assert scratch_files(server) == []

        alpha.documents.DeleteDocuments(DeleteDocumentsRequest(document_ids=[document.id]))
        expect_refusal("DOCUMENT_DELETED", get, alpha, token=token)
        wait_until(lambda: bucket.objects() == {}, "the object is removed", seconds=20)


@pytest.mark.one_database
def test_an_upload_that_fits_into_one_checkpoint_costs_one_request(s3, alpha, small):
    with s3.requests() as requests:
        document = store(alpha, small, "scan.pdf")

    assert [method for method, _ in requests] == ["PUT"]
    assert content_of(alpha, document.id) == small


@pytest.mark.one_database
def test_what_was_saved_of_a_large_upload_is_not_sent_again(s3, shared_bucket, shared, alpha, large):
    before = shared_bucket.objects().keys()
    with s3.requests() as requests:
        document = store(alpha, large, "scan.pdf")

    saved = [path for method, path in requests if method == "PUT" and "/spool/" in path]
    copied_or_sent = [path for method, path in requests if method == "PUT" and "partNumber=" in path]
    removed = [path for method, path in requests if method == "DELETE"]
    assert len(requests) == len(saved) + len(copied_or_sent) + len(removed) + 2, "and beginning and completing the object"
    assert (len(saved), len(copied_or_sent), len(removed)) == (2, 3, 2)
    assert content_of(alpha, document.id) == large
    assert shared_bucket.objects().keys() - before == {blob_of(shared_bucket, large)}
    assert scratch_files(shared) == []


@pytest.mark.one_database
def test_downloading_a_range_asks_once(s3, alpha, large):
    token = token_for(alpha, store(alpha, large, "scan.pdf").id)
    with s3.requests() as requests:
        assert download(alpha, token, read_offset=20 * MEBIBYTE + 5, read_limit=10).data == large[20 * MEBIBYTE + 5 :][:10]
    assert [method for method, _ in requests] == ["GET"]


def test_an_upload_goes_on_at_another_host_after_its_host_was_lost_with_its_disk(bucket, tmp_path):
    upload_spec, never = spec("scan.pdf"), Event()

    def send():
        yield from messages(upload_spec, LARGE[: 20 * MEBIBYTE], finish=False)
        never.wait(60)

    with serving_from(bucket, tmp_path / "one") as first:
        call = first.stubs().uploads.WriteUpload.future(send())
        wait_until(
            lambda: [row["persisted_size"] for row in first.rows("upload")] == [CHECKPOINT], "a checkpoint was made", seconds=30
        )
        first.kill()
        never.set()
        assert call.exception() is not None
        # Nothing but the database is left of it.
        with serving_from(bucket, tmp_path / "another", DATABASE_URL=database_of(first)) as second:
            alpha = second.stubs()
            assert status(alpha, upload_spec.upload_id).persisted_size == CHECKPOINT
            document = alpha.uploads.WriteUpload(rest(upload_spec.upload_id, LARGE, CHECKPOINT)).result.document

            assert document.sha256 == hashlib.sha256(LARGE).hexdigest()
            assert content_of(alpha, document.id) == LARGE
            assert bucket.objects().keys() == {blob_of(bucket, LARGE)}, "and nothing else is left"
            assert scratch_files(second) == []


@pytest.mark.parametrize("cuts", [[1], [100, 3 * MEBIBYTE], [5, CHECKPOINT, CHECKPOINT + 1]], ids=["one", "two", "three"])
@pytest.mark.one_database
def test_an_upload_in_pieces_comes_back_whole_from_any_host(bucket, tmp_path, cuts):
    content = LARGE[: CHECKPOINT + MEBIBYTE]
    upload_spec = spec("scan.pdf")
    with (
        serving_from(bucket, tmp_path / "one") as one,
        serving_from(bucket, tmp_path / "another", DATABASE_URL=database_of(one)) as another,
    ):
        hosts = [one.stubs(), another.stubs()]
        for number, (start, end) in enumerate(zip([0, *cuts], cuts, strict=False)):
            answer = hosts[number % 2].uploads.WriteUpload(rest(upload_spec, content, start, end=end))
            assert answer.persisted_size == end
        last = hosts[len(cuts) % 2]
        document = last.uploads.WriteUpload(rest(upload_spec, content, cuts[-1])).result.document

        assert document.sha256 == hashlib.sha256(content).hexdigest()
        assert content_of(hosts[0], document.id) == content_of(hosts[1], document.id) == content
        assert bucket.objects().keys() == {blob_of(bucket, content)}


def test_no_late_byte_of_a_writer_at_another_host_counts(bucket, tmp_path):
    upload_spec, finished = spec("scan.pdf"), Event()
    other = files.pdf_of_size(len(LARGE), seed=33)

    def stale():
        yield from messages(upload_spec, other[: CHECKPOINT + MEBIBYTE], finish=False)
        finished.wait(90)
        for offset in range(CHECKPOINT + MEBIBYTE, len(other), MEBIBYTE):
            yield WriteUploadRequest(write_offset=offset, data=other[offset : offset + MEBIBYTE])
        yield WriteUploadRequest(write_offset=len(other), finish_write=True)

    with (
        serving_from(bucket, tmp_path / "one") as one,
        serving_from(bucket, tmp_path / "another", DATABASE_URL=database_of(one)) as another,
    ):
        old = one.stubs().uploads.WriteUpload.future(stale())
        wait_until(lambda: [row["persisted_size"] for row in one.rows("upload")] == [CHECKPOINT], "a checkpoint", seconds=30)
        alpha = another.stubs()
        content = other[:CHECKPOINT] + LARGE[CHECKPOINT:]
        document = alpha.uploads.WriteUpload(rest(upload_spec.upload_id, content, CHECKPOINT)).result.document
        finished.set()

        assert refusal_of(old.exception(60)).reason == "WRITER_SUPERSEDED"
        assert content_of(alpha, document.id) == content
        wait_until(lambda: bucket.objects().keys() == {blob_of(bucket, content)}, "nothing else is left", seconds=20)


@pytest.mark.one_database
def test_cancelled_and_forgotten_uploads_leave_nothing_in_the_bucket(bucket, tmp_path):
    settings = {"SWEEP_SECONDS": "0.2", "TEMP_UPLOAD_MAX_AGE": "3"}
    with serving_from(bucket, tmp_path / "server", **settings) as server:
        alpha, cancelled, forgotten = server.stubs(), spec("scan.pdf"), spec("scan.pdf")
        for upload_spec in (cancelled, forgotten):
            alpha.uploads.WriteUpload(messages(upload_spec, LARGE[: CHECKPOINT + 5], finish=False))
        assert len(bucket.objects()) == 4

        alpha.uploads.CancelUpload(CancelUploadRequest(upload_id=cancelled.upload_id))
        wait_until(lambda: bucket.objects() == {}, "nothing is left", seconds=30)


@pytest.mark.one_database
def test_what_a_crash_left_in_the_bucket_of_an_upload_that_nobody_knows_is_removed(bucket, tmp_path):
    unknown = f"documents/spool/{'ab' * 16}.3/{0:015d}"
    bucket.overwrite(unknown, b"of a writer that came too late")
    bucket.overwrite("documents/spool/README", b"put there by somebody")
    with serving_from(bucket, tmp_path / "server", SWEEP_SECONDS="0.2", TEMP_UPLOAD_MAX_AGE="2"):
        wait_until(lambda: unknown not in bucket.objects(), "it is removed", seconds=20)
        assert bucket.objects().keys() == {"documents/spool/README"}


@pytest.mark.slow
@pytest.mark.one_database
def test_an_upload_that_is_slower_than_its_age_is_not_taken_for_a_forgotten_one(bucket, tmp_path):
    def send():
        for number in range(24):
            message = WriteUploadRequest(write_offset=number, data=b"x", finish_write=number == 23)
            if number == 0:
                message.upload_spec.CopyFrom(spec())
            yield message
            time.sleep(0.5)

    with serving_from(bucket, tmp_path / "server", SWEEP_SECONDS="0.2", TEMP_UPLOAD_MAX_AGE="8") as server:
        assert server.stubs().uploads.WriteUpload(send()).result.document.size_bytes == 24


@pytest.mark.one_database
def test_parts_that_were_lost_are_told_and_the_upload_begins_anew(shared_bucket, alpha, small):
    upload_spec = spec("scan.pdf")
    alpha.uploads.WriteUpload(messages(upload_spec, small[:MEBIBYTE], finish=False))
    [part] = shared_bucket.objects("documents/spool/")
    shared_bucket.remove(part)

    refusal = expect_refusal("UPLOAD_NOT_FOUND", alpha.uploads.WriteUpload, rest(upload_spec.upload_id, small, MEBIBYTE))

    assert "lost" in refusal.message
    document = alpha.uploads.WriteUpload(messages(upload_spec, small)).result.document
    assert content_of(alpha, document.id) == small
    assert shared_bucket.objects("documents/spool/") == {}


@pytest.mark.parametrize("damage", ["overwritten", "cut", "removed"])
@pytest.mark.one_database
def test_an_object_that_was_changed_is_damage(shared_bucket, alpha, small, damage):
    document = store(alpha, small, "scan.pdf")
    token, name = token_for(alpha, document.id), blob_of(shared_bucket, small)
    if damage == "overwritten":
        shared_bucket.overwrite(name, small[: 2 * MEBIBYTE] + bytes(MEBIBYTE) + small[3 * MEBIBYTE :])
    elif damage == "cut":
        shared_bucket.overwrite(name, small[: 2 * MEBIBYTE + 5])
    else:
        shared_bucket.remove(name)

    received = download(alpha, token)

    assert received.data == (b"" if damage == "removed" else small[: 2 * MEBIBYTE])
    assert (received.refusal.reason, received.refusal.code) == ("DOCUMENT_CORRUPT", "DATA_LOSS")
    assert get(alpha, document.id).corrupt is True


@pytest.fixture(scope="module")
def gate(s3):
    with Gate(s3.port) as gate:
        yield gate


@pytest.fixture(scope="module")
def gated_bucket(s3):
    return s3.bucket()


@pytest.fixture(scope="module")
def gated(gated_bucket, gate, tmp_path_factory):
    """A server whose way to the bucket leads through the gate, which tests leave open."""
    with serving_from(gated_bucket, tmp_path_factory.mktemp("gated"), port=gate.port) as server:
        yield server


@pytest.mark.one_database
def test_while_the_bucket_is_out_of_reach_everything_says_so_and_after_that_it_works(gated_bucket, gated, gate):
    alpha, upload_spec, begun = gated.stubs(), spec("scan.pdf"), spec("scan.pdf")
    document = store(alpha, SMALL, "scan.pdf")
    token, write_token = token_for(alpha, document.id), upload(alpha, b"waits").write_token
    alpha.uploads.WriteUpload(messages(begun, LARGE[:CHECKPOINT], finish=False))
    gate.shut()

    refusals = [
        expect_refusal("STORAGE_UNAVAILABLE", alpha.uploads.WriteUpload, messages(upload_spec, SMALL)),
        expect_refusal("STORAGE_UNAVAILABLE", alpha.uploads.WriteUpload, rest(begun.upload_id, LARGE, CHECKPOINT)),
        download(alpha, token).refusal,
    ]
    assert {(refusal.reason, refusal.code) for refusal in refusals} == {("STORAGE_UNAVAILABLE", "UNAVAILABLE")}
    assert all(refusal.retry_after_seconds for refusal in refusals)
    assert "127.0.0.1" not in "".join(refusal.message for refusal in refusals)
    assert "127.0.0.1" in gated.output(), "the log says what could not be reached"
    assert get(alpha, document.id).corrupt is False
    assert confirm(alpha, write_token).corrupt is False, "confirming moves no bytes"
    assert scratch_files(gated) == []

    gate.open()
    assert download(alpha, token).data == SMALL
    assert alpha.uploads.WriteUpload(messages(upload_spec, SMALL)).result.document.size_bytes == len(SMALL)
    again = status(alpha, begun.upload_id).persisted_size
    assert again == CHECKPOINT
    assert alpha.uploads.WriteUpload(rest(begun.upload_id, LARGE, again)).result.document.size_bytes == len(LARGE)
    assert gated_bucket.objects("documents/spool/") == {}


@pytest.mark.one_database
def test_a_download_goes_on_over_a_connection_to_the_bucket_that_broke(gated, gate):
    alpha = gated.stubs()
    token = token_for(alpha, store(alpha, LARGE, "scan.pdf").id)
    with ThreadPoolExecutor(1) as pool:
        received = pool.submit(download, alpha, token)
        while not received.done():
            gate.cut()
            time.sleep(0.05)
        answer = received.result()
    assert answer.refusal is None or answer.refusal.reason == "STORAGE_UNAVAILABLE"
    assert answer.data == LARGE[: len(answer.data)]
    assert download(alpha, token).data == LARGE


@pytest.mark.one_database
def test_the_client_library_goes_on_by_itself_once_the_bucket_is_back(gated, gate, tmp_path):
    source = tmp_path / "scan.pdf"
    source.write_bytes(LARGE)

    def progress(sent, _):
        if sent == 20 * MEBIBYTE and not gone.is_set():
            gone.set()
            gate.shut()

    gone, refused = Event(), gated.output().count("STORAGE_UNAVAILABLE")
    with ThreadPoolExecutor(1) as pool, gated.client() as client:
        uploading = pool.submit(client.upload, source, progress=progress)
        wait_until(
            lambda: gated.output().count("STORAGE_UNAVAILABLE") > refused or uploading.done(), "a stream was refused", seconds=60
        )
        gate.open()
        document = uploading.result(60).document

    assert document.sha256 == hashlib.sha256(LARGE).hexdigest()


# ---- starting ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["no bucket", "nobody there", "no boto3", "unknown option", "credentials in the url"])
@pytest.mark.one_database
def test_a_storage_that_cannot_be_used_is_told_at_the_start(s3, tmp_path, what):
    missing = tmp_path / "without" / "boto3.py"
    missing.parent.mkdir()
    missing.write_text("raise ImportError('No module named boto3')")
    here = f"endpoint_url=http://127.0.0.1:{s3.port}&region=us-east-1"
    url, words = {
        "no bucket": (f"s3://nowhere?{here}", "there is no such bucket; create it"),
        "nobody there": (f"s3://bucket?endpoint_url=http://127.0.0.1:{free_port()}", "cannot be reached"),
        "no boto3": (f"s3://bucket?{here}", "pip install 'osis-document[s3]'"),
        "unknown option": (f"s3://bucket?{here}&acl=public", "'acl' is no option of S3"),
        "credentials in the url": ("s3://AKIAXYZ:hush-hush@bucket", "AWS_SECRET_ACCESS_KEY"),
    }[what]
    environment = ENVIRONMENT | ({"PYTHONPATH": str(missing.parent)} if what == "no boto3" else {})

    with ServerProcess(tmp_path / "server", environment=environment, STORAGE_URL=url) as server:
        assert server.wait(seconds=60) == 1
        output = server.output()

    assert words in output
    assert "OSIS_DOCUMENT_STORAGE_URL" in output
    assert "Traceback" not in output
    assert "hush-hush" not in output


@pytest.mark.one_database
def test_boto3_is_imported_only_where_it_is_used():
    code = """
        import sys
        import osis_document_server.cli
        assert not {"boto3", "botocore", "s3transfer"} & sys.modules.keys()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
