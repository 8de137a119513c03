"""`osis-document export`."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.document_service_pb2 import DocumentOrder

from .. import OsisDocumentError
from .._export.placing import FAILURES, MANIFEST
from .._export.run import Export, Progress, Summary
from .faults import fault_of
from .filters import filter_options
from .output import print_json, print_lines, size_text
from .settings import Settings, common_options, pass_settings
from .text import visible

#: Nobody wants to start this again because the service was restarted: tries that get nowhere, some twenty seconds in all.
_ATTEMPTS = 9
#: How many failures are shown; the file has all.
_SHOWN = 20


@click.command()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False))
@filter_options
@click.option("--jobs", type=click.IntRange(1, 32), default=4, metavar="N", help="So many documents side by side (4).")
@click.option("--modified", is_flag=True, help="Take the modified copy instead of the original, where there is one.")
@common_options(hidden=True)
@pass_settings
def export(settings: Settings, /, *, folder: Path, jobs: int, modified: bool, **filters: Any) -> None:
    """Writes documents into a folder, under their logical paths.

    All that are confirmed are written, or those of them that the filters let through.

    Run it again to go on after an interruption, or to fetch what has come or changed since: what is there with the right
    content is left alone, and a content that is there in part is continued. Files that others have put there are never
    replaced, and nothing is ever removed.

    Where two documents have the same path (or paths that differ in upper and lower case alone), all but the first have their id
    in their file's name. Paths that would lead out of the folder, hide, or be too long are altered. At the end, manifest.jsonl
    tells of every file which document it is, with its path, SHA-256 and keys; failures.jsonl tells what could not be written,
    and why.

    \b
    Examples:
      osis-document export archive/
      osis-document export --path admission/2026/ --jobs 8 archive/
    """
    with settings.open_client(attempts=_ATTEMPTS) as client:
        documents = client.list_documents(
            statuses=[DocumentStatus.DOCUMENT_STATUS_UPLOADED], order=DocumentOrder.DOCUMENT_ORDER_PATH_ASC, **filters
        )
        summary = None
        try:
            with (
                Export(client, folder, jobs=jobs, modified=modified, describe=_describe) as running,
                _shown_progress() as progress,
            ):
                summary = running.summary
                running.survey(documents, progress)
                running.fetch(progress)
        except KeyboardInterrupt:
            click.echo("\nwhat is there stays; the same command goes on", err=True)
            raise
        finally:
            if summary is not None:
                _report(summary, folder, settings=settings)
    if summary.failed:
        click.get_current_context().exit(_report_failures(folder, summary, as_json=settings.json))


class _Silent:
    """Is told how an export gets on where nobody is looking."""

    def found(self, documents: int) -> None:
        """Says nothing."""

    def begin(self, *, documents: int, size_bytes: int) -> None:
        """Says nothing."""

    def advance(self, size_bytes: int) -> None:
        """Says nothing."""

    def settled(self, *, left_out_bytes: int) -> None:
        """Says nothing."""


@contextmanager
def _shown_progress() -> Iterator[Progress]:
    if not sys.stderr.isatty():
        yield _Silent()
        return
    from .export_bars import export_bars

    with export_bars() as bars:
        yield bars


def _describe(error: OsisDocumentError | OSError) -> dict[str, object]:
    fault = fault_of(error)
    return fault.as_dict() | {"exit_code": fault.exit_code}


def _report(summary: Summary, folder: Path, *, settings: Settings) -> None:
    if settings.json:
        print_json({"folder": str(folder), "manifest": str(folder / MANIFEST), **vars(summary)})
        return
    count = summary.fetched + summary.kept
    print_lines(
        [
            ("folder", str(folder)),
            ("documents", f"{count} ({summary.fetched} fetched, {summary.kept} there already)"),
            ("size", size_text(summary.size_bytes)),
            ("manifest", str(folder / MANIFEST)),
        ]
    )


def _report_failures(folder: Path, summary: Summary, *, as_json: bool) -> int:
    """Tells what could not be exported, and answers the exit code of the first failure."""
    exit_code = 0
    with (folder / FAILURES).open(encoding="utf-8") as lines:
        for line in itertools.islice(lines, None if as_json else _SHOWN):
            failure = json.loads(line)
            exit_code = exit_code or failure["exit_code"]
            if as_json:
                click.echo(line.rstrip(), err=True)
            else:
                click.echo(f"error: {visible(failure['file'])}: {visible(failure['error']['message'])}", err=True)
    if not as_json:
        more = f", {summary.failed - _SHOWN} of them not shown" if summary.failed > _SHOWN else ""
        click.echo(f"\n{summary.failed} not exported{more}: see {folder / FAILURES}", err=True)
    return exit_code
