"""A server that is killed."""

import hashlib

import grpc
import pytest

from tests.support import files
from tests.support.downloads import content_of
from tests.support.leftovers import FORGETFUL, require_nothing_beside
from tests.support.outcomes import outcome_of, reason_of
from tests.support.restarting import RestartingServer
from tests.support.resuming import rest, status
from tests.support.strace import tracing
from tests.support.uploads import MEBIBYTE, confirm, spec
from tests.support.waiting import wait_until
from tests.support.write_stream import WriteStream
from tests.torture.loops.killed_server import kill_server
from tests.torture.progress import Progress

#: What is made safe on the way.
CHECKPOINT = 64 * MEBIBYTE


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_a_killed_server_has_acknowledged_is_there_and_nothing_else_stays(tmp_path, seed):
    kill_server(tmp_path / "server", Progress({"uploads": 20, "kills": 5}), seed=seed)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.one_database
def test_an_upload_whose_blob_was_in_place_when_the_server_died_goes_on_from_where_it_says(tmp_path):
    content = files.pdf_of_size(CHECKPOINT + 2 * MEBIBYTE)
    with RestartingServer(tmp_path / "server") as server:
        alpha, upload = server.stubs(), spec("scan.pdf", size_bytes=len(content))
        stream = WriteStream(alpha, upload)
        for start in range(0, len(content), MEBIBYTE):
            stream.write(start, content[start : start + MEBIBYTE])
        wait_until(lambda: safe_bytes(alpha, upload) >= CHECKPOINT, "a checkpoint", seconds=30)
        # In the thread of the stream: the file is synced, renamed to be the blob, and then its folder is synced.
        with tracing(server.process, "inject=fsync:signal=KILL:when=2"):
            with pytest.raises(grpc.RpcError):
                stream.finish(len(content), sha256=hashlib.sha256(content).hexdigest())
            server.process.wait(seconds=20)
        assert server.process.blob_file_of(content).parent.name != "spool"

        server.start()
        result = alpha.uploads.WriteUpload(rest(upload, content, safe_bytes(alpha, upload))).result

        confirm(alpha, result.write_token)
        assert content_of(alpha, upload.upload_id) == content
        server.start(**FORGETFUL)
        require_nothing_beside(server.process, [upload.upload_id])


def safe_bytes(stubs, upload):
    answer = outcome_of(status, stubs, upload.upload_id)
    return 0 if reason_of(answer) == "UPLOAD_NOT_FOUND" else answer.persisted_size
