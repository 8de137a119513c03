"""libmagic: the database that comes with the service, and one of an operator's own."""

import contextlib
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Protocol

import pylibmagic

# isort: split
import magic  # after pylibmagic, which points it to the libmagic that it brings; a system's own would not read its database

from osis_document_server.domain import content

#: How a compiled database begins, in either byte order (libmagic's MAGICNO); the version of its form follows.
_COMPILED = (b"\x1c\x04\x1e\xf1", b"\xf1\x1e\x04\x1c")
_COMPILED_BYTES = 8

#: What libmagic finds out without a database, as `file` names it and by libmagic's flags (magic.h: MAGIC_NO_CHECK_…).
_BUILT_IN = {
    "compress": 0x1000,
    "tar": 0x2000,
    "elf": 0x10000,
    "text": 0x20000,
    "cdf": 0x40000,
    "csv": 0x80000,
    "tokens": 0x100000,
    "encoding": 0x200000,
    "json": 0x400000,
}
_DATABASE_ONLY = sum(_BUILT_IN.values())

_PROGRAM_SECONDS = 10
_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9.+-]+")


class UnusableMagicError(ValueError):
    """A database cannot be read. The message says why, and what to do."""


class Database(Protocol):
    """A libmagic database."""

    def type_of(self, path: Path) -> str:
        """Returns the media type of the file at ``path``; ``application/octet-stream`` if it does not know."""


class BundledDatabase:
    """The database that comes with pylibmagic, and what libmagic knows by itself."""

    def __init__(self) -> None:
        self._handle = _Handle()

    def type_of(self, path: Path) -> str:
        return self._handle.type_of(path)


def open_database(file: Path) -> Database:
    """Opens an operator's own database: entries as magic(5) describes them, or what ``file -C -m`` compiled of them.

    Raises:
        UnusableMagicError: it cannot be read.
    """
    beginning = _beginning_of(file)
    if beginning.startswith(_COMPILED) and beginning != _beginning_of(Path(str(pylibmagic.data)) / "magic.mgc"):
        # Each version of libmagic reads what it has compiled itself. What this host's `file` has compiled, it reads.
        try:
            return _HostDatabase(file)
        except OSError as exc:
            raise UnusableMagicError(
                "it was compiled by another version of libmagic than the one that comes with the service, and this host's "
                f"`file` does not read it either ({exc}). Give the file that it was compiled from instead"
            ) from exc
    try:
        return _OwnDatabase(file)
    except magic.MagicException as exc:
        why = exc.message.decode(errors="replace") if isinstance(exc.message, bytes) else str(exc)
        raise UnusableMagicError(f"{why.rstrip('!.')}. docs/how-to/refused-files.md tells how entries are written") from exc


def _beginning_of(database: Path) -> bytes:
    with database.open("rb") as stream:
        return stream.read(_COMPILED_BYTES)


class _Handle:
    """One handle of libmagic's. They are not for sharing between threads; a look takes milliseconds, so a lock will do."""

    def __init__(self, database: Path | None = None) -> None:
        self._magic = magic.Magic(mime=True, magic_file=str(database) if database else None)
        self._lock = threading.Lock()
        if database is not None:
            magic.magic_setflags(self._magic.cookie, self._magic.flags | _DATABASE_ONLY)

    def type_of(self, path: Path) -> str:
        detected = ""
        with self._lock, contextlib.suppress(magic.MagicException):  # a crafted file may be too much for one of its patterns
            detected = str(self._magic.from_file(str(path)))
        return detected if _TYPE.fullmatch(detected) else content.UNKNOWN


class _OwnDatabase:
    """A database that the libmagic of the service reads."""

    def __init__(self, file: Path) -> None:
        self._handle = _Handle(file)

    def type_of(self, path: Path) -> str:
        return self._handle.type_of(path)


class _HostDatabase:
    """A compiled database that this host's program ``file`` reads.

    Raises:
        OSError: there is no such program, or it does not read the database either.
    """

    def __init__(self, file: Path) -> None:
        program = shutil.which("file")
        if program is None:
            raise FileNotFoundError("there is none")
        exclude = [word for test in _BUILT_IN for word in ("--exclude-quiet", test)]
        self._command = [program, "--brief", "--mime-type", *exclude, "--magic-file", str(file), "--"]
        look = self._run(file)
        if look.returncode or look.stderr:
            raise OSError(" ".join((look.stderr or look.stdout).split())[:200])

    def type_of(self, path: Path) -> str:
        detected = ""
        with contextlib.suppress(subprocess.TimeoutExpired):
            detected = self._run(path).stdout.strip()
        return detected if _TYPE.fullmatch(detected) else content.UNKNOWN

    def _run(self, path: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, str(path)],
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},  # not pylibmagic's library and database
            timeout=_PROGRAM_SECONDS,
        )
