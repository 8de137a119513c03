"""`manage.py osis_document_import`: moves the existing product's documents into the service."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from osis_document import channel
from osis_document.importing.media import MediaFolder
from osis_document.importing.outcomes import Tally
from osis_document.importing.run import COPIES, DOCUMENTS, JOBS, Import, Stopped
from osis_document.importing.tables import NotTheTables, OldTables
from osis_document_client import Client, ConfigurationError

KEY_VARIABLE = "OSIS_DOCUMENT_API_KEY"
_BATCH_SIZE = 100
#: As shells have it: 128 and the number of SIGINT.
_INTERRUPTED = 130
_MEBIBYTE = 1 << 20


class Command(BaseCommand):
    """Moves the tables and the media folder of the existing product into the service; neither is changed."""

    help = (
        "Moves the tables osis_document_* of the existing product and its media folder into the service. Neither is changed; "
        f"what is there already is skipped, so that it can be run again. The admin's key is read from {KEY_VARIABLE}."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's declaration

    def add_arguments(self, parser: CommandParser) -> None:
        """Declares the options."""
        parser.add_argument(
            "--database", metavar="ALIAS", default=DEFAULT_DB_ALIAS, help="the database with the tables (default: %(default)s)"
        )
        parser.add_argument("--media-root", metavar="DIR", type=Path, help="the media folder (default: MEDIA_ROOT)")
        parser.add_argument("--dry-run", action="store_true", help="check every file and say what would be done; send nothing")
        parser.add_argument("--limit", metavar="N", type=int, help="stop after so many were brought over")
        parser.add_argument(
            "--batch-size",
            metavar="N",
            type=int,
            default=_BATCH_SIZE,
            help="how many rows to read, and to ask the service about, at once (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Runs the import; ends with 1 if anything failed."""
        if options["batch_size"] < 1 or (options["limit"] is not None and options["limit"] < 1):
            raise CommandError("--batch-size and --limit must be at least 1.")
        media = _media_folder(options["media_root"])
        try:
            tables = OldTables(options["database"], page_size=options["batch_size"])
            with _client() as client:
                run = Import(
                    client,
                    tables,
                    media,
                    tell=self.stdout.write,
                    complain=self.stderr.write,
                    explain=self.stdout.write if options["verbosity"] > 1 else _say_nothing,
                    limit=options["limit"],
                    dry_run=options["dry_run"],
                )
                self._run(run, dry_run=options["dry_run"])
        except (NotTheTables, DatabaseError) as exc:
            raise CommandError(f"The tables cannot be read: {exc}") from exc

    def _run(self, run: Import, *, dry_run: bool) -> None:
        try:
            run.run()
        except Stopped as exc:
            self._summarize(run.tally, dry_run=dry_run)
            raise CommandError(f"The import was stopped: {exc}. Run it again to go on.") from exc
        except KeyboardInterrupt:
            self._summarize(run.tally, dry_run=dry_run)
            raise CommandError("Interrupted. Run it again to go on.", returncode=_INTERRUPTED) from None
        self._summarize(run.tally, dry_run=dry_run)
        if run.limit_is_reached:
            self.stdout.write("The limit is reached; run it again to go on.")
        if run.tally.failures:
            raise CommandError(f"{run.tally.failures} could not be brought over; see above. Mend them and run it again.")

    def _summarize(self, tally: Tally, *, dry_run: bool) -> None:
        self.stdout.write("Nothing was sent; this would be done:" if dry_run else "Summary:")
        for kind in (DOCUMENTS, COPIES, JOBS):
            self.stdout.write(f"  {tally.of(kind)}")
        self.stdout.write(f"  {tally.sent_bytes / _MEBIBYTE:.1f} MiB sent")


def _say_nothing(_line: str) -> None:
    """What is left out is told one by one with `--verbosity 2` only."""


def _media_folder(chosen: Path | None) -> MediaFolder:
    root = chosen or (Path(settings.MEDIA_ROOT) if settings.MEDIA_ROOT else None)
    if root is None:
        raise CommandError("There is no media folder: give it with --media-root.")
    try:
        return MediaFolder(root)
    except NotADirectoryError as exc:
        raise CommandError(f"The media folder cannot be read: {exc}.") from exc


def _client() -> Client:
    """The way to the service of the settings, with the admin's key."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise CommandError(f"Only an admin's key may import: set the environment variable {KEY_VARIABLE} to it.")
    try:
        return Client(replace(channel.configuration(), api_key=key))
    except ConfigurationError as exc:
        raise CommandError(str(exc)) from exc
