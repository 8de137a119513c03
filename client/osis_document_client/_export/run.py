"""An export from beginning to end."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from osis.document.v1.document_pb2 import Document

from .._client import Client
from .._download import Download
from .._errors import (
    AuthenticationError,
    BatchFailed,
    ContentChanged,
    DownloadInterrupted,
    ModifiedCopyNotFound,
    OsisDocumentError,
    ServiceError,
    Unavailable,
)
from .._target import open_target
from .content import Transfer, fetch, token_request
from .entries import Wanted, wanted_of
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


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What became of one document.

    Attributes:
        row: the document.
        anew: its content as it is wanted by now, if it changed after the survey.
        was_there: it was there already.
        mtime_ns: when its file was last changed.
        error: why it is not there, if it is not.
    """

    row: Row
    anew: Wanted | None = None
    was_there: bool = False
    mtime_ns: int = 0
    error: OsisDocumentError | OSError | None = None


class _Stopped(OsisDocumentError):
    """The export ends; what was fetched so far stays."""


class _Pool:
    """Threads that fetch documents, and no more documents waiting for them than there are threads; a context manager."""

    def __init__(self, jobs: int, progress: Progress) -> None:
        self._executor = ThreadPoolExecutor(jobs, thread_name_prefix="export")
        self._limit = 2 * jobs
        self._progress = progress
        self._pending: set[Future[_Outcome]] = set()
        self._downloads: set[Download] = set()
        self._stopping = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stops what is under way, if there is anything, and waits for the threads."""
        with self._lock:
            self._stopping = True
            downloads = list(self._downloads)
        for download in downloads:
            download.close()
        self._executor.shutdown(cancel_futures=True)

    def submit(self, fetch_one: Callable[[Transfer], _Outcome]) -> None:
        """Has a document fetched."""
        self._pending.add(self._executor.submit(fetch_one, self))

    def make_room(self) -> Iterator[_Outcome]:
        """Yields what has ended, waiting until one more document may be submitted."""
        while len(self._pending) >= self._limit:
            yield from self._ended()

    def rest(self) -> Iterator[_Outcome]:
        """Yields what ends, until nothing is left."""
        while self._pending:
            yield from self._ended()

    def _ended(self) -> Iterator[_Outcome]:
        done, self._pending = wait(self._pending, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()

    # ---- what the threads tell ------------------------------------------------------------------------------------------

    def advance(self, size_bytes: int) -> None:
        """So many more bytes are here."""
        if self._stopping and size_bytes > 0:
            raise _Stopped("stopped")
        self._progress.advance(size_bytes)

    @contextmanager
    def of(self, download: Download) -> Iterator[None]:
        """A download is under way until the end of the block."""
        with self._lock:
            self._downloads.add(download)
            if self._stopping:
                raise _Stopped("stopped")
        try:
            yield
        finally:
            with self._lock:
                self._downloads.discard(download)


class Export:
    """Writes documents into a folder; a context manager. One process at a time for one folder."""

    def __init__(
        self,
        client: Client,
        folder: Path,
        *,
        jobs: int,
        modified: bool,
        describe: Callable[[OsisDocumentError | OSError], dict[str, object]],
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
        """Writes down what is there, and lets go of the folder. After an interruption there is no time to: the next run will."""
        with self._ledger:
            if kind is not None and not issubclass(kind, Exception):
                return
            self._write(MANIFEST, self._manifest())
            if not self._write(FAILURES, (error for _, error in self._ledger.errors())):
                (self._folder / FAILURES).unlink(missing_ok=True)

    def survey(self, documents: Iterable[Document], progress: Progress) -> None:
        """Gives every document its place.

        Raises:
            DownloadDamaged: what the service says of a document cannot be.
            ServiceError, LedgerError, OSError: it cannot be found out, or noted.
        """
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
        with _Pool(self._jobs, progress) as pool:
            for rows in self._ledger.wanted(count=_LOT):
                missing = []
                for row in rows:
                    if self._is_unchanged(row):
                        self._settle(_Outcome(row=row, was_there=True, mtime_ns=row.present_mtime_ns or 0), progress)
                    else:
                        missing.append(row)
                tokens = self._client.create_tokens([token_request(row) for row in missing])
                for row, token in zip(missing, tokens, strict=True):
                    for outcome in pool.make_room():
                        self._settle(outcome, progress)
                    if isinstance(token, ServiceError):
                        self._settle(_Outcome(row=row, error=token), progress)
                    else:
                        pool.submit(partial(self._fetch_one, row, token.token.token))
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
        self._want(document.id, file, wanted)

    def _want(self, document_id: str, file: str, wanted: Wanted) -> None:
        self._ledger.want(
            document_id,
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

    def _fetch_one(self, row: Row, token: str, transfer: Transfer) -> _Outcome:
        """In a thread of the pool."""
        try:
            try:
                return self._bring(row, token, transfer)
            except (ContentChanged, ModifiedCopyNotFound):  # since the survey
                anew = wanted_of(self._client.get_document(row.id), modified=self._modified)
                row = replace(row, sha256=anew.sha256, size_bytes=anew.size_bytes, is_modified=anew.is_modified)
                [answer] = self._client.create_tokens([token_request(row)]).require_all()
                return replace(self._bring(row, answer.token.token, transfer), anew=anew)
        except BatchFailed as exc:
            return _Outcome(row=row, error=next(iter(exc.errors.values())))
        except (OsisDocumentError, OSError) as exc:
            return _Outcome(row=row, error=exc)

    def _bring(self, row: Row, token: str, transfer: Transfer) -> _Outcome:
        target = self._folder / row.file
        was_there = holds(target, sha256=row.sha256, size_bytes=row.size_bytes)
        if not was_there:
            fetch(self._client, row, token=token, parts=self._parts, target=target, transfer=transfer)
        return _Outcome(row=row, was_there=was_there, mtime_ns=target.stat().st_mtime_ns)

    def _settle(self, outcome: _Outcome, progress: Progress) -> None:
        """Notes what became of a document; in the thread that has the ledger.

        Raises:
            OsisDocumentError, OSError: it failed, and all others would too.
        """
        row, error = outcome.row, outcome.error
        if error is not None:
            self.summary.failed += 1
            self._ledger.failed(row.number, json.dumps({"id": row.id, "file": row.file, **self._describe(error)}))
            progress.settled(left_out_bytes=row.size_bytes)
            if isinstance(error, _FATAL_ERRORS) or (isinstance(error, OSError) and error.errno in _FATAL_ERRNOS):
                raise error
            return
        if outcome.anew is not None:
            self._want(row.id, row.file, outcome.anew)
        self.summary.fetched += not outcome.was_there
        self.summary.kept += outcome.was_there
        self.summary.size_bytes += row.size_bytes
        if (row.sha256, outcome.mtime_ns) != (row.present_sha256, row.present_mtime_ns):
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
