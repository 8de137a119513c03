"""What becomes of what is brought over, counted."""

from __future__ import annotations

from collections import Counter
from enum import Enum


class Outcome(Enum):
    """What became of one document, modified copy or post-processing; the value is how people are told."""

    IMPORTED = "imported"
    PRESENT = "there already"
    LEFT_OUT = "left out"
    DAMAGED = "damaged"
    MISSING = "without their file"
    DIFFERENT = "there already with another content or path"
    REFUSED = "refused"

    @property
    def is_failure(self) -> bool:
        """True when somebody has to look at it."""
        return self not in {Outcome.IMPORTED, Outcome.PRESENT, Outcome.LEFT_OUT}


class NotImported(Exception):
    """One item is not brought over; the others are.

    Attributes:
        outcome: what became of it.
    """

    def __init__(self, outcome: Outcome, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome


class Tally:
    """Counts outcomes by kind of item (`documents`, `modified copies`, `post-processings`), and the bytes that were sent."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[Outcome]] = {}
        self.sent_bytes = 0

    def add(self, kind: str, outcome: Outcome) -> None:
        """Counts one item."""
        self._counts.setdefault(kind, Counter())[outcome] += 1

    def of(self, kind: str) -> str:
        """Tells what became of the items of a kind so far: `3 documents: 2 imported, 1 damaged`."""
        counts = self._counts.get(kind, Counter())
        told = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome])
        return f"{counts.total()} {kind}" + (f": {told}" if told else "")

    @property
    def imported(self) -> int:
        """How many items were brought over."""
        return sum(counts[Outcome.IMPORTED] for counts in self._counts.values())

    @property
    def failures(self) -> int:
        """How many items failed."""
        return sum(count for counts in self._counts.values() for outcome, count in counts.items() if outcome.is_failure)
