"""Waiting for programs that start."""

import subprocess
import time
from pathlib import Path

import requests

START_SECONDS = 300
_LOOK_SECONDS = 0.1


def wait_for_file(path: Path, process: subprocess.Popen[bytes], *, log: Path) -> None:
    """Waits until a program has written a file."""
    until = time.monotonic() + START_SECONDS
    while not path.exists():
        _require_running(process, log=log, until=until)


def wait_for_answer(address: str, process: subprocess.Popen[bytes], *, log: Path) -> None:
    """Waits until a site answers."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            requests.head(address, timeout=START_SECONDS)
        except requests.ConnectionError:
            _require_running(process, log=log, until=until)
        else:
            return


def _require_running(process: subprocess.Popen[bytes], *, log: Path, until: float) -> None:
    try:
        status = process.wait(_LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        if time.monotonic() > until:
            raise RuntimeError(f"it does not serve within {START_SECONDS} s; see {log}") from None
        return
    raise RuntimeError(f"a program ended with status {status}; see {log}")
