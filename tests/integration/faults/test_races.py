"""Several clients at the same upload at the same moment, and streams that outlive their upload."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from osis.document.v1.upload_service_pb2 import CancelUploadRequest
from tests.support import files
from tests.support.downloads import content_of
from tests.support.outcomes import outcome_of, reason_of
from tests.support.resuming import rest, status
from tests.support.server import serving
from tests.support.strace import tracing
from tests.support.uploads import MEBIBYTE, confirm, spec
from tests.support.waiting import wait_until
from tests.support.write_stream import WriteStream
from tests.torture.loops.upload_races import race
from tests.torture.progress import Progress

OLD, NEW = b"old " * 1000, b"new " * 1000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_clients_that_meet_over_one_upload_all_see_the_same_outcome(tmp_path, seed):
    race(tmp_path / "server", Progress({"races": 36}), seed=seed)


@pytest.fixture
def begun_twice(server, alpha):
    """A stream of an upload that was cancelled, and one of an upload that was begun with the same id since."""
    upload = spec()
    streams = []
    for content in (OLD, NEW):
        streams.append(WriteStream(alpha, upload))
        wait_until(lambda: not reason_of(outcome_of(status, alpha, upload.upload_id)), "the stream has begun")
        streams[-1].write(0, content)
        wait_until(lambda content=content: content in segments(server), "its bytes have arrived")
        if content is OLD:
            alpha.uploads.CancelUpload(CancelUploadRequest(upload_id=upload.upload_id))
    yield upload, *streams
    for stream in streams:
        stream.close()


def segments(server):
    """What was written of uploads that are not finished."""
    return {path.read_bytes() for path in (server.data / "blobs/spool").iterdir()}


@pytest.mark.parametrize("leave", ["finish", "end"])
def test_a_stream_of_a_cancelled_upload_cannot_touch_the_one_that_has_its_id_since(alpha, begun_twice, leave):
    upload, old, new = begun_twice

    answer = old.finish(len(OLD), sha256=hashlib.sha256(OLD).hexdigest()) if leave == "finish" else old.end()

    assert reason_of(answer) in {"WRITER_SUPERSEDED", "UPLOAD_CANCELLED"}
    assert status(alpha, upload.upload_id).persisted_size == 0
    result = new.finish(len(NEW), sha256=hashlib.sha256(NEW).hexdigest()).result
    confirm(alpha, result.write_token)
    assert content_of(alpha, upload.upload_id) == NEW


def test_bytes_that_are_safe_stay_so_when_a_stream_of_an_upload_ends_that_had_the_same_id(alpha, begun_twice):
    upload, old, new = begun_twice
    assert new.end().persisted_size == len(NEW)

    assert reason_of(old.end()) in {"WRITER_SUPERSEDED", "UPLOAD_CANCELLED"}

    assert status(alpha, upload.upload_id).persisted_size == len(NEW)
    result = alpha.uploads.WriteUpload(rest(upload, NEW + b"and more", len(NEW))).result
    assert result.document.sha256 == hashlib.sha256(NEW + b"and more").hexdigest()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.one_database
def test_a_stream_that_loses_its_upload_while_its_blob_is_stored_takes_nothing_from_the_one_that_goes_on(tmp_path):
    content = files.pdf_of_size(66 * MEBIBYTE)
    with serving(tmp_path / "server") as server:
        stubs, upload = server.stubs(), spec("scan.pdf")
        first = WriteStream(stubs, upload)
        for start in range(0, len(content), MEBIBYTE):
            first.write(start, content[start : start + MEBIBYTE])
        wait_until(lambda: status(stubs, upload.upload_id).persisted_size >= 64 * MEBIBYTE, "a checkpoint", seconds=30)
        [segment] = (server.data / "blobs/spool").iterdir()
        with ThreadPoolExecutor() as pool:
            with tracing(server, "inject=fsync:delay_enter=30s:when=1"):
                answer = pool.submit(first.finish, len(content))
                wait_until(lambda: segment.stat().st_mode & 0o777 == 0o400, "it is about to be synced", seconds=20)
                second = WriteStream(stubs, upload)
                wait_until(lambda: server.rows("upload")[0]["epoch"] == 2, "another stream has taken the upload over")
            # Nothing holds the first stream up any more: it goes on to make its segment a blob.
            lost = answer.result()

        assert reason_of(lost) == "WRITER_SUPERSEDED"
        safe = status(stubs, upload.upload_id).persisted_size
        assert safe >= 64 * MEBIBYTE
        second.write(safe, content[safe:])
        result = second.finish(len(content), sha256=hashlib.sha256(content).hexdigest()).result
        confirm(stubs, result.write_token)
        assert content_of(stubs, upload.upload_id) == content
        assert server.blob_files().keys() == {row["key"] for row in server.rows("blob")}, "and nothing else is left"
