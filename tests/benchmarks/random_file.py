"""Random content: a file of it, and an endless stream of it."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from bench import PDF_SIGNATURE
from scale import MIB

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def write_random_file(path: Path, *, size_bytes: int) -> Path:
    """Writes a file of random bytes that the service takes for a PDF, and leaves it in the page cache."""
    with path.open("wb") as file:
        file.write(PDF_SIGNATURE)
        left = size_bytes - len(PDF_SIGNATURE)
        while left:
            left -= file.write(os.urandom(min(left, MIB)))
        file.flush()
        os.fsync(file.fileno())
    return path


class _Repeated(io.RawIOBase):
    def __init__(self, size_bytes: int) -> None:
        self._block = os.urandom(8 * MIB)
        self._size_bytes = size_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        if self._position == 0:
            data = PDF_SIGNATURE
        else:
            start = self._position % len(self._block)
            data = self._block[start : start + min(len(view), self._size_bytes - self._position)]
        data = data[: len(view)]
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


def random_stream(size_bytes: int) -> io.BufferedReader:
    """Opens content that the service takes for a PDF: so long, never in memory as a whole, on no disk."""
    return io.BufferedReader(_Repeated(size_bytes), buffer_size=MIB)
