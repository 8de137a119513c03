"""Whether a client is open."""

from __future__ import annotations

import os
from threading import Event

from ._errors import ClientClosed


class Lifetime:
    """From a client's making to its closing.

    Attributes:
        has_ended: whether it was closed.
    """

    def __init__(self) -> None:
        self.has_ended = False
        # By process id: an event has a lock, and a fork could copy one that is held.
        self._ends: dict[int, Event] = {}

    def end(self) -> None:
        """Ends it, and the pauses in this process."""
        self.has_ended = True
        self._end().set()

    def require_open(self) -> None:
        """Raises `ClientClosed` once it has ended."""
        if self.has_ended:
            raise ClientClosed("this client is closed; make another one")

    def pause(self, seconds: float) -> None:
        """Returns after so many seconds, or at its end."""
        if not self.has_ended:
            self._end().wait(seconds)

    def _end(self) -> Event:
        return self._ends.setdefault(os.getpid(), Event())
