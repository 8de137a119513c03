"""Being told to stop: once, and calls under way may end first; twice, and they are broken off."""

import os
import signal
from types import FrameType


class StopRequest:
    """Waits for somebody who wants the process to end.

    Signals may come at any moment, also while the main thread holds a lock, so they are passed on through a pipe: it needs none.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        self._signals = 0
        self._at_once = False

    def obey_signals(self) -> None:
        """Takes SIGTERM and SIGINT: the first one asks, the second hurries, the third ends the process."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)

    def ask(self) -> None:
        """Asks for an end; from any thread."""
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
        os.read(self._reading, 1)

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
