"""Who is quiet for too long, and who is not."""

import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from osis_document_server.rpc.messages import Received
from osis_document_server.rpc.reaper import Reaper


class Context:
    """As much of a call's context as is asked of it."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        self.cancelled.set()

    def peer(self) -> str:
        return "test"


@pytest.fixture
def reaper() -> Iterator[Reaper]:
    running = Reaper(idle_seconds=0.4)
    yield running
    running.stop()


def _arriving(sizes: list[int], context: Context, *, every_seconds: float) -> Iterator[Received]:
    for size in sizes:
        if context.cancelled.wait(every_seconds):
            raise ConnectionError
        yield Received(b"", size)


@pytest.mark.parametrize(
    ("sizes", "every_seconds", "is_cancelled"),
    [
        pytest.param([20_000] * 8, 0.1, False, id="gets on"),
        pytest.param([20_000], 2, True, id="says nothing"),
        pytest.param([1] * 20, 0.1, True, id="a byte now and then"),
        pytest.param([20_000] * 3 + [1] * 20, 0.1, True, id="stops getting on"),
    ],
)
def test_a_sender_has_to_get_on(reaper: Reaper, sizes: list[int], every_seconds: float, is_cancelled: bool) -> None:
    context: Any = Context()
    try:
        received = len(list(reaper.requests(_arriving(sizes, context, every_seconds=every_seconds), context)))
    except ConnectionError:
        received = -1

    assert context.cancelled.is_set() == is_cancelled
    assert received == (-1 if is_cancelled else len(sizes))


def test_the_servers_own_time_is_not_the_clients(reaper: Reaper) -> None:
    context: Any = Context()
    for _ in reaper.requests(_arriving([1] * 4, context, every_seconds=0.01), context):
        time.sleep(0.3)

    assert not context.cancelled.is_set()


def test_a_reader_has_to_take_each_message_in_time(reaper: Reaper) -> None:
    quick: Any = Context()
    slow: Any = Context()
    for _ in reaper.responses([b"a"] * 5, quick):
        time.sleep(0.15)
    for _ in reaper.responses([b"a"], slow):
        slow.cancelled.wait(5)

    assert not quick.cancelled.is_set()
    assert slow.cancelled.is_set()


def test_the_one_message_of_a_call_has_to_come(reaper: Reaper) -> None:
    silent: Any = Context()
    with pytest.raises(ConnectionError):
        reaper.request(_arriving([5], silent, every_seconds=5), silent)
    assert silent.cancelled.is_set()

    spoken: Any = Context()
    assert reaper.request(_arriving([5], spoken, every_seconds=0.01), spoken) == Received(b"", 5)
    assert reaper.request(iter(()), spoken) is None
    assert not spoken.cancelled.is_set()


def test_calls_that_come_while_it_looks_do_not_end_its_work(reaper: Reaper) -> None:
    """Other threads go on wherever Python collects garbage: there, too, calls begin."""
    contexts: list[Any] = []
    streams = []

    def begin() -> None:
        contexts.append(Context())
        streams.append(reaper.responses([b"a"], contexts[-1]))
        next(streams[-1])

    def begin_in_the_middle(phase: str, _: dict[str, int]) -> None:
        if phase == "start" and threading.current_thread().name == "reaper" and len(contexts) < 400:
            begin()

    for _ in range(200):
        begin()
    thresholds = gc.get_threshold()
    gc.callbacks.append(begin_in_the_middle)
    gc.set_threshold(1)
    try:
        assert all(context.cancelled.wait(30) for context in contexts[:200])
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(begin_in_the_middle)
    assert len(contexts) > 200
    assert all(context.cancelled.wait(30) for context in contexts)


def test_a_call_that_cannot_be_cancelled_does_not_keep_the_others(reaper: Reaper) -> None:
    class Broken(Context):
        def cancel(self) -> None:
            super().cancel()
            raise ValueError("the call has gone")

    contexts: list[Any] = [Broken(), Context(), Broken(), Context()]
    streams = [reaper.responses([b"a"], context) for context in contexts]
    for stream in streams:
        next(stream)

    assert all(context.cancelled.wait(30) for context in contexts)
