"""The launcher process: sets limits, runs one command, and leaves nothing of it behind.

Run as a script, never imported by the parent, and importing little, so that it starts in about 20 ms:

    python -I -S supervisor.py STATUS_FD STDIN_FD MEMORY CPU FSIZE UID GID -- COMMAND...

It ends the command and all its descendants when standard input closes, which the kernel does even if the
parent was killed; also descendants that left the process group, as a child subreaper inherits them. When the command
has ended it writes one line to STATUS_FD: exit code (negative: signal), peak memory in KiB, processor seconds.
STDIN_FD is the command's standard input; -1 means that it has none. UID and GID of -1 mean: stay who we are.
"""

# ruff: noqa: PTH123, PTH208 -- pathlib would double the time this takes to start

import ctypes
import os
import resource
import select
import signal
import sys

# Values from linux/prctl.h.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38


def prctl(option: int, value: int) -> None:
    """Best effort: elsewhere than on Linux there is no prctl, and the process group has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def lower(kind: int, soft: int, *, hard: int | None = None) -> None:
    """Sets a limit, staying below the hard limit that is in force already."""
    ceiling = resource.getrlimit(kind)[1]
    wanted = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft, wanted = min(soft, ceiling), min(wanted, ceiling)
    resource.setrlimit(kind, (soft, wanted))


def become_target(stdin_fd: int, memory: int, cpu: int, fsize: int, uid: int, gid: int, command: list[str]) -> None:
    """Turns this freshly forked process into the command; does not return."""
    # Python ignores these two and exec would hand that down: a program would then see EFBIG instead of dying.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.dup2(stdin_fd if stdin_fd >= 0 else os.open(os.devnull, os.O_RDONLY), 0)
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_CPU, cpu, hard=cpu + 2)
    lower(resource.RLIMIT_FSIZE, fsize)
    # Private writable memory is what a document can inflate. The address space, with the mapped libraries, fonts
    # and unused thread arenas, is only a backstop for systems where RLIMIT_DATA leaves anonymous mappings out.
    lower(resource.RLIMIT_DATA, memory)
    lower(resource.RLIMIT_AS, 2 * memory + (4 << 30))
    try:
        # If the machine runs out of memory, the engine goes and not the worker.
        with open("/proc/self/oom_score_adj", "w") as adjust:
            adjust.write("1000")
    except OSError:
        pass
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.execv(command[0], command)  # noqa: S606 -- no shell is the point


def children() -> list[int]:
    """Our direct children. /proc/self/task/*/children is not in every kernel, so the parents are looked up."""
    mine = str(os.getpid())
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdecimal():
            continue
        try:
            with open(f"/proc/{entry}/stat", errors="replace") as stat:
                if stat.read().rpartition(")")[2].split()[1] == mine:
                    found.append(int(entry))
        except (OSError, IndexError):  # it has just gone
            continue
    return found


def end_descendants() -> None:
    """Kills and reaps every descendant; a killed process's children become ours and are met in the next round."""
    if sys.platform != "linux":
        os.killpg(0, signal.SIGKILL)
    while True:
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def main(argv: list[str]) -> None:
    status_fd, stdin_fd, memory, cpu, fsize, uid, gid = (int(word) for word in argv[1:8])
    os.set_inheritable(status_fd, False)
    if stdin_fd >= 0:
        os.set_inheritable(stdin_fd, False)
    if os.getpgrp() != os.getpid():
        os.setsid()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)

    target = os.fork()
    if target == 0:
        try:
            become_target(stdin_fd, memory, cpu, fsize, uid, gid, argv[9:])
        except BaseException as exc:  # noqa: BLE001 -- the fork must not go on as a second supervisor
            os.write(2, f"cannot start {argv[9]}: {exc}\n".encode())
        os._exit(127)
    if stdin_fd >= 0:
        os.close(stdin_fd)  # whoever is at the other end sees the command's end

    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    while True:
        ready = {fd for fd, _ in poll.poll()}
        if 0 in ready and not os.read(0, 64):
            end_descendants()
            os._exit(1)
        if wake_read in ready:
            os.read(wake_read, 64)
            if reaped(target, status_fd):
                os._exit(0)


def reaped(target: int, status_fd: int) -> bool:
    """Reaps what has ended; once that is the target, ends the others and reports. Returns True then."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid == 0:
            return False
        if pid == target:
            end_descendants()
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu_seconds = usage.ru_utime + usage.ru_stime
            code = os.waitstatus_to_exitcode(status)
            os.write(status_fd, f"{code} {usage.ru_maxrss} {cpu_seconds:.3f}\n".encode())
            return True


if __name__ == "__main__":
    main(sys.argv)
