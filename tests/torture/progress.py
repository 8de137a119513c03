"""What a loop has done so far, and what it is to do."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

_SHOW_SECONDS = 5.0


class Progress:
    """Counts, and shows the counts now and then. For any number of threads.

    Args:
        goals: what is to be reached at least, by name.
        show: what a line is shown by.
    """

    def __init__(self, goals: Mapping[str, int], *, show: Callable[[str], None] = print) -> None:
        self.goals = dict(goals)
        self._show = show
        self._counts = Counter(dict.fromkeys(goals, 0))
        self._figures: dict[str, str] = {}
        self._lock = threading.Lock()
        self._shown_at = time.monotonic()

    def add(self, name: str, by: int = 1) -> None:
        """Counts something."""
        with self._lock:
            self._counts[name] += by
            due = time.monotonic() - self._shown_at >= _SHOW_SECONDS
            if due:
                self._shown_at = time.monotonic()
        if due:
            self.say(str(self))

    def note(self, name: str, figure: str) -> None:
        """Keeps a figure for the report."""
        self._figures[name] = figure

    def say(self, line: str) -> None:
        """Shows a line."""
        self._show(line)

    def count(self, name: str) -> int:
        """How many there were so far."""
        with self._lock:
            return self._counts[name]

    def reached(self, name: str) -> bool:
        """True once the goal of this name is reached."""
        return self.count(name) >= self.goals[name]

    def shortfalls(self) -> list[str]:
        """What is missing."""
        return [f"{self.count(name)} {name}, not {goal}" for name, goal in self.goals.items() if not self.reached(name)]

    def __str__(self) -> str:
        with self._lock:
            counts = dict(self._counts)
        parts = [f"{name} {count}" + (f" of {self.goals[name]}" if name in self.goals else "") for name, count in counts.items()]
        return ", ".join(parts + [f"{name} {figure}" for name, figure in self._figures.items()])
