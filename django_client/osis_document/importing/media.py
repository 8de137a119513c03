"""The media folder: its files are read where the tables say, and nothing outside of it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePosixPath

from .outcomes import NotImported, Outcome


class MediaFolder:
    """The folder below which the paths of the tables are.

    Args:
        root: the folder.

    Raises:
        NotADirectoryError: there is none.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise NotADirectoryError(f"{root} is no folder")
        self._root = root.resolve()

    @contextmanager
    def open(self, path: str) -> Iterator[BufferedReader]:
        """Opens the file at a path of the tables, for reading.

        Raises:
            NotImported: there is none, it cannot be read, or the path leads out of the folder.
        """
        with self._place(path).open("rb") as file:
            yield file

    def _place(self, path: str) -> Path:
        """Where the file is, behind all symbolic links."""
        if not path or "\0" in path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise NotImported(Outcome.REFUSED, "its path is not one below the media folder")
        try:
            place = (self._root / path).resolve(strict=True)
            if not place.is_relative_to(self._root):
                raise NotImported(Outcome.REFUSED, "its path leads out of the media folder")
            if not place.is_file():
                raise NotImported(Outcome.MISSING, "there is no file at its path")
            place.open("rb").close()
        except (FileNotFoundError, NotADirectoryError):
            raise NotImported(Outcome.MISSING, "there is no file at its path") from None
        except (OSError, RuntimeError) as exc:  # a RuntimeError tells of a ring of links, before Python 3.13
            why = exc.strerror if isinstance(exc, OSError) else "its links lead nowhere"
            raise NotImported(Outcome.MISSING, f"its file cannot be read: {why}") from exc
        return place


def verified_sha256(file: BufferedReader, *, expected_sha256: str, expected_bytes: int) -> str:
    """SHA-256 of a file in hexadecimal; the file stands at its start again afterwards.

    Args:
        file: what is read, block by block.
        expected_sha256: what it must be; empty: not known, and the length is compared instead.
        expected_bytes: the length that it should have.

    Raises:
        NotImported: the file is another one.
    """
    found = hashlib.file_digest(file, "sha256").hexdigest()
    size_bytes = file.tell()
    file.seek(0)
    if expected_sha256 and found != expected_sha256.lower():
        raise NotImported(Outcome.DAMAGED, f"its file has the SHA-256 {found}, and the table says {expected_sha256}")
    if not expected_sha256 and size_bytes != expected_bytes:
        raise NotImported(Outcome.DAMAGED, f"its file has {size_bytes} bytes, and the table says {expected_bytes}")
    return found
