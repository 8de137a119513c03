"""Waiting for what announces itself in no other way."""

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

_LOOK_SECONDS = 0.02


def wait_until(condition: Callable[[], _T], what: str, *, seconds: float = 30) -> _T:
    """Looks again and again until `condition` answers something true, and returns that.

    Raises:
        AssertionError: it never did; names `what` was waited for and how things stood at last.
    """
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {seconds} s: {what} (at last: {answer!r})"
        time.sleep(_LOOK_SECONDS)
