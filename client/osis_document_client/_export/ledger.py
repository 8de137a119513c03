"""The ledger of an export: which documents belong into the folder, under which names, and which are there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from .._errors import OsisDocumentError

_VERSION = 1
_SCHEMA = """
CREATE TABLE name (key TEXT PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE document (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    run INTEGER NOT NULL,
    file TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    is_modified INTEGER NOT NULL,
    entry TEXT NOT NULL,
    present_sha256 TEXT,
    present_mtime_ns INTEGER,
    error TEXT
);
"""
#: Owner of a name that is a folder's.
_FOLDER = ""
#: How many changes may be lost when the process dies; they are found out again from the files.
_CHANGES_PER_COMMIT = 200


class LedgerError(OsisDocumentError):
    """The ledger cannot be used."""


@dataclass(frozen=True)
class Row:
    """A document as the ledger has it.

    Attributes:
        number: its place in the ledger.
        id: the document's id.
        file: where it belongs, relative to the folder.
        sha256: of the content that is wanted.
        size_bytes: of the content that is wanted.
        is_modified: the modified copy is wanted, and not the original.
        present_sha256: of the content that was written to the file, if it was.
        present_mtime_ns: when the file was last changed then.
    """

    number: int
    id: str
    file: str
    sha256: str
    size_bytes: int
    is_modified: bool
    present_sha256: str | None
    present_mtime_ns: int | None


_ROW = "number, id, file, sha256, size_bytes, is_modified, present_sha256, present_mtime_ns"


class Ledger:
    """A ledger, open and locked for this process; a context manager. For one thread."""

    def __init__(self, path: Path) -> None:
        """Opens a ledger, or makes one.

        Raises:
            LedgerError: another process has it open, or it is no ledger.
        """
        self._path = path
        self._changes = 0
        with self._errors_told():
            self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            with self._errors_told():
                self.run = self._open()
        except BaseException:
            self._database.close()
            raise

    def _open(self) -> int:
        """Locks the database, makes its tables if it is new, and answers the number of this run."""
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute("BEGIN EXCLUSIVE")
        [version] = self._database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _SCHEMA.split(";"):
                self._database.execute(statement)
            self._database.execute(f"PRAGMA user_version = {_VERSION}")
        elif version != _VERSION:
            raise LedgerError(f"{self._path} is of another version of this program; export into another folder")
        [last] = self._database.execute("SELECT max(run) FROM document").fetchone()
        return int(last or 0) + 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Keeps what was noted and lets go of the ledger."""
        try:
            with self._errors_told():
                self._database.execute("COMMIT")
        finally:
            self._database.close()

    @contextmanager
    def _errors_told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            if getattr(exc, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
                raise LedgerError(
                    f"another export into {self._path.parent.parent} is under way; wait until it has ended"
                ) from exc
            raise LedgerError(
                f"the ledger {self._path} cannot be used ({exc}); if there is room on the disk, remove it and start again: "
                "files that are there are known by their content"
            ) from exc

    def _change(self, statement: str, *values: object) -> None:
        with self._errors_told():
            self._database.execute(statement, values)
            self._changes += 1
            if self._changes >= _CHANGES_PER_COMMIT:
                self._changes = 0
                self._database.execute("COMMIT")
                self._database.execute("BEGIN EXCLUSIVE")

    def _rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with self._errors_told():
            return self._database.execute(statement, values).fetchall()

    # ---- names ----------------------------------------------------------------------------------------------------------

    def owner_of(self, key: str) -> str | None:
        """Tells which document has a name: its id, or empty if it is a folder's; None if nobody has it."""
        found = self._rows("SELECT owner FROM name WHERE key = ?", key)
        return str(found[0][0]) if found else None

    def take(self, key: str, *, document_id: str = _FOLDER) -> None:
        """Gives a name that nobody has to a document or, without one, to a folder."""
        self._change("INSERT INTO name (key, owner) VALUES (?, ?)", key, document_id)

    # ---- documents ------------------------------------------------------------------------------------------------------

    def file_of(self, document_id: str) -> str | None:
        """Tells where a document belongs; None if it is not in the ledger."""
        found = self._rows("SELECT file FROM document WHERE id = ?", document_id)
        return str(found[0][0]) if found else None

    def want(self, document_id: str, *, file: str, sha256: str, size_bytes: int, is_modified: bool, entry: str) -> None:
        """Notes that a document belongs into the folder, in this run."""
        self._change(
            "INSERT INTO document (id, run, file, sha256, size_bytes, is_modified, entry) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET run = excluded.run, sha256 = excluded.sha256, size_bytes = excluded.size_bytes, "
            "is_modified = excluded.is_modified, entry = excluded.entry, error = NULL",
            *(document_id, self.run, file, sha256, size_bytes, is_modified, entry),
        )

    def wanted(self, *, count: int) -> Iterator[list[Row]]:
        """Yields the documents of this run, so many at a time; what is noted meanwhile does no harm."""
        last = 0
        while True:
            statement = f"SELECT {_ROW} FROM document WHERE run = ? AND number > ? ORDER BY number LIMIT ?"  # noqa: S608 - no values
            rows = [Row(*row) for row in self._rows(statement, self.run, last, count)]  # type: ignore[arg-type]
            if not rows:
                return
            yield rows
            last = rows[-1].number

    def totals(self) -> tuple[int, int]:
        """Counts the documents of this run, and their bytes."""
        [(count, size)] = self._rows("SELECT count(*), coalesce(sum(size_bytes), 0) FROM document WHERE run = ?", self.run)
        return int(str(count)), int(str(size))

    def there(self, number: int, *, sha256: str, mtime_ns: int) -> None:
        """Notes that a document's file is there."""
        self._change(
            "UPDATE document SET present_sha256 = ?, present_mtime_ns = ?, error = NULL WHERE number = ?",
            sha256,
            mtime_ns,
            number,
        )

    def failed(self, number: int, error: str) -> None:
        """Notes why a document could not be fetched."""
        self._change("UPDATE document SET error = ? WHERE number = ?", error, number)

    def entries(self) -> Iterator[tuple[str, str]]:
        """Yields the file and the description of every document that is there as it is wanted, of whichever run."""
        yield from self._pairs("file, entry", "present_sha256 = sha256")

    def errors(self) -> Iterator[tuple[str, str]]:
        """Yields the file of every document of this run that could not be fetched, and why."""
        yield from self._pairs("file, error", f"error IS NOT NULL AND run = {self.run}")

    def _pairs(self, columns: str, condition: str) -> Iterator[tuple[str, str]]:
        with self._errors_told():
            statement = f"SELECT {columns} FROM document WHERE {condition} ORDER BY number"  # noqa: S608 - no values
            for first, second in self._database.execute(statement):
                yield str(first), str(second)
