"""Merges PDFs by the engine, in a process of its own: ``python merge_memory_process.py SCRATCH PDF…``.

Prints the seconds, and the memory of the largest process below it in bytes.
"""

import json
import resource
import sys
import time
from pathlib import Path

from osis_document_workers import engines


def main(scratch: Path, sources: list[Path]) -> None:
    """Merges once."""
    started = time.perf_counter()
    engines.merge([engines.MergeInput(source, source.name) for source in sources], scratch / "merged.pdf", scratch=scratch)
    seconds = time.perf_counter() - started
    peak_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024  # KiB, see getrusage(2)
    print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
