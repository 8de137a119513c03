"""SIGTERM: the server lets what is under way end, for a while, and ends cleanly itself."""

import hashlib
import io
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from osis.document.v1.post_processing_service_pb2 import WatchPostProcessingRequest
from osis.document.v1.upload_service_pb2 import GetUploadStatusRequest, WriteUploadRequest
from osis_document_client import Backoff, Client, ClientConfig
from tests.support import files, jobs
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.ports import free_port
from tests.support.refusals import refusal_of
from tests.support.server import KEYS, ServerProcess, serving
from tests.support.slow_upload import SlowUpload
from tests.support.uploads import MEBIBYTE, messages, spec, store
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


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
    texts = ["\n".join(f"Line {line} of text {number}." for line in range(4_000)).encode() for number in range(3)]
    with ServerProcess(tmp_path / "server") as server:
        stubs = server.stubs()
        job = jobs.start(stubs, [store(stubs, text, "long.txt").id for text in texts], jobs.CONVERT)
        jobs.wait_for_running(stubs, job.id)

        assert server.stop(seconds=20) == 0

    with serving(tmp_path / "server") as again:
        stubs = again.stubs()
        ended = jobs.finish(stubs, job.id)

        assert ended.state == jobs.DONE
        assert len(jobs.outputs(ended)) == len(texts)


@pytest.mark.one_database
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "ctrl-c"])
def test_a_second_signal_breaks_off_what_is_under_way_at_once(tmp_path, number):
    content = files.pdf_of_size(2 * MEBIBYTE)
    with serving(tmp_path / "server", STOP_GRACE_SECONDS="60") as server:
        upload = SlowUpload(server, content)
        server.process.send_signal(number)
        server.wait_for_output("stopping")
        assert not upload.call.done()

        server.process.send_signal(number)

        assert server.wait(seconds=15) == 0
        assert upload.call.exception(10).code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        assert server.client_file() is None
        upload.go_on.set()
    with serving(tmp_path / "server") as again:
        assert again.stubs().uploads.WriteUpload(messages(upload.spec, content)).result.document.size_bytes == len(content)


@pytest.mark.one_database
def test_streams_of_load_balancers_and_tools_hold_nothing_up(tmp_path):
    with serving(tmp_path / "server", STOP_GRACE_SECONDS="60") as server:
        stubs = server.stubs(None)
        health = HealthStub(stubs.channel).Watch(HealthCheckRequest(), timeout=60)
        assert next(health).status == HealthCheckResponse.SERVING
        never = Event()

        def ask():
            yield ServerReflectionRequest(list_services="")
            never.wait(60)

        reflection = ServerReflectionStub(stubs.channel).ServerReflectionInfo(ask(), timeout=60)
        assert next(reflection).list_services_response.service
        began = time.monotonic()

        assert server.stop(seconds=30) == 0

        assert time.monotonic() - began < 10
        assert [answer.status for answer in health] == [HealthCheckResponse.NOT_SERVING]
        never.set()
        with pytest.raises(grpc.RpcError):
            list(reflection)


def test_clients_go_on_and_nothing_is_lost_when_the_server_is_restarted_under_load(tmp_path):
    """Six clients upload and confirm without a pause while the server is stopped and started, twice."""
    folder, address, stopped = tmp_path / "server", f"127.0.0.1:{free_port()}", Event()
    config = ClientConfig(target=address, api_key=KEYS["alpha"])

    def work(number):
        confirmed = {}
        with Client(config, backoff=Backoff(attempts=200, maximum_seconds=0.5)) as client:
            for round_number in range(1_000):
                if stopped.is_set():
                    return confirmed
                content = files.pdf_of_size(3 * MEBIBYTE, seed=number * 1_000 + round_number)
                upload = client.upload(io.BytesIO(content), name="scan.pdf")
                [document] = client.confirm([upload])
                confirmed[document.id] = hashlib.sha256(content).hexdigest()
        return confirmed

    with ThreadPoolExecutor(6) as pool:
        workers = []
        try:
            for _ in range(2):
                with serving(folder, LISTEN=address) as server:
                    workers = workers or [pool.submit(work, number) for number in range(6)]
                    wait_until(lambda: server.output().count("ConfirmUploads") > 6, "clients work", seconds=60)
                    assert server.stop() == 0
            with serving(folder, LISTEN=address) as server:
                stopped.set()
                confirmed = {}
                for worker in workers:
                    confirmed |= worker.result(60)
                assert len(confirmed) > 12
                stubs = server.stubs()
                for document_id, sha256 in confirmed.items():
                    assert hashlib.sha256(content_of(stubs, document_id)).hexdigest() == sha256
        finally:
            stopped.set()


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
