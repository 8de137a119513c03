"""Files and folders that only the server's own user can read: there are keys and people's documents in them."""

import json
import os
from pathlib import Path
from typing import Any

_OTHERS = 0o077


def make_private_folder(folder: Path) -> None:
    """Makes a folder; one that is there stays as it is, whoever may read it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def make_private_file(file: Path) -> None:
    """Makes an empty file, or takes the rights that others have to it away."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        status = os.fstat(descriptor)
        if status.st_mode & _OTHERS and status.st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def write_private(file: Path, content: dict[str, Any]) -> None:
    """Writes JSON to a file, whole or not at all."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=2)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
