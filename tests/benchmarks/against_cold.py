"""Warm conversions of office documents, each compared with that by a LibreOffice which is started for it."""

import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bench import Bench
from row import Measured, NotBuiltError

TIMEOUT_SECONDS = 180


def soffice() -> str:
    """LibreOffice's program.

    Raises:
        NotBuiltError: there is none.
    """
    program = shutil.which("soffice")
    if program is None:
        raise NotBuiltError("LibreOffice on this machine: there is no soffice in PATH")
    return program


def measure_against_cold(
    bench: Bench,
    folder: Path,
    documents: list[Path],
    *,
    origin: str,
    warm_seconds: Callable[[Path], float],
    refusals: tuple[type[Exception], ...],
) -> Measured:
    """Converts each document both ways.

    Args:
        bench: the run.
        folder: for what the cold ones make.
        documents: what is converted.
        origin: where they come from, for the note.
        warm_seconds: converts one in the warm way, and returns how long that took.
        refusals: what it raises when a document cannot be converted.
    """
    program = soffice()
    warm: dict[str, float] = {}
    cold: dict[str, float] = {}
    faults = []
    for source in documents:
        try:
            warm[source.name] = warm_seconds(source)
        except refusals as exc:
            faults.append(f"{source.name}: {exc}")
            continue
        cold[source.name] = _cold_seconds(source, program=program, folder=folder)
        bench.say(f"{source.name}: {warm[source.name]:.3f} s, cold {cold[source.name]:.3f} s")
    mean, cold_mean = statistics.mean(warm.values()), statistics.mean(cold.values())
    ratios = [warm[name] / cold[name] for name in warm]
    return Measured(
        value=mean / cold_mean,
        spread=(min(ratios), max(ratios)),
        note=f"mean {mean:.3f} s, cold {cold_mean:.3f} s, of {len(warm)} documents: {origin}",
        faults=tuple(faults),
        details={"seconds": warm, "cold_seconds": cold},
    )


def _cold_seconds(source: Path, *, program: str, folder: Path) -> float:
    """Converts in a profile of its own."""
    output = folder / f"cold-{source.name}"
    command = [program, f"-env:UserInstallation=file://{output}-profile", "--headless", "--norestore"]
    started = time.perf_counter()
    subprocess.run(
        [*command, "--convert-to", "pdf:writer_pdf_Export", "--outdir", str(output), str(source)],
        check=True,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
    )
    seconds = time.perf_counter() - started
    if not list(output.glob("*.pdf")):
        raise ValueError(f"a cold LibreOffice does not convert {source.name}")
    return seconds
