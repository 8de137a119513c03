"""The memory of another process, as Linux counts it."""

from pathlib import Path


class Memory:
    """Resident memory of one process, in bytes."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    def now(self) -> int:
        """What it has now."""
        return self._read("VmRSS")

    def peak(self) -> int:
        """The most that it had since ``forget_peak``."""
        return self._read("VmHWM")

    def forget_peak(self) -> None:
        """Makes the present size the peak (see proc(5), ``clear_refs``)."""
        (self._folder / "clear_refs").write_text("5", encoding="ascii")

    def _read(self, name: str) -> int:
        for line in (self._folder / "status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise ValueError(f"{self._folder}/status has no {name}")
