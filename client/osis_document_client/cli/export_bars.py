"""How an export gets on, drawn on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class _Amount(ProgressColumn):
    """How much of how much: documents, or bytes with their rate."""

    def render(self, task: Task) -> Text:
        """Called by rich."""
        done, total = int(task.completed), task.total
        if task.fields["unit"] == "documents":
            return Text(f"{done:,}" if total is None else f"{done:,} of {int(total):,}")
        rate = f", {decimal(int(task.speed))}/s" if task.speed else ""
        return Text(f"{decimal(done)} of {decimal(int(total or 0))}{rate}")


class ExportBars:
    """Two bars: the documents that are settled, and the bytes that are fetched."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._documents = bars.add_task("looking for documents", total=None, unit="documents")
        self._bytes = bars.add_task("bytes", total=None, unit="bytes", visible=False)
        self._to_fetch = 0

    def found(self, documents: int) -> None:
        """So many documents have been found so far."""
        self._bars.update(self._documents, completed=documents)

    def begin(self, *, documents: int, size_bytes: int) -> None:
        """So much is to be there at the end."""
        self._to_fetch = size_bytes
        self._bars.reset(self._documents, total=documents, description="documents")
        self._bars.reset(self._bytes, total=size_bytes, visible=True)

    def advance(self, size_bytes: int) -> None:
        """So many more bytes have been fetched."""
        self._bars.advance(self._bytes, size_bytes)

    def settled(self, *, left_out_bytes: int) -> None:
        """One more document is there, or failed."""
        self._to_fetch -= left_out_bytes
        self._bars.update(self._bytes, total=self._to_fetch)
        self._bars.advance(self._documents)


@contextmanager
def export_bars() -> Iterator[ExportBars]:
    """Draws the bars on stderr until the end of the block; yields what is to be told."""
    columns = (TextColumn("{task.description}"), BarColumn(), _Amount(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield ExportBars(bars)
