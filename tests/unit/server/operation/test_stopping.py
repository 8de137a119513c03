"""Being told to stop, by signals above all."""

import subprocess
import sys

import pytest

#: Waits in its main thread for a signal that another thread gets.
PROGRAM = """
import os, signal, sys, threading
from pathlib import Path
from osis_document_server.operation.stopping import StopRequest

stop = StopRequest()
stop.obey_signals()
main = Path(f"/proc/self/task/{os.getpid()}/stat")

def signal_myself():
    while main.read_text().rpartition(")")[2].split()[0] != "S":
        pass
    signal.pthread_kill(threading.get_ident(), int(sys.argv[1]))

thread = threading.Thread(target=signal_myself, daemon=True)
thread.start()
stop.wait()
print("asked")
"""


@pytest.mark.parametrize("number", [2, 15], ids=["ctrl-c", "sigterm"])
def test_a_signal_that_reaches_another_thread_ends_the_wait(number: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(number)],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
        stdin=subprocess.DEVNULL,
    )

    assert done.stdout == "asked\n"
