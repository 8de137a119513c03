"""Ctrl-C, also where nobody notices it."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

#: How long a command has to clean up after Ctrl-C, in seconds.
_GRACE_SECONDS = 5.0
#: What a shell expects of a program that was interrupted.
_EXIT_CODE = 130


def end_soon_after_an_interrupt() -> None:
    """Ends the process some seconds after Ctrl-C if it is still there then.

    Ctrl-C is a `KeyboardInterrupt` in the main thread, wherever that is; raised inside a callback of gRPC's core it is dropped,
    and the command would go on as if nothing had been said.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        timer = threading.Timer(_GRACE_SECONDS, os._exit, [_EXIT_CODE])
        timer.daemon = True
        timer.start()
        signal.default_int_handler(number, frame)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, interrupt)
