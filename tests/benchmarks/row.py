"""One row of the table: what is measured, what it should come to, and what it came to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench import Bench


class Bound(Enum):
    """On which side of its limit a value should be."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a value should come to."""

    bound: Bound
    limit: float

    def is_met(self, value: float) -> bool:
        """True when ``value`` is on the right side."""
        return value >= self.limit if self.bound is Bound.AT_LEAST else value <= self.limit


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a row came to."""

    value: float
    #: Smallest and largest value of a round; None for what is measured once.
    spread: tuple[float, float] | None = None
    #: The row's target, where it depends on what was measured beside it.
    target: Target | None = None
    #: What the value was made of, for people.
    note: str = ""
    #: What must not happen and did; any makes the row missed.
    faults: tuple[str, ...] = ()
    #: What the value was made of, for machines.
    details: Mapping[str, object] = field(default_factory=dict)


class NotBuiltError(Exception):
    """The row cannot be measured yet. The message names what is missing."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table."""

    #: For ``--only``.
    name: str
    what: str
    #: None for a figure that is printed for scale.
    target: Target | None
    #: Behind value and target, for people.
    unit: str = ""
    digits: int = 2
    #: Raises ``NotBuiltError``; any other error means a broken run.
    measure: Callable[["Bench"], Measured]


class Verdict(Enum):
    """How a row went."""

    OK = "ok"
    MISSED = "MISSED"
    NOT_BUILT = "not built yet"
    BROKEN = "BROKEN"
    #: A figure without a target.
    FIGURE = "–"


@dataclass(frozen=True, kw_only=True)
class Result:
    """A row that was run."""

    row: Row
    verdict: Verdict
    measured: Measured | None = None
    #: What is missing or broken.
    reason: str = ""
    seconds: float = 0.0

    @property
    def target(self) -> Target | None:
        """What the value was held against."""
        return (self.measured.target if self.measured else None) or self.row.target
