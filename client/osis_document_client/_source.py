"""The file that an upload reads."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_SKIP_BYTES = 1 << 20


class Source:
    """A file that is read forwards, hashed as it goes, and stepped back in to send a part of it again.

    Offsets count from where the file stood when it was handed over.
    """

    def __init__(self, file: BinaryIO, *, hashed: bool) -> None:
        self._file = file
        self._seekable = file.seekable()
        self._base = file.tell() if self._seekable else 0
        self._hasher = hashlib.sha256() if hashed else None
        self._hashed_bytes = 0
        self.position = 0
        self.size_bytes = self._measure()

    def _measure(self) -> int | None:
        if not self._seekable:
            return None
        size = self._file.seek(0, io.SEEK_END) - self._base
        self._file.seek(self._base)
        return size

    def read(self, count: int) -> bytes:
        """Reads up to `count` bytes; none at the end of the file."""
        data = self._file.read(count)
        start, self.position = self.position, self.position + len(data)
        if self._hasher is not None and self.position > self._hashed_bytes:
            # After a step back, what was hashed before is not hashed again.
            self._hasher.update(memoryview(data)[self._hashed_bytes - start :])
            self._hashed_bytes = self.position
        return data

    def go_to(self, offset: int) -> None:
        """Makes `offset` the place of the next read.

        Raises:
            io.UnsupportedOperation: the place has been passed and the file cannot be read again.
            ValueError: the file ends before.
        """
        if offset < self.position:
            if not self._seekable:
                raise io.UnsupportedOperation(f"the source cannot be read again from byte {offset}: it is not seekable")
            self._file.seek(self._base + offset)
            self.position = offset
        while self.position < offset:  # read, not skipped: the hash is that of the whole file
            if not self.read(min(_SKIP_BYTES, offset - self.position)):
                raise ValueError(f"the source has {self.position} bytes, fewer than the {offset} already uploaded under this id")

    def sha256(self) -> str:
        """SHA-256 of what was read from the start up to the furthest place, in hexadecimal; empty if it is not hashed."""
        return self._hasher.hexdigest() if self._hasher is not None else ""


@contextmanager
def open_source(source: str | Path | BinaryIO, *, hashed: bool) -> Iterator[Source]:
    """Opens a path, or takes a file that is open for reading bytes (and leaves it open)."""
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            yield Source(file, hashed=hashed)
    else:
        yield Source(source, hashed=hashed)


def name_of(source: str | Path | BinaryIO) -> str:
    """Finds the file name of a source.

    Raises:
        ValueError: it has none.
    """
    name = source if isinstance(source, str | os.PathLike) else getattr(source, "name", None)
    if not isinstance(name, str | os.PathLike) or not Path(name).name:
        raise ValueError("the source has no file name; give one with `name=`")
    return Path(name).name
