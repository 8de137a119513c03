"""How long a server takes to start, and how large it is then."""

import statistics

from bench import Bench
from memory import Memory
from row import Measured, Row
from scale import MIB


def _measure(bench: Bench) -> Measured:
    seconds: list[float] = []
    resident: list[int] = []
    for _ in range(bench.scale.starts):
        with bench.service() as service:
            seconds.append(service.start_seconds)
            resident.append(Memory(service.pid).now())
        bench.say(f"{seconds[-1]:.2f} s, {resident[-1] / MIB:.0f} MiB")
    return Measured(
        value=statistics.median(seconds),
        spread=(min(seconds), max(seconds)),
        note=f"RSS at rest {statistics.median(resident) / MIB:.0f} MiB",
        details={"seconds": seconds, "resident_bytes": resident},
    )


START_UP = Row(
    name="start-up",
    what="start of the server process until health says SERVING",
    target=None,
    unit="s",
    measure=_measure,
)
