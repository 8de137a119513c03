"""How much one engine run may use."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one run. All but `wall_seconds` hold per process and are enforced by the kernel.

    The defaults leave room above what was measured on a 2-core machine: LibreOffice 7.4 took 1.4 to 2.1 s for
    ordinary documents, and 21 s for one of 2,106 pages.

    Attributes:
        memory_bytes: writable private memory (RLIMIT_DATA). 2 GiB: a transparent picture of 89 megapixels,
            the largest accepted, took 1,485 MiB.
        cpu_seconds: processor time, all threads added (RLIMIT_CPU).
        wall_seconds: elapsed time, enforced by the caller's process.
        output_bytes: the largest file a run may write (RLIMIT_FSIZE).
    """

    memory_bytes: int = 2048 * MIB
    cpu_seconds: int = 180
    wall_seconds: float = 120.0
    output_bytes: int = 1024 * MIB

    def __post_init__(self) -> None:
        for name in ("memory_bytes", "cpu_seconds", "wall_seconds", "output_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, not {getattr(self, name)}")
