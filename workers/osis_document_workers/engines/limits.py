"""How much one engine run may use."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one run. All but `wall_seconds` hold per process and are enforced by the kernel.

    The defaults are for ordinary documents: on a 2-core machine LibreOffice 7.4 needs 1 to 3 s and a peak of
    200 to 350 MiB for them, and up to 10 s for documents of several hundred pages.

    Attributes:
        memory_bytes: writable private memory (RLIMIT_DATA). 2 GiB: a 89-megapixel picture, the largest accepted,
            takes about 800 MiB while its transparency is flattened.
        cpu_seconds: processor time, all threads added (RLIMIT_CPU). Twice the wall limit would be 2 busy cores.
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
