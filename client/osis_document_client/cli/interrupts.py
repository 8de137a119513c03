"""Ctrl-C and being told to end, also where nobody notices."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

#: How long a command has to clean up after Ctrl-C, in seconds.
_GRACE_SECONDS = 5.0
#: What a shell adds to the signal's number in the exit code of a program that it ended.
_SIGNALLED = 128

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(KeyboardInterrupt):
    """The process was told to end.

    Attributes:
        exit_code: what a shell expects of it then.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = _SIGNALLED + number


def exit_code_of(cause: BaseException | None) -> int:
    """Answers the exit code of a program that was interrupted, by `Ended` or otherwise."""
    return cause.exit_code if isinstance(cause, Ended) else _SIGNALLED + signal.SIGINT


def end_soon_after_an_interrupt() -> None:
    """Ends a command that is interrupted (Ctrl-C), terminated, or whose terminal is gone: it cleans up, and then ends.

    The signal is an exception in the main thread, wherever that is; raised inside a callback of gRPC's core it is dropped, and
    the command would go on as if nothing had been said. So the process ends some seconds later at the latest.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        timer = threading.Timer(_GRACE_SECONDS, os._exit, [_SIGNALLED + number])
        timer.daemon = True
        timer.start()
        raise Ended(number)

    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` and shells without job control have it
                signal.signal(number, interrupt)
