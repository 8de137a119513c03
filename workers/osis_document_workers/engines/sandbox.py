"""The namespace an engine runs in, where the host permits one (bubblewrap)."""

from __future__ import annotations

import functools
import logging
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

#: What programs need to run: libraries, fonts and LibreOffice's own configuration. Nothing else of the host is visible,
#: so a document that links local files finds none.
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/libreoffice",
    "/etc/localtime",
    "/var/cache/fontconfig",
    "/var/lib/libreoffice",
)
#: /tmp inside is memory; LibreOffice only puts a socket there.
TMP_BYTES = 16 * 1024 * 1024

PROBE_SECONDS = 10


@dataclass(frozen=True)
class User:
    """The unprivileged user that engines run as when the worker is root."""

    uid: int
    gid: int


@functools.cache
def unprivileged_user() -> User | None:
    """`nobody` when this process is root; otherwise None: an ordinary user cannot and need not change."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        logger.warning("engines run as root: this host has no user 'nobody'")
        return None
    return User(entry.pw_uid, entry.pw_gid)


def wrap(command: Sequence[str], *, writable: Path, read_only: Sequence[Path]) -> list[str] | None:
    """The command line that runs `command` in a namespace of its own.

    It has no network, its own process ids, a read-only system and of the host's files only `read_only` and
    `writable`, at their usual places. The working directory becomes `writable`. As root, the command runs as `nobody`.

    Returns:
        The command line, or None where the host permits no namespaces; the reason is logged once per process.
    """
    prefix = _working_prefix()
    if prefix is None:
        return None
    bubblewrap, drop = prefix
    visible = (*_interpreter_folders(), *read_only)
    # `writable` may lie above some of the others (the inputs), never below.
    binds = [*_folders_above((writable, *visible)), "--bind", str(writable), str(writable)]
    for path in visible:
        binds += ["--ro-bind", str(path), str(path)]
    return [*bubblewrap, *binds, "--chdir", str(writable), "--", *drop, *command]


def is_permitted() -> bool:
    """Whether this host permits a namespace; if not, the reason is logged once per process."""
    return _working_prefix() is not None


def _folders_above(paths: Sequence[Path]) -> list[str]:
    """Makes the way to `paths` passable for `nobody`: bubblewrap would make these folders for root alone."""
    given = {Path("/"), Path("/tmp"), *(Path(folder) for folder in SYSTEM_FOLDERS)}  # noqa: S108 -- inside the namespace
    folders = {folder for path in paths for folder in path.parents} - given
    return [word for folder in sorted(folders) for word in ("--perms", "0755", "--dir", str(folder))]


@functools.cache
def _working_prefix() -> tuple[list[str], list[str]] | None:
    """bubblewrap's and the privilege drop's arguments, once seen to work on this host; None if they do not."""
    program = shutil.which("bwrap")
    if program is None:
        logger.warning("engines run without a namespace: bubblewrap is not installed (package bubblewrap)")
        return None
    user = unprivileged_user()
    drop: list[str] = []
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if user is None or setpriv is None:
            logger.warning("engines run without a namespace: leaving root inside one needs setpriv (package util-linux)")
            return None
        drop = [setpriv, f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups"]
        drop += ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"]
    bubblewrap = [program, *_namespace_arguments(with_user=user is None)]
    interpreter = _interpreter_folders()
    probe = [*bubblewrap, *_folders_above(interpreter)]
    for folder in interpreter:
        probe += ["--ro-bind", str(folder), str(folder)]
    probe += ["--", *drop, sys.executable, "-I", "-S", "-c", ""]
    try:
        outcome = subprocess.run(probe, capture_output=True, timeout=PROBE_SECONDS, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as exc:
        logger.warning("engines run without a namespace: bubblewrap does not work here: %s", exc)
        return None
    if outcome.returncode != 0:
        cause = outcome.stderr.decode(errors="replace").strip()
        logger.warning("engines run without a namespace: bubblewrap does not work here: %s", cause)
        return None
    return bubblewrap, drop


def _namespace_arguments(*, with_user: bool) -> list[str]:
    arguments = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if with_user:
        arguments.append("--unshare-user")
    else:
        # As root the mounts need no user namespace, and without one the change to `nobody` is a real one.
        arguments += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
    arguments += ["--die-with-parent", "--proc", "/proc", "--dev", "/dev", "--size", str(TMP_BYTES), "--perms", "1777"]
    arguments += ["--tmpfs", "/tmp", *_folders_above([Path(name) for name in SYSTEM_FILES])]  # noqa: S108 -- inside the namespace
    for folder in SYSTEM_FOLDERS:
        if Path(folder).is_symlink():
            arguments += ["--symlink", str(Path(folder).readlink()), folder]
        elif Path(folder).is_dir():
            arguments += ["--ro-bind", folder, folder]
    for name in SYSTEM_FILES:
        arguments += ["--ro-bind-try", name, name]
    return arguments


@functools.cache
def _interpreter_folders() -> tuple[Path, ...]:
    """Where Python and its packages are, if not below /usr."""
    folders = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), Path(sys.base_exec_prefix)}
    folders |= {folder.resolve() for folder in folders}
    return tuple(sorted(folder for folder in folders if Path("/usr") not in (folder, *folder.parents)))


def visible_to(user: User, path: Path) -> bool:
    """True if `user`, who owns nothing there, can reach `path` outside a namespace."""
    return all(_searchable(user, folder) for folder in path.resolve().parents)


def _searchable(user: User, folder: Path) -> bool:
    status = folder.stat()
    if status.st_uid == user.uid:
        return bool(status.st_mode & 0o100)
    return bool(status.st_mode & 0o001)
