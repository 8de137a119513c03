"""SIGTERM: the server lets what is under way end, for a while, and ends cleanly itself."""

import time

import grpc
import pytest

from osis.document.v1.post_processing_service_pb2 import WatchPostProcessingRequest
from osis.document.v1.upload_service_pb2 import GetUploadStatusRequest, WriteUploadRequest
from tests.support import files, jobs
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.refusals import refusal_of
from tests.support.server import ServerProcess, serving
from tests.support.slow_upload import SlowUpload
from tests.support.uploads import MEBIBYTE, messages, spec, store
from tests.support.waiting import wait_until


@pytest.fixture
def server(tmp_path):
    """A server of the test's own, which lets calls under way take two seconds to end."""
    with serving(tmp_path / "server", STOP_GRACE_SECONDS="2") as running:
        yield running


def test_a_server_without_calls_ends_at_once_and_takes_its_address_back(server):
    assert server.client_file() == {"target": server.target, "api_key": "alpha-secret"}

    assert server.stop(seconds=10) == 0
    assert server.client_file() is None


def test_an_upload_that_ends_in_time_is_kept(server, tmp_path):
    content = files.pdf_of_size(2 * MEBIBYTE)
    upload = SlowUpload(server, content)

    server.terminate()
    server.wait_for_output("stopping")
    upload.go_on.set()
    result = upload.call.result(10).result

    assert server.wait(seconds=10) == 0
    with serving(tmp_path / "server") as again:
        assert get(again.stubs(), result.document.id) == result.document
        assert download(again.stubs(), result.write_token).data == content


def test_an_upload_that_does_not_end_is_broken_off_and_can_be_resumed(server, tmp_path):
    content = files.pdf_of_size(2 * MEBIBYTE)
    upload = SlowUpload(server, content)
    began = time.monotonic()

    assert server.stop(seconds=15) == 0

    assert time.monotonic() - began < 10
    assert upload.call.exception(10).code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    upload.go_on.set()
    with serving(tmp_path / "server") as again:
        status = again.stubs().uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=upload.spec.upload_id))
        assert 0 < status.persisted_size < len(content)
        result = again.stubs().uploads.WriteUpload(messages(upload.spec, content)).result
        assert download(again.stubs(), result.write_token).data == content


@pytest.mark.needs_redis
def test_a_watch_ends_and_says_that_the_service_is_stopping(redis_server, tmp_path):
    with serving(tmp_path / "server", BROKER_URL=redis_server.url(5), STOP_GRACE_SECONDS="20") as server:
        stubs = server.stubs()
        job = jobs.start(stubs, [store(stubs, files.pdf("one"), "one.pdf").id], jobs.MERGE)
        watch = stubs.post_processings.WatchPostProcessing(WatchPostProcessingRequest(post_processing_id=job.id))
        assert next(watch).post_processing.id == job.id

        assert server.stop(seconds=10) == 0

        with pytest.raises(grpc.RpcError) as caught:
            list(watch)
        assert refusal_of(caught.value).reason == "SHUTTING_DOWN"


@pytest.mark.needs_libreoffice
def test_a_conversion_that_was_under_way_is_done_after_the_next_start(tmp_path):
    text = "\n".join(f"Line {number} of a long text." for number in range(8_000)).encode()
    with ServerProcess(tmp_path / "server") as server:
        stubs = server.stubs()
        job = jobs.start(stubs, [store(stubs, text, "long.txt").id], jobs.CONVERT)
        jobs.wait_for_running(stubs, job.id)

        assert server.stop(seconds=20) == 0

    with serving(tmp_path / "server") as again:
        stubs = again.stubs()
        ended = jobs.finish(stubs, job.id)

        assert ended.state == jobs.DONE
        assert len(jobs.outputs(ended)) == 1


def test_a_second_sigterm_does_no_harm(server):
    upload = SlowUpload(server, files.pdf_of_size(2 * MEBIBYTE))

    server.terminate()
    server.wait_for_output("stopping")
    server.terminate()

    assert server.wait(seconds=15) == 0
    upload.go_on.set()


def test_a_call_after_the_stop_began_is_told_to_come_back(server):
    upload = SlowUpload(server, files.pdf_of_size(2 * MEBIBYTE))
    late = server.stubs()
    assert late.uploads.WriteUpload(iter([WriteUploadRequest(upload_spec=spec())])).persisted_size == 0

    server.terminate()
    server.wait_for_output("stopping")

    def refused():
        try:
            get(late, upload.spec.upload_id)
        except grpc.RpcError as exc:
            return exc.code() == grpc.StatusCode.UNAVAILABLE
        return False

    wait_until(refused, "new calls are refused as unavailable", seconds=5)
    upload.go_on.set()
    assert server.wait(seconds=15) == 0
