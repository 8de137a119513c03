"""A file of which only so much is read: what a crafted file makes a reader do stays small."""

import io
import os
from pathlib import Path


class TooMuchError(Exception):
    """More was to be read than is allowed."""


class BoundedFile(io.FileIO):
    """A file to read.

    Args:
        path: the file.
        limit_bytes: how much may be read in all, wherever.
    """

    def __init__(self, path: Path, *, limit_bytes: int) -> None:
        super().__init__(path)
        self._left = limit_bytes
        #: The file's size in bytes.
        self.size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads up to ``size`` bytes, by default all that follow.

        Raises:
            TooMuchError: that is more than is allowed.
        """
        rest = max(self.size - self.tell(), 0)
        wanted = rest if size is None or size < 0 else min(size, rest)
        if wanted > self._left:
            raise TooMuchError
        self._left -= wanted
        return super().read(wanted) or b""

    def read_at(self, offset: int, size: int) -> bytes:
        """Reads up to ``size`` bytes from a place."""
        self.seek(offset)
        return self.read(size)

    def allow(self, further_bytes: int) -> None:
        """Allows that more is read."""
        self._left += further_bytes
