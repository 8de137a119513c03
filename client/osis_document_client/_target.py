"""The file that a download writes."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def open_target(target: str | Path | BinaryIO) -> Iterator[BinaryIO]:
    """Opens a file to write so that its name never stands for half a content.

    A path is written under another name in the same folder, flushed to the disk, and renamed when the block ends well; when it
    does not, nothing is left. A path that exists and is no regular file (a pipe, a device) is written to directly. A file that
    is open already is written to where it stands, and left open.
    """
    if not isinstance(target, str | os.PathLike):
        yield target
        return
    # Through a symbolic link, the file that it points to is replaced and not the link.
    path = Path(os.path.realpath(target))
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    # Short, whatever the length of the final name; opened like any new file, so that the umask decides who may read it.
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Makes the new name survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
