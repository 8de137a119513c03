"""A disk that reports errors, one that is full, and crashes between any two calls: nothing is acknowledged that is not so."""

import os
import shutil
import subprocess
from threading import Event

import pytest

from tests.support import files, seeds
from tests.support.availability import give_up
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.killed_calls import survive_kills
from tests.support.outcomes import outcome_of, reason_of
from tests.support.refusals import expect_refusal
from tests.support.resuming import rest, status
from tests.support.s3_server import ENVIRONMENT, S3Process
from tests.support.server import serving
from tests.support.strace import tracing
from tests.support.uploads import MEBIBYTE, confirm, messages, spec, store, token_for, upload
from tests.support.waiting import wait_until

# What is tested is the disk; on PostgreSQL the database would be on another.
pytestmark = [pytest.mark.one_database, pytest.mark.slow]

CONTENT = files.pdf_of_size(2 * MEBIBYTE + 7, seed=41)
#: More than one checkpoint of a local disk, which is made every 64 MiB.
LARGE = files.pdf_of_size(66 * MEBIBYTE, seed=42)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("server"), TEMP_UPLOAD_MAX_AGE="3600", SWEEP_SECONDS="3600") as running:
        yield running


@pytest.fixture(scope="module")
def alpha(server):
    return server.stubs()


@pytest.mark.parametrize(
    ("call", "which"),
    [("fsync", "1"), ("fsync", "2"), ("?rename,?renameat,?renameat2", "1")],
    ids=["syncing the file", "syncing its folder", "renaming"],
)
def test_a_disk_that_reports_an_error_is_told_and_nothing_of_the_upload_stays(server, alpha, call, which):
    kept, upload_spec = store(alpha, CONTENT, "scan.pdf"), spec("scan.pdf")

    with tracing(server, f"inject={call}:error=EIO:when={which}"):
        refusal = expect_refusal("STORAGE_UNAVAILABLE", alpha.uploads.WriteUpload, messages(upload_spec, CONTENT))

    assert "Input/output error" in refusal.message
    assert refusal.retry_after_seconds
    expect_refusal("DOCUMENT_NOT_FOUND", get, alpha, upload_spec.upload_id)
    expect_refusal("UPLOAD_NOT_FOUND", status, alpha, upload_spec.upload_id)
    assert server.blob_files().keys() == {row["key"] for row in server.rows("blob")}, "no file without a row"

    document = alpha.uploads.WriteUpload(messages(upload_spec, CONTENT)).result.document
    assert document.id == upload_spec.upload_id, "the same upload works once the disk does"
    assert content_of(alpha, kept.id) == CONTENT


def test_an_error_at_a_checkpoint_keeps_what_was_safe_before_and_no_more(server, alpha):
    upload_spec = spec("scan.pdf")
    alpha.uploads.WriteUpload(messages(upload_spec, LARGE[:MEBIBYTE], finish=False))

    # In the thread of the stream: the first is that of the database, where the upload is taken over. (From the second on, as the
    # database may tidy up in between, where errors do no harm.)
    with tracing(server, "inject=fdatasync:error=EIO:when=2+"):
        expect_refusal("STORAGE_UNAVAILABLE", alpha.uploads.WriteUpload, rest(upload_spec, LARGE, MEBIBYTE))

    assert status(alpha, upload_spec.upload_id).persisted_size == MEBIBYTE
    document = alpha.uploads.WriteUpload(rest(upload_spec, LARGE, MEBIBYTE)).result.document
    assert content_of(alpha, document.id) == LARGE


def test_a_database_that_cannot_commit_has_acknowledged_nothing_and_what_was_stored_is_removed(tmp_path):
    with serving(tmp_path / "server", TEMP_UPLOAD_MAX_AGE="4", SWEEP_SECONDS="0.5") as server:
        alpha, upload_spec = server.stubs(), spec("scan.pdf")
        with tracing(server, "inject=fdatasync:error=EIO:when=2+"):
            expect_refusal("DATABASE_UNAVAILABLE", alpha.uploads.WriteUpload, messages(upload_spec, CONTENT))

        expect_refusal("DOCUMENT_NOT_FOUND", get, alpha, upload_spec.upload_id)
        wait_until(lambda: server.blob_files() == {}, "nothing stays after its age", seconds=30)
        assert content_of(alpha, store(alpha, CONTENT, "scan.pdf").id) == CONTENT


@pytest.mark.parametrize("loss", ["removed", "cut"])
def test_bytes_of_an_unfinished_upload_that_were_lost_are_told_and_it_begins_anew(server, alpha, loss):
    upload_spec = spec("scan.pdf")
    alpha.uploads.WriteUpload(messages(upload_spec, CONTENT[:MEBIBYTE], finish=False))
    [segment] = (server.data / "blobs/spool").glob(f"{upload_spec.upload_id.replace('-', '')}.*")
    if loss == "removed":
        segment.unlink()
    else:
        os.truncate(segment, MEBIBYTE - 1)

    refusal = expect_refusal("UPLOAD_NOT_FOUND", alpha.uploads.WriteUpload, rest(upload_spec.upload_id, CONTENT, MEBIBYTE))

    assert "lost" in refusal.message
    document = alpha.uploads.WriteUpload(messages(upload_spec, CONTENT)).result.document
    assert content_of(alpha, document.id) == CONTENT
    assert list((server.data / "blobs/spool").iterdir()) == []


def test_a_read_error_is_no_damage(server, alpha):
    content = files.pdf_of_size(2 * MEBIBYTE, seed=43)
    document = store(alpha, content, "scan.pdf")
    token = token_for(alpha, document.id)

    with tracing(server, "inject=pread64:error=EIO:when=2+", path=server.blob_file_of(content)):
        received = download(alpha, token)

    assert received.refusal.reason == "STORAGE_UNAVAILABLE"
    assert received.data == content[:MEBIBYTE]
    assert download(alpha, token).data == content
    assert get(alpha, document.id).corrupt is False


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_server_killed_between_any_two_calls_keeps_what_it_acknowledged_and_nothing_else(tmp_path):
    seed = seeds.chosen()
    print(f"seed {seed}; to repeat it: {seeds.VARIABLE}={seed}")

    assert survive_kills(tmp_path / "server", runs=8, seed=seed) >= 5


# ---- full disks --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of eight mebibytes."""
    if os.geteuid() != 0:
        give_up("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_the_floor_leaves_the_database_room_to_go_on(small_disk):
    with serving(small_disk / "server", DISK_FLOOR=str(2 * MEBIBYTE)) as server:
        alpha = server.stubs()
        waiting = upload(alpha, b"waits")
        taken = []
        while len(taken) < 8:
            answer = upload_or_refusal(alpha, MEBIBYTE)
            if answer is None:
                break
            taken.append(answer)
        else:
            pytest.fail("eight mebibytes were stored where there are not as many")

        assert shutil.disk_usage(small_disk).free >= 2 * MEBIBYTE
        assert confirm(alpha, waiting.write_token).size_bytes == len(b"waits")
        for result in taken:
            assert content_of(alpha, confirm(alpha, result.write_token).id)[:5] == b"%PDF-"


def upload_or_refusal(stubs, size_bytes):
    """A finished upload; None if there is no room for it."""
    answer = outcome_of(stubs.uploads.WriteUpload, messages(spec("scan.pdf"), files.pdf_of_size(size_bytes)))
    assert reason_of(answer) in {"", "STORAGE_FULL"}
    return None if reason_of(answer) else answer.result


def test_a_full_local_disk_in_front_of_s3_is_told_and_nothing_stays_there_or_in_the_bucket(small_disk, tmp_path):
    with S3Process(tmp_path / "s3") as s3:
        bucket = s3.bucket()
        settings = {"STORAGE_URL": bucket.url(), "DATA_DIR": str(small_disk / "data")}
        with serving(tmp_path / "server", environment=ENVIRONMENT, **settings) as server:
            alpha = server.stubs()
            refusal = expect_refusal("STORAGE_FULL", upload, alpha, files.pdf_of_size(12 * MEBIBYTE), "scan.pdf")

            assert refusal.retry_after_seconds
            assert list((small_disk / "data" / "spool").iterdir()) == []
            assert bucket.objects() == {}
            assert content_of(alpha, store(alpha, CONTENT, "scan.pdf").id) == CONTENT


# ---- folders that go ---------------------------------------------------------------------------------------------------------


def test_a_folder_of_unfinished_uploads_that_somebody_removes_is_made_again_and_told(server, alpha):
    half = spec("scan.pdf")
    alpha.uploads.WriteUpload(messages(half, CONTENT[:MEBIBYTE], finish=False))
    shutil.rmtree(server.data / "blobs/spool")

    document = store(alpha, CONTENT, "scan.pdf")

    assert content_of(alpha, document.id) == CONTENT
    assert "the folder of unfinished uploads was gone" in server.output()
    refusal = expect_refusal("UPLOAD_NOT_FOUND", alpha.uploads.WriteUpload, rest(half.upload_id, CONTENT, MEBIBYTE))
    assert "lost" in refusal.message


def test_an_upload_under_way_whose_folder_is_removed_is_told_of_the_storage_and_not_of_another_stream(server, alpha):
    upload_spec, removed = spec("scan.pdf"), Event()

    def send():
        first, second, *others = messages(upload_spec, CONTENT)
        yield first
        removed.wait(30)
        yield second
        yield from others

    under_way = alpha.uploads.WriteUpload.future(send())
    segments = server.data / "blobs/spool"
    name = upload_spec.upload_id.replace("-", "")
    wait_until(lambda: [file.stat().st_size for file in segments.glob(f"{name}.*")] == [MEBIBYTE], "the first has arrived")
    shutil.rmtree(segments)
    removed.set()

    refusal = expect_refusal("STORAGE_UNAVAILABLE", under_way.result)
    assert refusal.retry_after_seconds
    assert "a segment has vanished" in server.output()
    document = alpha.uploads.WriteUpload(messages(upload_spec, CONTENT)).result.document
    assert content_of(alpha, document.id) == CONTENT
