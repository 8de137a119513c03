"""Progress bars, on stderr and only where somebody is looking."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from osis.document.v1.post_processing_pb2 import PostProcessing

from .. import ProgressCallback
from .text import visible


@contextmanager
def transfer_bar(name: str) -> Iterator[ProgressCallback | None]:
    """Shows bytes, rate and remaining time of one transfer; yields what is to be called with the bytes done and in all."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.filesize import decimal
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(escape(visible(name)), total=None)
        begun = False

        def advance(done: int, total: int | None) -> None:
            nonlocal begun
            if not begun and done:
                # What was there before says nothing about the rate: the clock starts here.
                progress.reset(
                    bar, completed=done, total=total, description=f"{escape(visible(name))} (resumed at {decimal(done)})"
                )
            begun = True
            progress.update(bar, completed=done, total=total)

        yield advance


@contextmanager
def job_bar(name: str) -> Iterator[Callable[[PostProcessing], None] | None]:
    """Shows the tasks done of the tasks in all; yields what is to be called with the job as it stands."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("tasks"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(escape(visible(name)), total=None)
        yield lambda job: progress.update(bar, completed=job.tasks_done, total=job.tasks_total)
