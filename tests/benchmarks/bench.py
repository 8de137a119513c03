"""The bench: what every row is given to measure with."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from null_service import NullService
from scale import Scale
from service import Service

#: What the service takes for a PDF. Random bytes behind it cannot be compressed or guessed.
PDF_SIGNATURE = b"%PDF-1.7\n"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Sizes, and a folder on the disk that is measured."""

    scale: Scale
    root: Path

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder for one row, removed at its end."""
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.root, prefix="work-") as folder:
            yield Path(folder)

    @contextmanager
    def service(self) -> Iterator[Service]:
        """A service of the row's own."""
        with self.folder() as folder, Service(folder) as service:
            yield service

    @contextmanager
    def null_service(self, content: Path | None = None) -> Iterator[NullService]:
        """A null service of the row's own; ``content`` is what it sends."""
        with self.folder() as folder, NullService(folder, content=content) as service:
            yield service

    def say(self, text: str) -> None:
        """Tells people how far it is."""
        print(f"  … {text}", file=sys.stderr, flush=True)
