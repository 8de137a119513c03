"""The server's log in its form for machines."""

import json
from typing import Any

from tests.support.processes import LoggedProcess


def lines(process: LoggedProcess, event: str = "") -> list[dict[str, Any]]:
    """What a process with LOG_FORMAT=json has logged so far, all of it or what happened to be `event`."""
    found = [json.loads(line) for line in process.output().splitlines() if line.startswith("{")]
    return [line for line in found if event in {"", line["event"]}]
