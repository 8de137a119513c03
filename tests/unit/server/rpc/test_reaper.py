"""Who is quiet for too long, and who is not."""

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
