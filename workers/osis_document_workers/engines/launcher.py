"""Runs one command under limits, in a group of its own, and always ends it."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from . import sandbox
from .errors import EngineCancelledError, EngineError, Reason
from .limits import MIB, Limits

logger = logging.getLogger(__name__)

#: The folder of the engines' modules.
ENGINES = Path(__file__).resolve().parent
SUPERVISOR = ENGINES / "supervisor.py"

#: How often a run looks at its `cancelled` event; the end of the command itself is seen at once.
CANCEL_POLL_SECONDS = 0.1
#: How long the launcher may take to end and reap everything before it is killed with its whole group.
END_SECONDS = 5.0
#: How much of the command's standard output and error is kept, in bytes: the last part.
OUTPUT_TAIL_BYTES = 256 * 1024
#: Memory that RLIMIT_DATA counts is not all resident when an allocation fails, hence a share and not the whole.
MEMORY_SHARE = 0.7


@dataclass(frozen=True, kw_only=True)
class Completed:
    """What a command left.

    Attributes:
        exit_code: 0 to 255, or minus the number of the signal that killed it.
        stdout, stderr: the last `OUTPUT_TAIL_BYTES` of each.
        peak_memory_bytes: resident memory of the largest process.
        cpu_seconds: user and system time of all processes.
        wall_seconds: from the start of the launcher until everything had ended.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    peak_memory_bytes: int
    cpu_seconds: float
    wall_seconds: float


def run(
    command: Sequence[str],
    *,
    limits: Limits,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    read_only: Sequence[Path] = (),
    cancelled: threading.Event | None = None,
) -> Completed:
    """Runs `command` and returns when it and every process it started have ended.

    The environment is an allow-list: PATH, LANG and LC_ALL (C.UTF-8), HOME and TMPDIR (`cwd`), and `env`.
    Where the host permits, the command runs in a namespace without network that shows it the system, `read_only` and
    `cwd` alone (see `sandbox`), and as `nobody` if this process is root.

    Args:
        command: program and arguments; no shell is involved.
        limits: memory, processor time, elapsed time and file size.
        cwd: the working directory, the one folder that the command may write to; given to `nobody` if needed.
        env: further variables for the command.
        read_only: files and folders that the command may read, beside the system's.
        cancelled: ends the run within `CANCEL_POLL_SECONDS` when set.

    Returns:
        Whatever the command left, also when it failed by itself.

    Raises:
        EngineCancelledError: `cancelled` was set.
        EngineError: PROCESSING_TIMED_OUT (elapsed or processor time), PROCESSING_TOO_LARGE (memory or file size),
            ENGINE_CRASHED (the launcher itself could not work).
    """
    if cancelled is not None and cancelled.is_set():
        raise EngineCancelledError("cancelled before the start")
    with Process(command, limits=limits, cwd=cwd, env=env, read_only=read_only) as process:
        return await_end(process, limits=limits, cancelled=cancelled)


def await_end(process: Process, *, limits: Limits, cancelled: threading.Event | None = None) -> Completed:
    """Waits for a command that was started, and ends it once its time is over; see `run` for what is returned and raised."""
    report = process.report(deadline=process.started + limits.wall_seconds, cancelled=cancelled)
    process.end()
    if report is None:
        raise timed_out(limits)
    completed = process.completed(report)
    check_limits(completed, limits)
    return completed


class Process:
    """A command that has been started, and that is ended with all that it started when this is left or closed.

    Environment, namespace and user are those of `run`.

    Args:
        command, limits, cwd, env, read_only: as for `run`; the elapsed time is for the caller to watch.
        stdin: what becomes the command's standard input; by default it has none. The caller's own is left open.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        limits: Limits,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        read_only: Sequence[Path] = (),
        stdin: int | None = None,
    ) -> None:
        cwd = cwd.resolve()
        wrapped, user = _prepare(command, cwd=cwd, read_only=read_only)
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "HOME": str(cwd),
            "TMPDIR": str(cwd),
            **(env or {}),
        }
        #: When the command's time began, in monotonic seconds: its launcher's start, unless it was kept waiting then.
        self.started = time.monotonic()
        with contextlib.ExitStack() as stack:
            # Files without a name: nothing to drain while the command runs, nothing to swap for a symbolic link.
            self._stdout = stack.enter_context(tempfile.TemporaryFile(dir=cwd))
            self._stderr = stack.enter_context(tempfile.TemporaryFile(dir=cwd))
            status_read, status_write = os.pipe()
            self._status = stack.enter_context(os.fdopen(status_read, "rb", buffering=0))
            with os.fdopen(status_write, "wb", buffering=0) as status_end:
                self._supervisor = subprocess.Popen(
                    [
                        *(sys.executable, "-I", "-S", str(SUPERVISOR), str(status_end.fileno())),
                        str(-1 if stdin is None else stdin),
                        *(str(limits.memory_bytes), str(int(limits.cpu_seconds)), str(limits.output_bytes)),
                        *((str(user.uid), str(user.gid)) if user else ("-1", "-1")),
                        *("--", *wrapped),
                    ],
                    stdin=subprocess.PIPE,
                    stdout=self._stdout,
                    stderr=self._stderr,
                    cwd=cwd,
                    env=environment,
                    pass_fds=(status_end.fileno(), *(() if stdin is None else (stdin,))),
                    start_new_session=True,
                )
            stack.callback(self.end)
            self._resources = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the command and forgets its output."""
        self._resources.close()

    @property
    def has_ended(self) -> bool:
        """Whether the command has ended by itself, or its launcher was killed."""
        poll = select.poll()
        poll.register(self._status, select.POLLIN)
        return bool(poll.poll(0))

    def report(self, *, deadline: float, cancelled: threading.Event | None = None) -> bytes | None:
        """Waits for the launcher's line; empty if it died without one, None once `deadline` (monotonic seconds) has passed.

        Raises:
            EngineCancelledError: `cancelled` was set.
        """
        return _await_report(self._status, deadline=deadline, cancelled=cancelled)

    def completed(self, report: bytes) -> Completed:
        """What the command left, given its launcher's line.

        Raises:
            EngineError: ENGINE_CRASHED if the launcher died without a line.
        """
        return _completed(report, self._stdout, self._stderr, wall_seconds=time.monotonic() - self.started)

    def end(self) -> None:
        """Ends the launcher with everything below it, and reaps it. May be called again.

        Closing its input lets it kill and reap each descendant (no zombies are left to a container's first process, which
        may be the worker). Should it not manage, its group is killed.
        """
        supervisor = self._supervisor
        if supervisor.returncode is not None:
            return
        assert supervisor.stdin is not None
        with contextlib.suppress(OSError):
            supervisor.stdin.close()
        if not _has_ended(supervisor.pid, timeout_seconds=END_SECONDS):
            logger.warning("launcher %d did not end by itself: killing its group", supervisor.pid)
        # The launcher is not reaped yet, so its number cannot belong to anybody else.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(supervisor.pid, signal.SIGKILL)
        supervisor.wait()


def engine_command(request: Path, *, waits: bool = False) -> list[str]:
    """The command line of a process that does what the file `request` asks; it reads `ENGINES` too.

    One that `waits` loads what engines need, and looks for the request when a line comes to its standard input.
    """
    command = [sys.executable, "-I", "-B", str(ENGINES / "child.py"), str(ENGINES.parent.parent), str(request)]
    return [*command, "wait"] if waits else command


def _prepare(command: Sequence[str], *, cwd: Path, read_only: Sequence[Path]) -> tuple[list[str], sandbox.User | None]:
    """The command line to start, and the user that the launcher must become for it (None: stay)."""
    user = sandbox.unprivileged_user()
    wrapped = sandbox.wrap(command, writable=cwd, read_only=read_only)
    if wrapped is not None:
        if user:
            os.chown(cwd, user.uid, user.gid)
        return wrapped, None  # the change of user happens inside, after the mounts
    # The launcher looks nothing up: as `nobody` it may not even be able to read its own modules.
    found = [shutil.which(command[0]) or command[0], *command[1:]]
    if user is None:
        return found, None
    if not _reaches(user, cwd, Path(found[0]), *read_only):
        _warn_once("engines run as root: the user 'nobody' cannot reach the scratch folder or the programs")
        return found, None
    os.chown(cwd, user.uid, user.gid)
    return found, user


def would_be_root(scratch: Path) -> bool:
    """Whether engines with folders in `scratch` would run as root: this process does, and the host permits nothing else."""
    if os.geteuid() != 0 or sandbox.is_permitted():
        return False
    user = sandbox.unprivileged_user()
    return user is None or not _reaches(user, scratch / "engine", Path(sys.executable), SUPERVISOR)


def _reaches(user: sandbox.User, *paths: Path) -> bool:
    return all(sandbox.visible_to(user, path) for path in paths)


@functools.cache
def _warn_once(message: str) -> None:
    logger.warning(message)


def _await_report(status: IO[bytes], *, deadline: float, cancelled: threading.Event | None) -> bytes | None:
    """See `Process.report`."""
    poll = select.poll()
    poll.register(status, select.POLLIN)
    while True:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return None
        if cancelled is not None and cancelled.is_set():
            raise EngineCancelledError("cancelled while running")
        wait_seconds = remaining if cancelled is None else min(remaining, CANCEL_POLL_SECONDS)
        if poll.poll(wait_seconds * 1000 + 1):
            return status.read(256)


def _has_ended(pid: int, *, timeout_seconds: float) -> bool:
    """Waits for the end of our child without reaping it."""
    if sys.platform != "linux":
        return False
    pidfd = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        return bool(poll.poll(timeout_seconds * 1000))
    finally:
        os.close(pidfd)


def _completed(report: bytes, stdout: IO[bytes], stderr: IO[bytes], *, wall_seconds: float) -> Completed:
    errors = _tail(stderr)
    try:
        exit_code, peak_kib, cpu_seconds = report.split()
        code = int(exit_code)
    except ValueError:
        cause = errors.decode(errors="replace").strip()
        raise EngineError(Reason.ENGINE_CRASHED, f"The processing was interrupted. Try again. {cause}".strip()) from None
    if code > 128:  # bubblewrap, like a shell, reports a signal this way
        code = 128 - code
    return Completed(
        exit_code=code,
        stdout=_tail(stdout),
        stderr=errors,
        peak_memory_bytes=int(peak_kib) * 1024,
        cpu_seconds=float(cpu_seconds),
        wall_seconds=wall_seconds,
    )


def _tail(stream: IO[bytes]) -> bytes:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - OUTPUT_TAIL_BYTES))
    return stream.read()


def check_limits(completed: Completed, limits: Limits) -> None:
    """Turns a failure at a limit into its error; how a program dies at a limit says little, what it used says more."""
    if completed.exit_code == 0:
        return
    if completed.exit_code == -signal.SIGXFSZ:
        raise EngineError(
            Reason.PROCESSING_TOO_LARGE,
            f"The result would be larger than {limits.output_bytes // MIB} MiB. Try a smaller document, or split it.",
        )
    if completed.exit_code == -signal.SIGXCPU or completed.cpu_seconds >= limits.cpu_seconds:
        raise EngineError(
            Reason.PROCESSING_TIMED_OUT,
            f"Processing was stopped: it took more than {limits.cpu_seconds} seconds of processor time. "
            "Try a shorter document, or split it.",
        )
    if completed.peak_memory_bytes >= MEMORY_SHARE * limits.memory_bytes or b"MemoryError" in completed.stderr[-2048:]:
        raise EngineError(Reason.PROCESSING_TOO_LARGE, out_of_memory(limits))


def timed_out(limits: Limits) -> EngineError:
    """The error of a document that took longer than it may."""
    return EngineError(
        Reason.PROCESSING_TIMED_OUT,
        f"Processing was stopped: it took longer than {limits.wall_seconds:g} seconds. Try a shorter document, or split it.",
    )


def out_of_memory(limits: Limits) -> str:
    """The message for a document that does not fit into the memory limit."""
    return (
        f"Processing was stopped: the document needs more than {limits.memory_bytes // MIB} MiB of memory. "
        "Try a smaller document, or pictures of lower resolution."
    )
