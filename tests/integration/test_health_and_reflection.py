"""What tools ask of any gRPC service: its health, its description; and what it admits at once."""

from contextlib import suppress
from threading import Event

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from osis.document.v1.post_processing_service_pb2 import WatchPostProcessingRequest
from tests.support import files, jobs
from tests.support.documents import get
from tests.support.refusals import expect_refusal
from tests.support.rpcs import RPCS
from tests.support.server import serving
from tests.support.uploads import messages, new_id, spec, store
from tests.support.waiting import wait_until

pytestmark = pytest.mark.one_database

SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING
SERVICES = sorted({rpc.method.containing_service.full_name for rpc in RPCS.values()})

#: How many watches are admitted at once.
WATCHES = 64


@pytest.mark.parametrize("service", ["", *SERVICES])
def test_every_service_is_healthy_and_says_so_without_a_key(nobody, service):
    assert HealthStub(nobody.channel).Check(HealthCheckRequest(service=service)).status == SERVING


def test_the_health_of_an_unknown_service_is_not_found(nobody):
    with pytest.raises(grpc.RpcError) as caught:
        HealthStub(nobody.channel).Check(HealthCheckRequest(service="no.such.Service"))

    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_the_health_turns_before_the_calls_under_way_have_ended(tmp_path):
    with serving(tmp_path / "server", STOP_GRACE_SECONDS="5") as server:
        never, stubs = Event(), server.stubs()

        def send():
            yield from messages(spec(), b"some", finish=False)
            never.wait(30)

        upload = stubs.uploads.WriteUpload.future(send())
        wait_until(lambda: server.blob_files(), "bytes have arrived")
        seen = HealthStub(stubs.channel).Watch(HealthCheckRequest(service=""), timeout=20)
        assert next(seen).status == SERVING

        server.terminate()

        assert next(seen).status == NOT_SERVING
        assert not upload.done()
        seen.cancel()
        never.set()
        with suppress(grpc.RpcError):
            upload.result(20)
        assert server.wait(seconds=20) == 0


def test_reflection_lists_every_service_of_the_contract(nobody):
    listed = set(ProtoReflectionDescriptorDatabase(nobody.channel).get_services())

    assert listed >= {*SERVICES, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


@pytest.mark.parametrize("service", SERVICES)
def test_reflection_describes_every_rpc_of_the_contract(nobody, service):
    described = DescriptorPool(ProtoReflectionDescriptorDatabase(nobody.channel)).FindServiceByName(service)

    assert [method.name for method in described.methods] == [
        rpc.method.name for rpc in RPCS.values() if rpc.method.containing_service.full_name == service
    ]


def test_a_service_that_is_none_of_the_contract_is_unimplemented(alpha):
    with pytest.raises(grpc.RpcError) as caught:
        alpha.channel.unary_unary("/osis.document.v1.NoService/Nothing")(b"")

    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_message_above_four_mebibytes_is_refused_and_the_service_goes_on(alpha):
    with pytest.raises(grpc.RpcError) as caught:
        alpha.uploads.WriteUpload(messages(spec(), b"a" * (5 << 20), chunk=5 << 20))

    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert get(alpha, store(alpha, b"content").id).size_bytes == 7


def test_bytes_that_are_no_message_are_refused_and_the_service_goes_on(alpha):
    with pytest.raises(grpc.RpcError) as caught:
        alpha.channel.unary_unary("/osis.document.v1.DocumentService/GetDocument")(b"\xff\xff\xff")

    assert caught.value.code() in {grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT}
    expect_refusal("DOCUMENT_NOT_FOUND", get, alpha, new_id())


@pytest.mark.needs_redis
def test_a_watch_too_many_is_refused_and_says_when_to_come_back_and_nothing_else_suffers(queueing_server):
    stubs = queueing_server.stubs()
    source = store(stubs, files.pdf("one"), "one.pdf").id
    job = jobs.start(stubs, [source], jobs.MERGE)
    request = WatchPostProcessingRequest(post_processing_id=job.id)
    watches = [stubs.post_processings.WatchPostProcessing(request) for _ in range(WATCHES)]
    try:
        assert {next(watch).post_processing.id for watch in watches} == {job.id}

        refusal = expect_refusal("SERVER_OVERLOADED", stubs.post_processings.WatchPostProcessing, request)

        assert refusal.retry_after_seconds > 0
        assert refusal.metadata["limit"] == str(WATCHES)
        assert get(stubs, source).id == source
        assert store(stubs, b"content").size_bytes == 7
        assert HealthStub(stubs.channel).Check(HealthCheckRequest()).status == SERVING
    finally:
        for watch in watches:
            watch.cancel()

    def is_admitted_again():
        try:
            return next(stubs.post_processings.WatchPostProcessing(request)).post_processing.id == job.id
        except grpc.RpcError:
            return False

    assert wait_until(is_admitted_again, "a watch is admitted again")


@pytest.mark.needs_redis
@pytest.mark.slow
def test_a_quiet_watch_shows_by_heartbeats_that_it_is_alive(queueing_server):
    stubs = queueing_server.stubs()
    job = jobs.start(stubs, [store(stubs, files.pdf("one"), "one.pdf").id], jobs.MERGE)
    watch = stubs.post_processings.WatchPostProcessing(WatchPostProcessingRequest(post_processing_id=job.id), timeout=20)

    assert next(watch).WhichOneof("event") == "post_processing"
    assert next(watch).WhichOneof("event") == "heartbeat"
    watch.cancel()
