"""`manage.py osis_document_reconcile`: makes rows and the document service agree again, and lists where they do not."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from osis.document.v1.document_pb2 import Document

from ...exceptions import OsisDocumentException
from ...services import times
from ..named_documents import NamedDocuments, places
from ..reconciliation import Missing, Reconciliation

#: The exit status when rows name documents that cannot be used. 1 is for a run that could not be finished.
MISSING_STATUS = 3
_PROGRESS_SECONDS = 2.0
_DEFAULT_MIN_AGE_SECONDS = 300


class Command(BaseCommand):
    """Finishes what a crash between commit and finalising left behind; best run once a day, well before holds end."""

    help = (
        "Makes held documents final that rows name, then lists documents that rows name and the service does not have, and final "
        "documents that no row names. Nothing is ever deleted. Lines are `finalized ID`, `missing ID WHY MODEL.FIELD pk=KEY` and "
        "`unnamed ID UPLOADED BYTES CLIENT`. Exit status: 0 all is well, 1 it was not finished, 3 rows name missing documents."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options."""
        parser.add_argument("--dry-run", action="store_true", help="Makes nothing final; says what would be.")
        parser.add_argument("--held-only", action="store_true", help="Makes held documents final, and leaves out the lists.")
        parser.add_argument(
            "--database",
            action="append",
            default=[],
            choices=list(connections),
            help="Reads the rows of this database; may be given again. By default each model's own.",
        )
        parser.add_argument(
            "--min-age",
            type=int,
            default=_DEFAULT_MIN_AGE_SECONDS,
            metavar="SECONDS",
            help="Does not list documents as unnamed that changed less than so long before the start (%(default)s).",
        )
        parser.add_argument("--progress", action="store_true", help="Tells how far it is even where that is no terminal.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Does it.

        Raises:
            CommandError: the service does not answer or refuses (status 1), or rows name missing documents (status 3).
        """
        self._told_at = time.monotonic()
        self._tells = options["progress"] or (options["verbosity"] > 0 and self.stderr.isatty())
        began = datetime.now(UTC)
        try:
            with NamedDocuments(places(options["database"])) as named:
                missing = self._reconcile(named, began, options)
        except (OsisDocumentException, ImproperlyConfigured) as exc:
            raise CommandError(f"It could not be finished: {exc}") from exc
        if missing:
            raise CommandError(f"{missing} documents that rows name are missing.", returncode=MISSING_STATUS)

    def _reconcile(self, named: NamedDocuments, began: datetime, options: dict[str, Any]) -> int:
        """Answers how many documents are missing."""
        for count in named.read():
            self._tell(f"{count} rows read")
        reconciliation = Reconciliation(named=named)
        finalized = self._finalize(reconciliation, dry_run=options["dry_run"])
        if options["held_only"]:
            self.stdout.write(f"finalized: {finalized}")
            return 0
        missing = self._list_missing(reconciliation)
        unnamed = self._list_unnamed(reconciliation, unchanged_since=began - timedelta(seconds=options["min_age"]))
        self.stdout.write(f"finalized: {finalized}, missing: {missing}, unnamed: {unnamed}")
        return missing

    def _finalize(self, reconciliation: Reconciliation, *, dry_run: bool) -> int:
        count = 0
        for batch in reconciliation.finalize(dry_run=dry_run):
            for document_id in batch:
                self.stdout.write(f"{'would be finalized' if dry_run else 'finalized'} {document_id}")
            count += len(batch)
            self._tell(f"{count} documents made final")
        return count

    def _list_missing(self, reconciliation: Reconciliation) -> int:
        count = 0
        for number, batch in enumerate(reconciliation.missing(), start=1):
            for each in batch:
                self.stdout.write(_missing_line(each))
            count += len(batch)
            self._tell(f"{number} calls about named documents, {count} missing")
        return count

    def _list_unnamed(self, reconciliation: Reconciliation, *, unchanged_since: datetime) -> int:
        count = 0
        for number, batch in enumerate(reconciliation.unnamed(unchanged_since=unchanged_since), start=1):
            for document in batch:
                self.stdout.write(_unnamed_line(document))
            count += len(batch)
            self._tell(f"{number} pages of kept documents, {count} unnamed")
        return count

    def _tell(self, how_far: str) -> None:
        """Tells how far it is, but not all the time."""
        if self._tells and time.monotonic() - self._told_at >= _PROGRESS_SECONDS:
            self._told_at = time.monotonic()
            self.stderr.write(how_far)


def _missing_line(missing: Missing) -> str:
    return f"missing {missing.document_id} {missing.why} {missing.place} pk={missing.row}"


def _unnamed_line(document: Document) -> str:
    return f"unnamed {document.id} {times.text(document.upload_time)} {document.size_bytes} {document.client or '-'}"
