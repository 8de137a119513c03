"""A storage and a database that belong together: no other one is ever taken for it, nor one that is gone for an empty one."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.refusals import expect_refusal
from tests.support.resuming import status
from tests.support.s3_server import ENVIRONMENT, S3Process
from tests.support.server import ServerProcess, serving
from tests.support.uploads import messages, spec, store, token_for
from tests.support.waiting import wait_until

pytestmark = pytest.mark.one_database


@pytest.fixture
def disk(tmp_path):
    """A folder that stands for a disk: renamed away, it is not mounted."""
    return tmp_path / "mnt"


@pytest.fixture
def settings(disk):
    return {"STORAGE_URL": f"file://{disk}/blobs", "SCRUB_SECONDS": "0"}


@pytest.fixture
def document(tmp_path, settings):
    """A document that a server has stored on the disk, which has ended since."""
    with serving(tmp_path / "server", **settings) as server:
        return store(server.stubs(), b"on the disk")


def refused(folder, *, environment=None, **settings):
    """What a server says that does not start."""
    with ServerProcess(folder, environment=environment, **settings) as server:
        assert server.wait(seconds=40) == 1, server.output()
        assert "Traceback" not in server.output()
        return server.output()


def expect_content(folder, document, content, **settings):
    with serving(folder, **settings) as server:
        assert content_of(server.stubs(), document.id) == content
        assert get(server.stubs(), document.id).corrupt is False


def test_a_server_does_not_start_without_its_disk_and_leaves_nothing_in_its_place(tmp_path, disk, settings, document):
    disk.rename(tmp_path / "unmounted")

    for make in (lambda: None, disk.mkdir):
        make()
        output = refused(tmp_path / "server", **settings)

        assert f"OSIS_DOCUMENT_STORAGE_URL=file://{disk}/blobs" in output
        assert "does not belong to OSIS_DOCUMENT_DATABASE_URL" in output
        assert "not mounted" in output
        assert "osis-document-server adopt-storage" in output
        assert not (disk / "blobs").exists()

    disk.rmdir()
    (tmp_path / "unmounted").rename(disk)
    expect_content(tmp_path / "server", document, b"on the disk", **settings)


@pytest.mark.slow
def test_neither_does_a_command_beside_it(tmp_path, disk, settings, document):
    with ServerProcess(tmp_path / "server", **settings) as server:
        assert server.target
        server.stop()
        disk.rename(tmp_path / "unmounted")
        for words in (["scrub"], ["sweep"]):
            done = server.command(*words)
            assert done.returncode == 1
            assert "does not belong to" in done.stderr
            assert "Traceback" not in done.stderr
        (tmp_path / "unmounted").rename(disk)
        assert server.command("scrub").returncode == 0


@pytest.mark.slow
def test_a_storage_that_cannot_be_made_is_told_by_commands_too(tmp_path):
    with ServerProcess(tmp_path / "server", STORAGE_URL="file:///proc/nowhere") as server:
        assert server.wait(seconds=40) == 1
        done = server.command("scrub")

    assert done.returncode == 1
    assert "OSIS_DOCUMENT_STORAGE_URL=file:///proc/nowhere: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_two_servers_do_not_serve_one_database_from_different_storages(tmp_path, settings):
    with serving(tmp_path / "first", **settings) as first:
        database = f"sqlite:///{first.data / 'osis-document.db'}"
        output = refused(tmp_path / "second", DATABASE_URL=database)

        assert "does not belong to" in output
        assert not (tmp_path / "second" / "data" / "blobs").exists()
        with serving(tmp_path / "third", DATABASE_URL=database, **settings) as third:
            document = store(first.stubs(), b"shared")
            assert content_of(third.stubs(), document.id) == b"shared"


@pytest.mark.slow
def test_neither_do_they_when_they_start_together(tmp_path):
    database = f"sqlite:///{tmp_path / 'shared.db'}"
    servers = [ServerProcess(tmp_path / str(number), DATABASE_URL=database) for number in range(2)]
    try:
        for server in servers:
            wait_until(
                lambda server=server: server.process.poll() is not None or "is serving" in server.output(),
                "it ends or serves",
                seconds=60,
            )
        assert sorted("does not belong to" in server.output() for server in servers) == [False, True]
    finally:
        for server in servers:
            server.end()


@pytest.mark.slow
def test_servers_that_start_together_with_one_storage_agree(tmp_path, settings):
    settings["DATABASE_URL"] = f"sqlite:///{tmp_path / 'shared.db'}"
    with ThreadPoolExecutor(3) as pool:
        servers = list(pool.map(lambda number: ServerProcess(tmp_path / str(number), **settings), range(3)))
    try:
        document = store(servers[0].stubs(), b"shared")
        assert [content_of(server.stubs(), document.id) for server in servers] == [b"shared"] * 3
    finally:
        for server in servers:
            server.end()


@pytest.mark.slow
def test_a_service_from_before_identities_goes_on_with_its_storage_as_it_is(tmp_path, disk, settings, document):
    forget(tmp_path / "server", disk)

    expect_content(tmp_path / "server", document, b"on the disk", **settings)
    disk.rename(tmp_path / "unmounted")
    assert "does not belong to" in refused(tmp_path / "server", **settings)


def forget(folder, disk):
    """Makes a service what it was before storages had identities."""
    (disk / "blobs" / "storage-id").unlink()
    with closing(sqlite3.connect(folder / "data" / "osis-document.db")) as database, database:
        database.execute("DELETE FROM storage_identity")


@pytest.mark.slow
def test_a_storage_that_was_restored_without_its_identity_is_adopted_on_demand(tmp_path, disk, settings, document):
    (disk / "blobs" / "storage-id").unlink()
    with ServerProcess(tmp_path / "server", **settings) as server:
        assert server.wait(seconds=40) == 1
        done = server.command("adopt-storage")

    assert done.returncode == 0, done.stderr
    expect_content(tmp_path / "server", document, b"on the disk", **settings)


@pytest.mark.slow
def test_a_storage_with_another_identity_keeps_it_when_it_is_adopted(tmp_path, disk, settings, document):
    (disk / "blobs" / "storage-id").write_text("ab" * 16 + "\n")
    with ServerProcess(tmp_path / "server", **settings) as server:
        assert server.wait(seconds=40) == 1
        assert server.command("adopt-storage").returncode == 0

    assert (disk / "blobs" / "storage-id").read_text().strip() == "ab" * 16
    expect_content(tmp_path / "server", document, b"on the disk", **settings)


@pytest.mark.slow
def test_an_empty_folder_is_adopted_only_by_force(tmp_path, disk, settings, document):
    disk.rename(tmp_path / "unmounted")
    with ServerProcess(tmp_path / "server", **settings) as server:
        assert server.wait(seconds=40) == 1
        done = server.command("adopt-storage")
        assert done.returncode == 1
        assert "the oldest of the database's blobs" in done.stderr
        assert not disk.exists()

        assert server.command("adopt-storage", "--force").returncode == 0

    with serving(tmp_path / "server", **settings) as server:
        assert download(server.stubs(), token_for(server.stubs(), document.id)).refusal.reason == "DOCUMENT_CORRUPT"


@pytest.mark.slow
@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
def test_a_disk_that_goes_while_it_serves_marks_nothing_and_takes_nothing(tmp_path, disk, settings, document, left):
    settings |= {"SCRUB_SECONDS": "0.3", "SCRUB_BYTES_PER_SECOND": "1000000000", "SWEEP_SECONDS": "0.2"}
    with serving(tmp_path / "server", **settings) as server:
        stubs = server.stubs()
        token, upload_spec = token_for(stubs, document.id), spec()
        disk.rename(tmp_path / "unmounted")
        if left == "an empty folder":
            (disk / "blobs").mkdir(parents=True)

        received = download(stubs, token)
        refusal = expect_refusal("STORAGE_UNAVAILABLE", stubs.uploads.WriteUpload, messages(upload_spec, b"content"))
        wait_until(lambda: "thread=scrubber" in server.output(), "the scrubber has met it", seconds=20)

        assert (received.refusal.reason, received.data) == ("STORAGE_UNAVAILABLE", b"")
        assert received.refusal.retry_after_seconds
        assert refusal.retry_after_seconds
        assert "the storage is gone" in server.output()
        expect_refusal("UPLOAD_NOT_FOUND", status, stubs, upload_spec.upload_id)

        if disk.exists():
            shutil.rmtree(disk)
        (tmp_path / "unmounted").rename(disk)
        assert download(stubs, token).data == b"on the disk"
        assert get(stubs, document.id).corrupt is False
        assert stubs.uploads.WriteUpload(messages(upload_spec, b"content")).result.document.size_bytes == 7
        assert "Traceback" not in server.output()


@pytest.mark.slow
def test_a_bucket_of_another_database_is_refused_and_found_again_by_its_own(tmp_path):
    with S3Process(tmp_path / "s3") as s3:
        own, other = s3.bucket(), s3.bucket()
        with serving(tmp_path / "server", environment=ENVIRONMENT, STORAGE_URL=own.url()) as server:
            document = store(server.stubs(), b"in the bucket")
            token = token_for(server.stubs(), document.id)
            [name] = own.objects()
            identity = own.content("documents/storage-id")
            own.remove(name)
            own.remove("documents/storage-id")
            assert download(server.stubs(), token).refusal.reason == "STORAGE_UNAVAILABLE"
            own.overwrite(name, b"in the bucket")
            assert download(server.stubs(), token).data == b"in the bucket"

        output = refused(tmp_path / "server", environment=ENVIRONMENT, STORAGE_URL=other.url())
        assert other.url() in output
        assert "does not belong to" in output
        assert "does not belong to" in refused(tmp_path / "server", environment=ENVIRONMENT, STORAGE_URL=own.url())
        own.overwrite("documents/storage-id", identity)
        with serving(tmp_path / "server", environment=ENVIRONMENT, STORAGE_URL=own.url()) as server:
            assert server.command("scrub").returncode == 0
            assert content_of(server.stubs(), document.id) == b"in the bucket"
