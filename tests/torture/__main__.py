"""Runs the loops at full length, and says what the service did not survive.

    python tests/torture                            all loops
    python tests/torture --only killed-server       one of them (may be given several times)
    python tests/torture --database postgresql      on one database only
    python tests/torture --scale 0.05               shorter, to see that it runs
    python tests/torture --seed 123                 with the same chances as another time

Ends with 0 when every loop that was run reached its goals, with 1 when one failed or fell short.
"""

import argparse
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_ROOT))  # for `tests`

from tests.support import databases, processes, seeds  # noqa: E402 - the path comes first
from tests.support.postgres_server import PostgresServer  # noqa: E402
from tests.torture.progress import Progress  # noqa: E402
from tests.torture.registry import LOOPS, POSTGRESQL, SQLITE, Loop  # noqa: E402


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one loop ended on one database."""

    name: str
    database: str
    verdict: str
    counts: str
    seconds: float

    @property
    def is_good(self) -> bool:
        """False when the service, or the loop, fell short."""
        return self.verdict in {"ok", "skipped"}


def main(arguments: list[str] | None = None) -> int:
    """Runs the loops that are asked for; returns the exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that it ends what it has started
    seed = seeds.chosen() if options.seed is None else options.seed
    loops = [loop for loop in LOOPS if not options.only or loop.name in options.only]
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    _say(f"seed {seed}; to repeat it: --seed {seed}")
    outcomes = []
    for database in (SQLITE, POSTGRESQL):
        mine = [loop for loop in loops if database in loop.databases and options.database in {None, database}]
        if mine:
            with _database(database):
                outcomes += [_run(loop, database, folder, seed=seed, scale=options.scale) for loop in mine]
    print()
    for outcome in outcomes:
        print(f"{outcome.verdict:<10}  {outcome.name:<17} {outcome.database:<11} {outcome.seconds:7.0f} s  {outcome.counts}")
    return 0 if all(outcome.is_good for outcome in outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python tests/torture", description="Runs the loops at full length.")
    names = [loop.name for loop in LOOPS]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"one loop: {', '.join(names)}")
    parser.add_argument("--database", choices=[SQLITE, POSTGRESQL], help="one database only")
    parser.add_argument("--seed", type=int, metavar="N", help="what decides all that is left to chance (default: a new one)")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="a part of all counts (default 1)")
    parser.add_argument(
        "--folder",
        type=Path,
        default=_ROOT / "var/torture",
        metavar="FOLDER",
        help="documents go here while it runs, 8 GB of them; what a failed loop left stays (default var/torture)",
    )
    return parser


@contextmanager
def _database(kind: str) -> Iterator[None]:
    if kind == SQLITE:
        yield
        return
    with PostgresServer() as server:
        databases.in_use = databases.PostgresDatabases(server)
        try:
            yield
        finally:
            databases.in_use = databases.SqliteFiles()


def _run(loop: Loop, database: str, folder: Path, *, seed: int, scale: float) -> Outcome:
    _say(f"{loop.name} on {database}: {loop.what}")
    goals = {name: max(1, round(goal * scale)) for name, goal in loop.goals.items()}
    progress = Progress(goals, show=_say)
    place = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{loop.name}"
    place.mkdir()
    started, since = time.monotonic(), processes.now()
    verdict, why = "ok", ""
    try:
        loop.run(place / "server", progress, seed)
    except pytest.skip.Exception as exc:
        verdict, why = "skipped", str(exc)
    except (Exception, pytest.fail.Exception) as exc:  # noqa: BLE001 - the other loops are run all the same
        traceback.print_exc()
        for title, lines in processes.logs(since=since):
            print(f"---- {title}\n{lines}", file=sys.stderr)
        verdict, why = "FAILED", f"{str(exc).strip().splitlines()[0] if str(exc).strip() else repr(exc)}; see {place}"
    else:
        if shortfalls := progress.shortfalls():
            verdict, why = "FELL SHORT", "; ".join(shortfalls)
    databases.in_use.remove_below(place)
    if verdict != "FAILED":
        shutil.rmtree(place)
    counts = f"{progress}{f' – {why}' if why else ''}"
    _say(f"{loop.name} on {database}: {verdict}: {counts}")
    return Outcome(name=loop.name, database=database, verdict=verdict, counts=counts, seconds=time.monotonic() - started)


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
