"""What the demo shows: bars on a terminal, plain lines elsewhere, and tables at the end."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn
from rich.table import Table

#: Called with what is done so far and, if it is known, what there is in all.
Advance = Callable[[int, int | None], None]

#: From this width on, the tables have room for whole digests. Without a terminal there is no width to keep to.
WIDE = 140


@dataclass
class Step:
    """One step, and how it went."""

    name: str
    seconds: float = 0.0
    size_bytes: int | None = None

    @property
    def rate(self) -> str:
        if self.size_bytes is None:
            return ""
        return f"{decimal(int(self.size_bytes / max(self.seconds, 1e-6)))}/s"


@dataclass
class Report:
    """Shows each step while it runs and remembers it for the end."""

    console: Console = field(default_factory=Console)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.console.is_terminal:
            self.console = Console(width=WIDE)

    @contextmanager
    def step(self, name: str, *, size_bytes: int | None = None) -> Iterator[Advance]:
        """Times a block. The function that it yields moves the bar; ``size_bytes`` makes it a transfer with a rate."""
        step = Step(name, size_bytes=size_bytes)
        units = (
            [DownloadColumn(), TransferSpeedColumn()] if size_bytes is not None else [TextColumn("{task.completed}/{task.total}")]
        )
        # The bar goes when the step is done; the line below stays.
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            *units,
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        ) as progress:
            bar = progress.add_task(name, total=size_bytes)
            started = time.perf_counter()
            yield lambda done, total: progress.update(bar, completed=done, total=total if total is not None else size_bytes)
            step.seconds = time.perf_counter() - started
        self.steps.append(step)
        self.line(f"{name}: {step.seconds:.2f} s" + (f", {step.rate}" if step.rate else ""))

    def digest(self, sha256: str) -> str:
        """A digest, or its beginning where the line is too short for all of it."""
        return sha256 if self.console.width >= WIDE else sha256[:10]

    def line(self, text: str) -> None:
        """Shows a line of text as it is."""
        self.console.print(text, markup=False, highlight=False)

    def table(self, *columns: str, rows: Sequence[tuple[str, ...]], right: tuple[str, ...] = ()) -> None:
        """Shows rows of text; the columns named in ``right`` are numbers."""
        table = Table(box=None, pad_edge=False)  # narrow enough for 80 columns
        for column in columns:
            table.add_column(column, justify="right" if column in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*row)
        self.console.print()
        self.console.print(table, markup=False, highlight=False)

    def table_of_steps(self) -> None:
        """Shows how long each step took, and how fast it was."""
        rows = [
            (step.name, f"{step.seconds:.2f}", decimal(step.size_bytes) if step.size_bytes is not None else "", step.rate)
            for step in self.steps
        ]
        self.table("step", "seconds", "size", "rate", rows=rows, right=("seconds", "size", "rate"))
