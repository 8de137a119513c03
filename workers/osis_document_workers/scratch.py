"""A worker's own folder for the documents that it works on.

A worker that is killed leaves its folder behind, with documents in it. So each folder holds a file that its worker has locked
for as long as it lives, whatever becomes of it, and a worker that starts removes the folders that nobody holds.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "osis-document-worker-"
_LOCK = "lock"
#: In the folder of a worker that is a process of its own, the file that says that it is alive; see ``heartbeat``.
HEARTBEAT = "heartbeat"


class ScratchFolder:
    """A folder that exists until ``remove``, or until another worker starts after this process's end.

    Args:
        parent: where to make it; by default the system's folder for temporary files.
    """

    def __init__(self, parent: Path | None = None) -> None:
        parent = parent or Path(tempfile.gettempdir())
        for folder in _folders(parent):
            _remove_if_abandoned(folder)
        self.path, self._lock = _make(parent)

    def remove(self) -> None:
        """Removes the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def folders_in_use(parent: Path | None = None) -> list[Path]:
    """Returns the folders of those workers of this user that are alive, or at least have not ended."""
    return [folder for folder in _folders(parent or Path(tempfile.gettempdir())) if _is_held(folder)]


def _folders(parent: Path) -> Iterator[Path]:
    return parent.glob(f"{_PREFIX}*")


def _is_held(folder: Path) -> bool:
    """Returns whether a living process holds a folder of this user's; one that cannot be looked at is not held."""
    with contextlib.suppress(OSError):
        if _is_own(folder):
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(lock)
    return False


def _is_own(folder: Path) -> bool:
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def _make(parent: Path) -> tuple[Path, int]:
    """Makes a folder and locks it. A worker that starts just then may take it for abandoned before it is locked: then, again."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        with contextlib.suppress(FileNotFoundError):
            # Engines may run as another user, who has to get to a folder further down; its name is not to be guessed.
            folder.chmod(0o711)
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_at(lock, folder / _LOCK):
                return folder, lock
            os.close(lock)


def _is_at(descriptor: int, path: Path) -> bool:
    """Returns whether the open file is still the one at that path: another may have been removed and made anew."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _remove_if_abandoned(folder: Path) -> None:
    """Removes a folder that no living process holds. Whatever is wrong with it, it is left alone."""
    with contextlib.suppress(OSError):
        if not _is_own(folder):
            return
        # Somebody else may have put anything at the lock's place.
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
