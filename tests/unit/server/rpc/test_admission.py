"""How many calls are let in."""

from contextlib import ExitStack

import pytest

from osis_document_server.errors import ServerOverloaded
from osis_document_server.rpc.admission import Admission, Capacity
from osis_document_server.rpc.policy import Kind


def test_past_the_limit_a_call_is_refused_with_a_time_to_come_back() -> None:
    admission = Admission(Capacity(streams=2, waiters=1, calls=1))
    with admission.admit(Kind.STREAM), admission.admit(Kind.STREAM):
        with pytest.raises(ServerOverloaded) as caught, admission.admit(Kind.STREAM):
            pass
        assert caught.value.retry_after_seconds == 1
        assert caught.value.metadata == {"limit": "2", "kind": "streams"}
        with admission.admit(Kind.CALL):
            pass


def test_a_place_is_free_again_once_its_call_has_ended_however_it_ended() -> None:
    admission = Admission(Capacity(streams=1, waiters=1, calls=1))
    for kind in Kind:
        for _ in range(3):
            with pytest.raises(RuntimeError), admission.admit(kind):
                raise RuntimeError


def test_waiters_are_streams_too_and_a_refused_one_takes_no_stream() -> None:
    admission = Admission(Capacity(streams=2, waiters=1, calls=1))
    with ExitStack() as stack:
        stack.enter_context(admission.admit(Kind.WAITER))
        with pytest.raises(ServerOverloaded), admission.admit(Kind.WAITER):
            pass
        stack.enter_context(admission.admit(Kind.STREAM))
        with pytest.raises(ServerOverloaded), admission.admit(Kind.STREAM):
            pass


def test_strangers_get_half_of_the_places_at_most() -> None:
    admission = Admission(Capacity(streams=4, waiters=4, calls=4))
    with ExitStack() as stack:
        for kind in (Kind.CALL, Kind.STREAM):
            for _ in range(2):
                stack.enter_context(admission.admit(kind, stranger=True))
            with pytest.raises(ServerOverloaded, match="without an API key") as caught, admission.admit(kind, stranger=True):
                pass
            assert caught.value.metadata["limit"] == "2"
            for _ in range(2):
                stack.enter_context(admission.admit(kind))
            with pytest.raises(ServerOverloaded, match=r"^4 "), admission.admit(kind):
                pass


def test_a_stranger_takes_a_place_of_all_too_and_gives_both_back() -> None:
    admission = Admission(Capacity(streams=1, waiters=1, calls=2))
    for _ in range(3):
        with (
            admission.admit(Kind.CALL, stranger=True),
            admission.admit(Kind.CALL),
            pytest.raises(ServerOverloaded),
            admission.admit(Kind.CALL),
        ):
            pass


def test_the_threads_are_those_that_were_measured() -> None:
    capacity = Capacity()
    assert capacity.threads + capacity.tool_threads == 1280
    assert capacity.reflections < capacity.tool_threads
