"""An export from beginning to end."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from osis.document.v1.document_pb2 import Document

from .._client import Client
from .._errors import (
    AuthenticationError,
    ContentChanged,
    DownloadInterrupted,
    ModifiedCopyNotFound,
    OsisDocumentError,
    ServiceError,
    Unavailable,
)
from .._target import open_target
from .content import fetch, token_request
from .entries import wanted_of
from .ledger import Ledger, Row
from .placing import FAILURES, MANIFEST, STATE_FOLDER, Placing, holds

#: For so many documents tokens are asked for at once.
_LOT = 100
#: Errors of the way to the service, and of the folder, that the next document would meet too.
_FATAL_ERRORS = (Unavailable, AuthenticationError, DownloadInterrupted)
_FATAL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE}


class Progress(Protocol):
    """What is told of how an export gets on; from any thread."""

    def found(self, documents: int) -> None:
        """So many documents have been found so far."""

    def begin(self, *, documents: int, size_bytes: int) -> None:
        """So much is to be there at the end."""

    def advance(self, size_bytes: int) -> None:
        """So many more bytes have been fetched; less than 0 where they have to be counted again."""

    def settled(self, *, left_out_bytes: int) -> None:
        """One more document is there, or failed; so many bytes of it need not, or could not, be fetched."""


@dataclass(kw_only=True)
class Summary:
    """What became of the documents of an export."""

    fetched: int = 0
    """Downloaded in this run."""

    kept: int = 0
    """There already, with the right content."""

    failed: int = 0
    """Not there; `failures.jsonl` says why."""

    size_bytes: int = 0
    """Of all that is there."""


@dataclass(frozen=True)
class _Outcome:
    """What became of one document in a worker thread."""

    row: Row
    was_there: bool = False
    mtime_ns: int = 0
    error: OsisDocumentError | OSError | None = None


class Export:
    """Writes documents into a folder; a context manager. One process at a time for one folder."""

    def __init__(
        self, client: Client, folder: Path, *, jobs: int, modified: bool, describe: Callable[[Exception], dict[str, object]]
    ) -> None:
        """Prepares the folder.

        Args:
            client: asks for the documents; its back-off decides how long a service may be away.
            folder: made if it is not there.
            jobs: how many documents are fetched side by side.
            modified: take modified copies where there are any.
            describe: says what a program is told of an error.

        Raises:
            LedgerError: another export into the folder is under way.
            OSError: the folder cannot be written.
        """
        self.summary = Summary()
        self._client = client
        self._folder = folder
        self._jobs = jobs
        self._modified = modified
        self._describe = describe
        self._parts = folder / STATE_FOLDER / "parts"
        self._parts.mkdir(parents=True, exist_ok=True)
        self._ledger = Ledger(folder / STATE_FOLDER / "ledger.db")
        self._placing = Placing(folder, self._ledger)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Writes down what is there, and lets go of the folder."""
        with self._ledger:
            self._write(MANIFEST, self._manifest())
            failures = self._folder / FAILURES
            if not self._write(FAILURES, (error for _, error in self._ledger.errors())):
                failures.unlink(missing_ok=True)

    def survey(self, documents: Iterable[Document], progress: Progress) -> None:
        """Gives every document its place."""
        for number, document in enumerate(documents, 1):
            self._note(document)
            progress.found(number)

    def fetch(self, progress: Progress) -> None:
        """Fetches what is not there yet.

        Raises:
            OsisDocumentError: the service could not be reached, or does not let us in. What is there stays there.
            OSError: the folder cannot be written, whatever the document.
        """
        count, size_bytes = self._ledger.totals()
        progress.begin(documents=count, size_bytes=size_bytes)
        with _Pool(self._jobs) as pool:
            for rows in self._ledger.wanted(count=_LOT):
                missing = []
                for row in rows:
                    if self._is_unchanged(row):
                        self._settle(_Outcome(row, was_there=True, mtime_ns=row.present_mtime_ns or 0), progress)
                    else:
                        missing.append(row)
                if not missing:
                    continue
                tokens = self._client.create_tokens([token_request(row) for row in missing])
                for row, token in zip(missing, tokens, strict=True):
                    for outcome in pool.room():
                        self._settle(outcome, progress)
                    if isinstance(token, ServiceError):
                        self._settle(_Outcome(row, error=token), progress)
                    else:
                        pool.submit(self._fetch_one, row, token.token.token, progress)
            for outcome in pool.rest():
                self._settle(outcome, progress)
        if not self.summary.failed:
            for part in self._parts.iterdir():  # of documents that have changed since, or are gone
                part.unlink()

    # ---- one document ---------------------------------------------------------------------------------------------------

    def _note(self, document: Document) -> None:
        wanted = wanted_of(document, modified=self._modified)
        file = self._ledger.file_of(document.id)
        if file is None:
            path = document.path or document.name
            file = self._placing.place(document.id, path, sha256=wanted.sha256, size_bytes=wanted.size_bytes)
        self._ledger.want(
            document.id,
            file=file,
            sha256=wanted.sha256,
            size_bytes=wanted.size_bytes,
            is_modified=wanted.is_modified,
            entry=wanted.entry,
        )

    def _is_unchanged(self, row: Row) -> bool:
        """True if the file is as it was when it was written with the content that is wanted."""
        if row.present_sha256 != row.sha256:
            return False
        try:
            found = (self._folder / row.file).stat(follow_symlinks=False)
        except OSError:
            return False
        return found.st_size == row.size_bytes and found.st_mtime_ns == row.present_mtime_ns

    def _fetch_one(self, row: Row, token: str, progress: Progress) -> _Outcome:
        """In a worker thread."""
        target = self._folder / row.file
        try:
            was_there = holds(target, sha256=row.sha256, size_bytes=row.size_bytes)
            if not was_there:
                fetch(self._client, row, token=token, parts=self._parts, target=target, advance=progress.advance)
            return _Outcome(row, was_there=was_there, mtime_ns=target.stat().st_mtime_ns)
        except (OsisDocumentError, OSError) as exc:
            return _Outcome(row, error=exc)

    def _settle(self, outcome: _Outcome, progress: Progress) -> None:
        """Notes what became of a document; in the main thread."""
        row, error = outcome.row, outcome.error
        if error is not None:
            self.summary.failed += 1
            entry = {"id": row.id, "file": row.file, **self._describe(error)}
            self._ledger.failed(row.number, json.dumps(entry))
            progress.settled(left_out_bytes=row.size_bytes)
            if isinstance(error, _FATAL_ERRORS) or (isinstance(error, OSError) and error.errno in _FATAL_ERRNOS):
                raise error
            return
        self.summary.fetched += not outcome.was_there
        self.summary.kept += outcome.was_there
        self.summary.size_bytes += row.size_bytes
        self._ledger.there(row.number, sha256=row.sha256, mtime_ns=outcome.mtime_ns)
        progress.settled(left_out_bytes=row.size_bytes if outcome.was_there else 0)

    # ---- what is written about it ---------------------------------------------------------------------------------------

    def _manifest(self) -> Iterable[str]:
        for file, entry in self._ledger.entries():
            if os.path.lexists(self._folder / file):
                yield json.dumps({"file": file} | json.loads(entry))

    def _write(self, name: str, lines: Iterable[str]) -> bool:
        """Writes a file of lines, all of it or nothing; answers whether there were any."""
        any_line = False
        with open_target(self._folder / name) as file:
            for line in lines:
                any_line = True
                file.write(f"{line}\n".encode())
        return any_line
