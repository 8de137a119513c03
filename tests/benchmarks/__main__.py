"""Measures, prints the table, and says what falls short.

    python tests/benchmarks                       all rows
    python tests/benchmarks --only upload-stream  one of them (may be given several times)
    python tests/benchmarks --quick               smaller and fewer, to see that it runs

Ends with 0 when every row that was run reached its target, 1 when one did not or is not built yet, 2 when one could not be
measured.
"""

import argparse
import sys
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench import Bench
from machine import machine_facts
from record import write_record
from registry import ROWS
from row import NotBuiltError, Result, Row, Verdict
from scale import QUICK, Scale
from table import heading, table

_FOLDER = Path(__file__).resolve().parents[2] / "var" / "bench"


def main(arguments: list[str] | None = None) -> int:
    """Runs the rows that are asked for; returns the exit status."""
    options = _parser().parse_args(arguments)
    scale = QUICK if options.quick else Scale()
    if options.rounds:
        scale = replace(scale, rounds=options.rounds)
    rows = [row for row in ROWS if not options.only or row.name in options.only]
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    facts = machine_facts(folder)
    print(heading(facts, quick=scale.quick), flush=True)
    started = datetime.now(UTC)
    bench = Bench(scale=scale, root=folder)
    results = [_run(row, bench) for row in rows]
    print()
    print(table(results))
    print()
    path = write_record(folder, results, facts=facts, scale=scale, started=started)
    print(f"{_summary(results)} Written to {path}.")
    verdicts = {result.verdict for result in results}
    if Verdict.BROKEN in verdicts:
        return 2
    return 1 if verdicts & {Verdict.MISSED, Verdict.NOT_BUILT} else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python tests/benchmarks", description="Measures, and says what falls short.")
    names = [row.name for row in ROWS]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"one row: {', '.join(names)}")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"interleaved rounds that count (default {Scale().rounds})")
    parser.add_argument("--quick", action="store_true", help="smaller and fewer, to see that it runs")
    parser.add_argument(
        "--folder",
        type=Path,
        default=_FOLDER,
        metavar="FOLDER",
        help="records go here, and documents while it runs: on the disk that is measured, with 12 GB free (default var/bench)",
    )
    return parser


def _run(row: Row, bench: Bench) -> Result:
    print(f"{row.name}: {row.what}", file=sys.stderr, flush=True)
    started = time.perf_counter()
    try:
        measured = row.measure(bench)
    except NotBuiltError as exc:
        return Result(row=row, verdict=Verdict.NOT_BUILT, reason=str(exc))
    except Exception as exc:  # noqa: BLE001 - the other rows are measured all the same
        traceback.print_exc()
        return Result(row=row, verdict=Verdict.BROKEN, reason=f"{type(exc).__name__}: {exc}")
    target = measured.target or row.target
    if measured.faults or (target is not None and not target.is_met(measured.value)):
        verdict = Verdict.MISSED
    else:
        verdict = Verdict.OK if target is not None else Verdict.FIGURE
    return Result(row=row, verdict=verdict, measured=measured, seconds=time.perf_counter() - started)


def _summary(results: list[Result]) -> str:
    counts = [(verdict, sum(result.verdict is verdict for result in results)) for verdict in Verdict]
    return ", ".join(f"{count} {verdict.value}" for verdict, count in counts if count and verdict is not Verdict.FIGURE) + "."


if __name__ == "__main__":
    sys.exit(main())
