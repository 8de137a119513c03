"""A place of its own in the folder for every document."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from .ledger import Ledger
from .names import key_of, safe_parts, with_mark

#: What the export itself writes into the folder.
MANIFEST, FAILURES = "manifest.jsonl", "failures.jsonl"
#: Nothing else in the folder begins with a dot.
STATE_FOLDER = ".osis-document-export"

#: Where documents go whose whole path would be too long for the file system.
_LONG_PATHS = "_long_paths"
#: The longest name and path on Linux, in bytes, the latter with the NUL at its end.
_NAME_BYTES, _PATH_BYTES = 255, 4096
#: Documents come by path, so that a few folders are asked for again and again.
_KNOWN_FOLDERS = 1000
#: What a path may become longer by when names in it get marks.
_ROOM_FOR_MARKS = 128


class Placing:
    """Gives every document a file name that nobody else has: the first to come the plain one, others one with their id in it."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self._folder = folder
        self._ledger = ledger
        self._name_bytes = min(_NAME_BYTES, _limit(folder, "PC_NAME_MAX", _NAME_BYTES))
        self._path_bytes = _PATH_BYTES - _ROOM_FOR_MARKS - len(os.fsencode(folder.absolute()))
        self._known_folders: dict[tuple[str, ...], list[str]] = {}
        for name in (MANIFEST, FAILURES):
            if ledger.owner_of(key_of([name])) is None:
                ledger.take(key_of([name]), document_id=name)

    def place(self, document_id: str, path: str, *, sha256: str, size_bytes: int) -> str:
        """Finds the place of a document that has none yet.

        Args:
            document_id: the document.
            path: its logical path.
            sha256: of its content: a file of that content, which an export has left whose ledger is gone, is its own.
            size_bytes: of its content.

        Returns:
            The file's path, relative to the folder.
        """
        parts = safe_parts(path, name_bytes=self._name_bytes)
        if len("/".join(parts).encode()) > self._path_bytes:
            parts = [_LONG_PATHS, with_mark(parts[-1], document_id, name_bytes=self._name_bytes)]
        folders = self._folders(tuple(parts[:-1]))
        name = next(
            name
            for name in self._names(parts[-1], document_id)
            if self._is_free([*folders, name], sha256=sha256, size_bytes=size_bytes)
        )
        self._ledger.take(key_of([*folders, name]), document_id=document_id)
        return "/".join([*folders, name])

    def _names(self, wanted: str, document_id: str) -> Iterator[str]:
        """The wanted name, then with the id in it, then with a number too: a document may have another one's id in its path."""
        yield wanted
        yield with_mark(wanted, document_id, name_bytes=self._name_bytes)
        for number in count(2):
            yield with_mark(wanted, f"{document_id}-{number}", name_bytes=self._name_bytes)

    def _folders(self, names: tuple[str, ...]) -> list[str]:
        """The names of the folders on the way to a file, others than wanted where a file has such a name."""
        if names not in self._known_folders:
            taken: list[str] = []
            for wanted in names:
                name, number = wanted, 1
                while not self._may_be_folder([*taken, name]):
                    number += 1
                    name = with_mark(wanted, str(number), name_bytes=self._name_bytes)
                taken.append(name)
            if len(self._known_folders) >= _KNOWN_FOLDERS:
                self._known_folders.clear()
            self._known_folders[names] = taken
        return self._known_folders[names]

    def _may_be_folder(self, parts: list[str]) -> bool:
        key = key_of(parts)
        owner = self._ledger.owner_of(key)
        if owner is None:
            there = self._folder.joinpath(*parts)
            if os.path.lexists(there) and not there.is_dir():
                return False
            self._ledger.take(key)
        return not owner

    def _is_free(self, parts: list[str], *, sha256: str, size_bytes: int) -> bool:
        if self._ledger.owner_of(key_of(parts)) is not None:
            return False
        there = self._folder.joinpath(*parts)
        return not os.path.lexists(there) or holds(there, sha256=sha256, size_bytes=size_bytes)


def holds(file: Path, *, sha256: str, size_bytes: int) -> bool:
    """True if a file has exactly this content."""
    if file.is_symlink() or not file.is_file() or file.stat().st_size != size_bytes:
        return False
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == sha256


def _limit(folder: Path, name: str, otherwise: int) -> int:
    try:
        return os.pathconf(folder, name)
    except (OSError, ValueError):
        return otherwise
