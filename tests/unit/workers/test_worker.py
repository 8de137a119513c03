"""Which threads do which tasks, over real brokers and with a service that answers over real gRPC."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import dramatiq
import grpc
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

from osis.document.v1 import worker_service_pb2, worker_service_pb2_grpc
from osis_document_client import Client, ClientConfig
from osis_document_workers import actors, embedded
from osis_document_workers.heartbeat import Heartbeat, WatchedBroker
from osis_document_workers.worker import RunningWorker
from tests.support.redis_server import RedisProcess
from tests.support.waiting import wait_until


class Service(worker_service_pb2_grpc.WorkerServiceServicer):
    """A service that has nothing to do for whoever claims, but keeps those who claim a `long` task waiting."""

    def __init__(self) -> None:
        self.claimed: list[str] = []
        self.go_on = threading.Event()

    def ClaimTask(self, request: worker_service_pb2.ClaimTaskRequest, context: grpc.ServicerContext):  # noqa: N802 -- gRPC's
        self.claimed.append(request.task_id)
        if request.task_id.startswith("long"):
            self.go_on.wait(30)
        return worker_service_pb2.ClaimTaskResponse()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.go_on.set()


@pytest.fixture
def target(service: Service) -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(8))
    worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    service.go_on.set()
    server.stop(None).wait()


@pytest.fixture(scope="module")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def redis_server(running_redis: RedisProcess) -> RedisProcess:
    """An empty Redis."""
    connection = running_redis.connection()
    connection.flushall()
    connection.close()
    return running_redis


@contextmanager
def redis_broker(redis_server: RedisProcess) -> Iterator[RedisBroker]:
    """A broker over the tests' Redis."""
    broker = RedisBroker(url=redis_server.url(), middleware=[])
    try:
        yield broker
    finally:
        broker.close()
        broker.client.close()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.needs_redis)])
def broker(request: pytest.FixtureRequest) -> Iterator[dramatiq.Broker]:
    if request.param == "memory":
        yield StubBroker(middleware=[])
        return
    with redis_broker(request.getfixturevalue("redis_server")) as broker:
        yield broker


def send(broker: dramatiq.Broker, actor: str, task_id: str) -> None:
    """Sends what the service sends."""
    queue = {"convert": "convert", "merge": "merge", "rotate": "interactive", "edit": "interactive"}[actor]
    broker.enqueue(dramatiq.Message(queue_name=queue, actor_name=actor, args=(task_id,), kwargs={}, options={"max_retries": 0}))


def started(broker: dramatiq.Broker, target: str, scratch: Path, **arguments: object) -> RunningWorker:
    client = Client(ClientConfig(target=target, api_key="key"))
    return RunningWorker(broker, client, slots=1, scratch=scratch, **({"allow_root": True} | arguments))  # type: ignore[arg-type]


def test_an_interactive_task_never_waits_behind_others(
    broker: dramatiq.Broker, service: Service, target: str, tmp_path: Path
) -> None:
    worker = started(broker, target, tmp_path)
    for task in ("long conversion", "long merge", "conversion"):
        send(broker, "merge" if "merge" in task else "convert", task)
    wait_until(lambda: service.claimed, "the only slot is taken")
    for task in ("rotate", "edit"):
        send(broker, task, task)
    wait_until(lambda: {"rotate", "edit"} <= set(service.claimed), "both interactive tasks are done meanwhile")
    assert len(service.claimed) == 3, "everything else waits for the one slot"
    service.go_on.set()
    wait_until(lambda: len(service.claimed) == 5, "the others are done in their turn")
    worker.stop()


def test_an_interactive_task_takes_no_slot_of_the_others(
    broker: dramatiq.Broker, service: Service, target: str, tmp_path: Path
) -> None:
    worker = started(broker, target, tmp_path)
    for task in ("long rotate", "long edit"):
        send(broker, task.split()[1], task)
    wait_until(lambda: service.claimed, "the interactive slot is taken")
    send(broker, "convert", "conversion")
    wait_until(lambda: "conversion" in service.claimed, "a conversion is done meanwhile")
    assert len(service.claimed) == 2, "there is one interactive slot"
    service.go_on.set()
    worker.stop()


def test_there_are_as_many_interactive_slots_as_asked(
    broker: dramatiq.Broker, service: Service, target: str, tmp_path: Path
) -> None:
    worker = started(broker, target, tmp_path, interactive_slots=3)
    for number in range(3):
        send(broker, "rotate", f"long {number}")
    wait_until(lambda: len(service.claimed) == 3, "three run side by side")
    service.go_on.set()
    worker.stop()


@pytest.mark.needs_redis
@pytest.mark.parametrize("queues", [{"interactive"}, {"merge", "convert"}], ids=["interactive", "the others"])
def test_a_worker_for_some_queues_leaves_the_others_alone(
    queues: set[str], redis_server: RedisProcess, service: Service, target: str, tmp_path: Path
) -> None:
    own = {name for name, actor in actors.ACTORS.items() if actor.queue in queues}
    with redis_broker(redis_server) as broker, redis_broker(redis_server) as another:
        worker = started(broker, target, tmp_path, queues=queues)
        for name in actors.ACTORS:
            send(broker, name, name)
        wait_until(lambda: set(service.claimed) >= own, "its own are done")
        worker.stop()
        assert set(service.claimed) == own
        other = started(another, target, tmp_path, queues=set(actors.QUEUES) - queues)
        wait_until(lambda: set(service.claimed) == set(actors.ACTORS), "the others were still there")
        other.stop()
    assert len(service.claimed) == len(actors.ACTORS), "none was done twice"


@pytest.mark.needs_redis
@pytest.mark.parametrize("actor", ["convert", "rotate"])
def test_no_task_waits_in_a_busy_worker_while_another_is_free(
    actor: str, redis_server: RedisProcess, service: Service, target: str, tmp_path: Path
) -> None:
    with redis_broker(redis_server) as broker, redis_broker(redis_server) as another:
        busy = started(broker, target, tmp_path)
        send(broker, actor, "long 1")
        send(broker, actor, "long 2")
        wait_until(lambda: service.claimed, "the only slot is taken")
        free = started(another, target, tmp_path)
        wait_until(lambda: len(service.claimed) == 2, "the other worker takes the second task")
        service.go_on.set()
        busy.stop()
        free.stop()


def test_a_stopped_worker_leaves_no_thread_and_no_folder(
    broker: dramatiq.Broker, service: Service, target: str, tmp_path: Path
) -> None:
    worker = started(broker, target, tmp_path)
    send(broker, "edit", "edit")
    wait_until(lambda: service.claimed, "it works")
    worker.stop()
    assert [thread for thread in threading.enumerate() if type(thread).__module__.startswith("dramatiq")] == []
    assert list(tmp_path.iterdir()) == []


def test_a_worker_starts_without_a_warning(
    broker: dramatiq.Broker, target: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    started(broker, target, tmp_path).stop()
    assert [record.getMessage() for record in caplog.records if record.levelname != "INFO"] == []


@pytest.mark.slow
@pytest.mark.needs_redis
def test_no_time_is_spent_on_queues_that_nothing_is_ever_in(redis_server: RedisProcess, target: str, tmp_path: Path) -> None:
    looked_at: set[str] = set()

    class Recorded(Heartbeat):
        def beat(self, queue: str) -> None:
            looked_at.add(queue)

    broker = WatchedBroker(url=redis_server.url(), heartbeat=Recorded(tmp_path))
    worker = started(broker, target, tmp_path)
    wait_until(lambda: looked_at >= set(actors.QUEUES), "every queue is looked at")
    worker.stop()
    broker.client.close()
    assert looked_at == set(actors.QUEUES)


@pytest.mark.slow
def test_the_worker_inside_a_server_has_an_interactive_slot_too(service: Service, target: str) -> None:
    broker = StubBroker(middleware=[])
    worker = embedded.start(broker, target=target, api_key="key", slots=1, interactive_slots=1, allow_root=True)
    send(broker, "convert", "long")
    wait_until(lambda: service.claimed, "the only slot is taken")
    send(broker, "rotate", "rotate")
    wait_until(lambda: "rotate" in service.claimed, "the rotation is done meanwhile")
    service.go_on.set()
    worker.stop()
