"""Clients that keep what others need: they are let go after a while, and nobody else notices."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from threading import Event

import grpc
import psutil
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from osis.document.v1.download_service_pb2 import DownloadRequest
from osis.document.v1.download_service_pb2_grpc import DownloadServiceStub
from osis.document.v1.upload_service_pb2 import WriteUploadRequest
from tests.support import files
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.server import serving
from tests.support.uploads import MEBIBYTE, messages, spec, store, token_for
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.one_database, pytest.mark.slow]

#: Streams of one kind at once.
MANY = 200


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that lets a client be quiet for three seconds."""
    with serving(tmp_path_factory.mktemp("slow"), STREAM_IDLE_SECONDS="3", MAX_STREAMS="1088") as running:
        yield running


@pytest.fixture
def stubs(server):
    return server.stubs("alpha")


@pytest.fixture
def never():
    """What a client waits for that says nothing; set when the test is over."""
    event = Event()
    yield event
    event.set()


def others_are_served(server):
    """A whole round by somebody else, and a health check, in a time that nobody would call long."""
    stubs = server.stubs("beta")
    began = time.monotonic()
    document = store(stubs, b"content")
    assert download(stubs, token_for(stubs, document.id)).data == b"content"
    assert HealthStub(stubs.channel).Check(HealthCheckRequest(), timeout=5).status == HealthCheckResponse.SERVING
    assert time.monotonic() - began < 5


def expect_let_go(calls, *, seconds):
    """Waits until every call was cancelled by the server."""
    codes = set()
    end = time.monotonic() + seconds
    for call in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call.result(max(0.1, end - time.monotonic()))
        assert not isinstance(caught.value, grpc.FutureTimeoutError)
        codes.add(caught.value.code())
    assert codes == {grpc.StatusCode.CANCELLED}


def test_uploads_that_send_nothing_more_are_let_go(server, stubs, never):
    def send():
        yield from messages(spec("scan.pdf"), files.pdf_of_size(1000), finish=False)
        never.wait(60)

    calls = [stubs.uploads.WriteUpload.future(send()) for _ in range(MANY)]

    others_are_served(server)
    expect_let_go(calls, seconds=30)
    others_are_served(server)


def test_uploads_that_send_a_byte_now_and_then_are_let_go(server, stubs, never):
    def send():
        yield WriteUploadRequest(upload_spec=spec(), data=b"a")
        for offset in range(1, 1000):
            if never.wait(0.5):
                return
            yield WriteUploadRequest(write_offset=offset, data=b"a")

    began = time.monotonic()
    calls = [stubs.uploads.WriteUpload.future(send()) for _ in range(50)]

    others_are_served(server)
    expect_let_go(calls, seconds=30)
    assert time.monotonic() - began < 20


def test_a_slow_upload_that_gets_on_is_not_let_go(server, stubs):
    content = files.pdf_of_size(160 * 1024)

    def send():
        for message in messages(spec("scan.pdf"), content, chunk=16 * 1024):
            time.sleep(0.8)  # 20 KiB a second, for far longer than the idle time
            yield message

    assert stubs.uploads.WriteUpload(send()).result.document.size_bytes == len(content)


@pytest.mark.parametrize(
    "method",
    [
        "/osis.document.v1.DocumentService/GetDocument",
        "/osis.document.v1.DownloadService/Download",
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ],
)
def test_strangers_who_open_calls_and_say_nothing_keep_nobody_out(server, never, method):
    """More of them than the server has threads, which a call without its message would keep."""

    def send():
        never.wait(60)
        yield from ()

    stranger = server.stubs(None)
    calls = [stranger.channel.stream_unary(method).future(send()) for _ in range(1_400)]

    for _ in range(5):
        others_are_served(server)
    for call in calls:
        assert call.exception(60).code() in {grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED}
    others_are_served(server)


def test_downloads_that_nobody_reads_are_let_go_and_take_little_memory(server, stubs):
    process = psutil.Process(server.pid)
    token = token_for(stubs, store(stubs, files.pdf_of_size(8 * MEBIBYTE), "scan.pdf").id)
    assert len(download(stubs, token).data) == 8 * MEBIBYTE
    before, cancelled = process.memory_info().rss, server.output().count("call cancelled")
    # A client takes what fits into its window, read or not; a small one stands for one whose own memory is full.
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_535)]
    with grpc.insecure_channel(server.target, options=options) as channel:
        reader = DownloadServiceStub(channel)
        calls = [reader.Download(DownloadRequest(token=token)) for _ in range(MANY)]

        others_are_served(server)
        wait_until(lambda: server.output().count("call cancelled") >= cancelled + MANY, "all are let go", seconds=30)

        assert process.memory_info().rss - before < MANY * 4 * MEBIBYTE
        for call in calls:
            with pytest.raises(grpc.RpcError) as caught:
                list(call)
            assert caught.value.code() == grpc.StatusCode.CANCELLED
    others_are_served(server)


def test_connections_that_say_nothing_keep_nobody_out_and_are_closed(server):
    host, _, port = server.target.rpartition(":")
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(socket.create_connection((host, int(port))))) for _ in range(500)]

        others_are_served(server)

        for connection in connections:
            connection.settimeout(40)
            with suppress(ConnectionResetError):
                while connection.recv(4096):
                    pass  # what gRPC says first, to whoever it is


def test_afterwards_no_thread_and_no_file_is_left_over(server):
    process = psutil.Process(server.pid)
    stubs = server.stubs("alpha")
    store(stubs, b"content")
    before = process.num_threads()
    never = Event()

    def send():
        yield from messages(spec("scan.pdf"), files.pdf_of_size(1000), finish=False)
        never.wait(60)

    expect_let_go([stubs.uploads.WriteUpload.future(send()) for _ in range(MANY)], seconds=30)
    never.set()

    wait_until(lambda: not [file for file in process.open_files() if "spool" in file.path], "all segments are closed")
    assert process.num_threads() <= before + 2
    with ThreadPoolExecutor(20) as pool:
        documents = list(pool.map(lambda number: store(stubs, f"content {number}".encode()), range(100)))
    assert get(stubs, documents[0].id) == documents[0]
