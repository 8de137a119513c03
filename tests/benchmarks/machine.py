"""What the figures were measured on."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import apsw


def machine_facts(folder: Path) -> dict[str, str | int | float]:
    """Processor, memory, kernel, the disk that holds ``folder``, the versions that matter, and the revision."""
    device, filesystem = _mount_of(folder)
    return {
        "processor": _line_of(Path("/proc/cpuinfo"), "model name"),
        "cores": os.cpu_count() or 0,
        "load_1m": round(os.getloadavg()[0], 2),
        "memory_mib": int(_line_of(Path("/proc/meminfo"), "MemTotal").split()[0]) // 1024,
        "kernel": platform.release(),
        "disk": device,
        "filesystem": filesystem,
        "python": platform.python_version(),
        "grpcio": _version("grpcio"),
        "protobuf": _version("protobuf"),
        "google-crc32c": _version("google-crc32c"),
        "sqlite": apsw.sqlite_lib_version(),
        "revision": _revision(),
    }


def _line_of(file: Path, name: str) -> str:
    for line in file.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "0 unknown"


def _mount_of(folder: Path) -> tuple[str, str]:
    best = ("", "unknown", "unknown")
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        device, place, filesystem = line.split()[:3]
        if folder.resolve().is_relative_to(place) and len(place) >= len(best[0]):
            best = (place, device, filesystem)
    return best[1], best[2]


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"


def _revision() -> str:
    here = Path(__file__).parent
    try:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
        changes = subprocess.run(["git", "status", "--porcelain"], cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.stdout.strip() + ("+changes" if changes.stdout.strip() else "")
