"""Which processes a test has started."""

import psutil

#: Those that were there before the test: servers that other tests share.
_before: set[psutil.Process] = set()


def remember() -> None:
    """Notes what is there."""
    _before.clear()
    _before.update(psutil.Process().children())


def new_processes() -> list[psutil.Process]:
    """What has been started since ``remember`` and is still there."""
    started = [process for process in psutil.Process().children() if process not in _before]
    return started + [descendant for process in started for descendant in process.children(recursive=True)]
