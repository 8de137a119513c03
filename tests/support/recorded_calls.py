"""Which rpcs this process makes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from osis_document_client._interceptor import CallInterceptor


@contextmanager
def recorded_calls() -> Iterator[list[str]]:
    """Gathers the names of the rpcs that are called until the end of the block, in order; they are called all the same."""
    names: list[str] = []
    call = CallInterceptor._intercept

    def recording(interceptor: CallInterceptor, continuation: Any, details: Any, *arguments: Any, **named: Any) -> Any:
        names.append(details.method.rpartition("/")[2])
        return call(interceptor, continuation, details, *arguments, **named)

    with patch.object(CallInterceptor, "_intercept", recording):
        yield names
