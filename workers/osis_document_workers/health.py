"""Whether the workers of this host are alive: what containers and their overseers ask."""

import time
from pathlib import Path

from osis_document_workers import scratch
from osis_document_workers.scratch import HEARTBEAT
from osis_document_workers.settings import PREFIX


class UnhealthyError(Exception):
    """Something is wrong. The message says in one line what, and what to do."""


def require_living_workers(parent: Path | None, *, max_age_seconds: float) -> int:
    """Checks that workers of this user run here, and that each has looked at all its queues of late.

    A worker that is at a long conversion looks at its queues all the same, and so does one that cannot reach Redis. One that is
    stopped or hangs does not.

    Args:
        parent: the folder that the workers have as ``WORKER_SCRATCH``.
        max_age_seconds: how long ago the last look may be.

    Returns:
        How many there are.

    Raises:
        UnhealthyError: there is none, or one of them hangs.
    """
    files = [file for folder in scratch.folders_in_use(parent) if (file := folder / HEARTBEAT).exists()]
    if not files:
        raise UnhealthyError(
            "no worker of this user runs here: start osis-document-worker, or, if one runs, check as the same user with the "
            f"same TMPDIR and {PREFIX}WORKER_SCRATCH."
        )
    for file in files:
        try:
            age, pid = time.time() - file.stat().st_mtime, file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:  # it has just stopped
            continue
        if age > max_age_seconds:
            raise UnhealthyError(
                f"the worker with the process id {pid} has not looked at its queues for {age:.0f} seconds: it hangs. "
                f"End it (kill -9 {pid}) and start another; its tasks are done again."
            )
    return len(files)
