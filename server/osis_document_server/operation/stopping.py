"""Being told to stop: once, and calls under way may end first; twice, and they are broken off."""

import os
import signal
from contextlib import suppress
from types import FrameType

#: More than the pipe ever holds.
_PIPE_BYTES = 1 << 16


class StopRequest:
    """Waits for somebody who wants the process to end.

    Signals may come at any moment, also while the main thread holds a lock, so they are passed on through a pipe: it needs none.
    And they may reach any thread, which leaves the main thread where it waits; so the interpreter itself writes to the pipe.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)  # nobody need be told more often than the pipe holds bytes
        self._signals = 0
        self._asked = False
        self._at_once = False

    def obey_signals(self, *, only_ask: bool = False) -> None:
        """Takes SIGTERM and SIGINT: the first one asks, the second hurries, the third ends the process.

        Args:
            only_ask: however often they come, they ask; somebody else tells when to hurry.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, (lambda *_: self.ask()) if only_ask else self._signalled)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)

    def ask(self) -> None:
        """Asks for an end; from any thread."""
        self._asked = True
        with suppress(BlockingIOError):
            os.write(self._writing, b".")

    def hurry(self) -> None:
        """Asks for an end that waits for no call; from any thread."""
        self._at_once = True
        self.ask()

    def is_hurried(self) -> bool:
        """Tells whether calls under way are to be broken off."""
        return self._at_once

    def wait(self) -> None:
        """Returns once somebody has asked."""
        os.read(self._reading, _PIPE_BYTES)
        while not self._asked:
            os.read(self._reading, _PIPE_BYTES)

    def fileno(self) -> int:
        """Returns what becomes readable once somebody has asked, so that it can be waited for beside other things."""
        return self._reading

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals == 1:
            self.ask()
        elif self._signals == 2:
            self.hurry()
        else:
            os._exit(128 + number)
