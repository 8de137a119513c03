"""Which processes a test has started."""

import psutil

#: Those that were there before the test: servers that other tests share.
_before: set[psutil.Process] = set()


def remember() -> None:
    """Notes what is there."""
    _before.clear()
    _before.update(_below(psutil.Process()))


def new_processes() -> list[psutil.Process]:
    """What has been started since ``remember`` and is still there."""
    started = [process for process in _below(psutil.Process()) if process not in _before]
    return started + [descendant for process in started for descendant in _below(process, recursive=True)]


def _below(process: psutil.Process, *, recursive: bool = False) -> list[psutil.Process]:
    """The children of a process; looks again when one of them ends while psutil looks at it."""
    while process.is_running():
        try:
            return process.children(recursive=recursive)
        except psutil.NoSuchProcess:
            continue
    return []
