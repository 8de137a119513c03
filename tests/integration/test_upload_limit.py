"""How many uploads a client may begin: what counts, whom it stops, and that nothing else does."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from signal import SIGCONT, SIGSTOP

import grpc
import pytest

from osis.document.v1.upload_service_pb2 import GetUploadStatusRequest, ImportSpec, StartUploadRequest
from tests.support import files, jobs
from tests.support.log_lines import lines
from tests.support.redis_server import RedisProcess
from tests.support.refusals import expect_refusal, refusal_of
from tests.support.server import serving
from tests.support.uploads import confirm, messages, new_id, spec, upload
from tests.support.waiting import wait_until

pytestmark = pytest.mark.one_database


def test_a_client_that_began_as_many_as_it_may_is_told_when_to_come_back_and_others_go_on(tmp_path):
    with serving(tmp_path / "server", CLIENT_UPLOAD_LIMIT="3/hour") as server:
        alpha, beta = server.stubs("alpha"), server.stubs("beta")
        for _ in range(3):
            upload(alpha, b"content")

        refusal = expect_refusal("UPLOAD_LIMIT_REACHED", alpha.uploads.WriteUpload, messages(spec(), b"content"))
        started = expect_refusal("UPLOAD_LIMIT_REACHED", alpha.uploads.StartUpload, StartUploadRequest(upload_spec=spec()))

        assert refusal.metadata == {"limit": "3/hour"}
        assert 3_500 < refusal.retry_after_seconds <= 3_600
        assert "'alpha'" in started.message
        assert upload(beta, b"content").document.size_bytes == 7
        assert len(server.rows("upload")) + len(server.rows("document")) == 4


@pytest.mark.slow
def test_only_what_begins_counts_and_what_is_refused_does_not(tmp_path):
    content = files.pdf_of_size(10_000)
    with serving(tmp_path / "server", CLIENT_UPLOAD_LIMIT="2/hour") as server:
        alpha = server.stubs("alpha")
        for name in ("virus.exe", "../up.txt", ""):
            with pytest.raises(grpc.RpcError):
                alpha.uploads.WriteUpload(messages(spec(name), b"content"))
        one = spec("scan.pdf")
        alpha.uploads.StartUpload(StartUploadRequest(upload_spec=one))
        alpha.uploads.StartUpload(StartUploadRequest(upload_spec=one))
        alpha.uploads.WriteUpload(messages(one, content[:4_000], finish=False))
        alpha.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=one.upload_id))
        alpha.uploads.WriteUpload(messages(one.upload_id, content[:6_000], finish=False))
        result = alpha.uploads.WriteUpload(messages(one, content)).result
        alpha.uploads.WriteUpload(messages(one, content))
        confirm(alpha, result.write_token)
        alpha.uploads.WriteUpload(messages(one, content))

        upload(alpha, b"the second")

        expect_refusal("UPLOAD_LIMIT_REACHED", alpha.uploads.WriteUpload, messages(spec(), b"the third"))


@pytest.mark.slow
def test_a_window_moves_on(tmp_path):
    with serving(tmp_path / "server", CLIENT_UPLOAD_LIMIT="2 per 3 seconds") as server:
        alpha = server.stubs("alpha")

        def is_taken():
            try:
                return upload(alpha, b"content").document.id
            except grpc.RpcError as exc:
                refusal = refusal_of(exc)
                assert refusal.reason == "UPLOAD_LIMIT_REACHED"
                assert 0 < refusal.retry_after_seconds <= 3
                return None

        wait_until(lambda: not is_taken(), "the limit is reached")
        assert wait_until(is_taken, "the next window has begun")


@pytest.mark.slow
def test_workers_and_imports_are_not_limited(tmp_path):
    with serving(tmp_path / "server", CLIENT_UPLOAD_LIMIT="2/hour") as server:
        alpha, admin = server.stubs("alpha"), server.stubs("admin")
        sources = [confirm(alpha, upload(alpha, files.pdf(text), "one.pdf").write_token).id for text in ("one", "two")]
        for _ in range(3):
            assert jobs.finish(alpha, jobs.start(alpha, sources, jobs.MERGE).id).state == jobs.DONE
        for _ in range(3):
            upload(admin, b"content", imported=ImportSpec())

        expect_refusal("UPLOAD_LIMIT_REACHED", alpha.uploads.WriteUpload, messages(spec(), b"content"))


@pytest.mark.slow
@pytest.mark.needs_redis
def test_processes_count_together(tmp_path, redis_server):
    settings = {"BROKER_URL": redis_server.url(10), "PROCESSES": "2", "LOG_FORMAT": "json"}
    with serving(tmp_path / "server", CLIENT_UPLOAD_LIMIT="12/hour", **settings) as server:
        everybody = threading.Barrier(40)

        def attempt(_):
            stubs = server.stubs("alpha")  # over a connection of its own
            everybody.wait(30)
            try:
                return upload(stubs, b"content").document.mime_type
            except grpc.RpcError as exc:
                return refusal_of(exc).reason

        with ThreadPoolExecutor(40) as pool:
            outcomes = Counter(pool.map(attempt, range(40)))

        assert outcomes == {"text/plain": 12, "UPLOAD_LIMIT_REACHED": 28}
        assert {line["process"] for line in lines(server, "call")} == {1, 2}


@pytest.mark.slow
@pytest.mark.needs_redis
@pytest.mark.parametrize("how", ["dead", "silent"])
def test_a_redis_that_does_not_answer_stops_no_upload(tmp_path, how):
    with (
        RedisProcess(tmp_path / "redis") as redis,
        serving(tmp_path / "server", BROKER_URL=redis.url(), CLIENT_UPLOAD_LIMIT="1/hour", LOG_FORMAT="json") as server,
    ):
        alpha = server.stubs("alpha")
        upload(alpha, b"content")
        expect_refusal("UPLOAD_LIMIT_REACHED", alpha.uploads.WriteUpload, messages(spec(), b"content"))
        if how == "dead":
            redis.kill()
        else:
            redis.process.send_signal(SIGSTOP)
        try:
            for _ in range(5):
                request = messages(spec(upload_id=new_id()), b"content")
                assert alpha.uploads.WriteUpload(request, timeout=5).result.document.size_bytes == 7
        finally:
            if how == "silent":
                redis.process.send_signal(SIGCONT)

        assert lines(server, "uploads are not limited while Redis does not answer")
