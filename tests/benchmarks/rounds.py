"""Interleaved rounds: the measured thing and what it is held against, by turns, so that both meet the same machine."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

#: Does it once and returns how many seconds it took.
Timed = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Seconds of each round."""

    measured: tuple[float, ...]
    baseline: tuple[float, ...]

    @property
    def measured_seconds(self) -> float:
        """The median."""
        return statistics.median(self.measured)

    @property
    def baseline_seconds(self) -> float:
        """The median."""
        return statistics.median(self.baseline)

    @property
    def speed(self) -> float:
        """How fast the measured thing is, the baseline being 1: the ratio of the medians."""
        return self.baseline_seconds / self.measured_seconds

    @property
    def speed_spread(self) -> tuple[float, float]:
        """The same for the slowest and for the fastest round."""
        speeds = [baseline / measured for measured, baseline in zip(self.measured, self.baseline, strict=True)]
        return min(speeds), max(speeds)


def interleaved(measured: Timed, baseline: Timed, *, rounds: int, say: Callable[[str], None]) -> Rounds:
    """Runs both by turns. The first round warms up and is not counted; the order changes from round to round."""
    pairs: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        if number % 2:
            first = measured()
            pair = (first, baseline())
        else:
            first = baseline()
            pair = (measured(), first)
        say(f"round {number or '(warm-up)'}: {pair[0]:.3f} s, baseline {pair[1]:.3f} s")
        if number:
            pairs.append(pair)
    return Rounds(measured=tuple(pair[0] for pair in pairs), baseline=tuple(pair[1] for pair in pairs))
