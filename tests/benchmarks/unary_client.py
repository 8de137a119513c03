"""Makes unary calls one after the other, over a connection of its own: ``python unary_client.py CALL DOCUMENT_ID SECONDS``.

CALL is ``get-document`` or ``create-token``. Prints ``ready`` when it is warm, starts at a line on its standard input, and
prints how many calls it made.
"""

import sys
import time
from collections.abc import Callable

from osis_document_client import Client, ClientConfig

_WARM_UP_CALLS = 50


def main(call: str, document_id: str, seconds: float) -> None:
    """Calls as often as it can."""
    with Client(ClientConfig.from_environment()) as client:
        calls_by_name: dict[str, Callable[[str], object]] = {
            "get-document": client.get_document,
            "create-token": client.create_token,
        }
        make = calls_by_name[call]
        for _ in range(_WARM_UP_CALLS):
            make(document_id)
        print("ready", flush=True)
        sys.stdin.readline()
        calls = 0
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            make(document_id)
            calls += 1
        print(calls, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
