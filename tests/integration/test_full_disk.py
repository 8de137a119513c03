"""A disk without room: uploads are refused, nothing of them stays, and the service goes on."""

import os
import shutil
import subprocess
from threading import Event

import pytest

from osis.document.v1.upload_service_pb2 import StartUploadRequest
from tests.support import files
from tests.support.availability import give_up
from tests.support.downloads import content_of
from tests.support.refusals import expect_refusal
from tests.support.resuming import status
from tests.support.server import serving
from tests.support.uploads import MEBIBYTE, messages, spec, store, upload
from tests.support.waiting import wait_until

pytestmark = pytest.mark.one_database


def test_a_floor_above_the_free_space_refuses_uploads_and_says_when_to_come_back(tmp_path):
    floor = 1 << 60
    with serving(tmp_path / "floor", DISK_FLOOR=str(floor)) as server:
        refusal = expect_refusal("STORAGE_FULL", server.stubs().uploads.WriteUpload, messages(spec(), b"content"))

        assert refusal.metadata["floor_bytes"] == str(floor)
        assert 0 < int(refusal.metadata["free_bytes"]) < floor
        assert refusal.retry_after_seconds > 0
        assert server.blob_files() == {}


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory):
    """A file system of eight mebibytes."""
    if os.geteuid() != 0:
        give_up("only root can mount a small file system")
    folder = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        give_up(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture(scope="module")
def cramped(small_disk, tmp_path_factory):
    """A server whose blobs are on the small disk."""
    with serving(tmp_path_factory.mktemp("cramped"), STORAGE_URL=f"file://{small_disk}") as running:
        yield running


@pytest.mark.slow
def test_a_file_larger_than_the_disk_is_refused_and_nothing_of_it_stays(cramped, small_disk):
    before = cramped.blob_files(small_disk).keys()

    refusal = expect_refusal(
        "STORAGE_FULL", cramped.stubs().uploads.WriteUpload, messages(spec("scan.pdf"), files.pdf_of_size(12 * MEBIBYTE))
    )

    assert refusal.retry_after_seconds > 0
    wait_until(lambda: cramped.blob_files(small_disk).keys() == before, "nothing stays")


@pytest.mark.slow
def test_after_a_full_disk_the_service_takes_what_there_is_room_for(cramped):
    stubs = cramped.stubs()
    kept = store(stubs, b"kept before")
    expect_refusal("STORAGE_FULL", stubs.uploads.WriteUpload, messages(spec("scan.pdf"), files.pdf_of_size(12 * MEBIBYTE)))

    content = files.pdf_of_size(2 * MEBIBYTE)
    document = store(stubs, content, "scan.pdf")

    assert content_of(stubs, document.id) == content
    assert content_of(stubs, kept.id) == b"kept before"


@pytest.mark.slow
def test_a_full_disk_refuses_the_upload_that_filled_it_and_no_other_under_way(cramped):
    stubs, upload_spec, content, refused = cramped.stubs(), spec("small.pdf"), files.pdf_of_size(2 * MEBIBYTE, seed=3), Event()

    def send():
        [first, last] = messages(upload_spec, content)
        yield first
        refused.wait(30)
        yield last

    under_way = stubs.uploads.WriteUpload.future(send())
    expect_refusal("STORAGE_FULL", upload, stubs, files.pdf_of_size(12 * MEBIBYTE), "scan.pdf")
    refused.set()

    assert under_way.result().result.document.size_bytes == len(content)


@pytest.mark.slow
def test_a_file_that_would_not_leave_the_floor_is_refused_before_its_bytes(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    with serving(tmp_path / "floor", DISK_FLOOR=str(free // 2)) as server:
        declared = spec("scan.pdf", size_bytes=free)
        refusal = expect_refusal(
            "STORAGE_FULL", server.stubs().uploads.WriteUpload, messages(declared, b"%PDF-1.7", finish=False)
        )

        assert int(refusal.metadata["floor_bytes"]) == free // 2
        assert f"{free} bytes are to come, and do not fit" in refusal.message
        assert server.blob_files() == {}


@pytest.mark.slow
def test_a_start_tells_that_a_file_does_not_fit_and_registers_nothing(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    with serving(tmp_path / "floor", DISK_FLOOR=str(free // 2)) as server:
        stubs, large, small = server.stubs(), spec("scan.pdf", size_bytes=free), spec("note.txt", size_bytes=7)

        refusal = expect_refusal("STORAGE_FULL", stubs.uploads.StartUpload, StartUploadRequest(upload_spec=large))
        expect_refusal("UPLOAD_NOT_FOUND", status, stubs, large.upload_id)
        finished = [stubs.uploads.WriteUpload(messages(small, b"content")).result for _ in range(2)]

        assert f"{free} bytes are to come, and do not fit" in refusal.message
        assert refusal.metadata["floor_bytes"] == str(free // 2)
        assert refusal.retry_after_seconds > 0
        assert stubs.uploads.StartUpload(StartUploadRequest(upload_spec=small)).result.document == finished[0].document


@pytest.mark.slow
def test_a_disk_down_to_its_floor_lets_no_upload_start_and_still_answers_those_that_are_finished(tmp_path):
    small = spec("note.txt", size_bytes=7)
    with serving(tmp_path / "floor") as server:
        server.stubs().uploads.WriteUpload(messages(small, b"content"))
    with serving(tmp_path / "floor", DISK_FLOOR=str(1 << 60)) as server:
        uploads = server.stubs().uploads

        refusal = expect_refusal("STORAGE_FULL", uploads.StartUpload, StartUploadRequest(upload_spec=spec()))

        assert "down to the space that it keeps free" in refusal.message
        assert uploads.StartUpload(StartUploadRequest(upload_spec=small)).result.document.size_bytes == 7
