"""The memory of a large merge."""

import json
import sys
from os import urandom
from pathlib import Path

from bench import Bench
from PIL import Image
from process import Process
from pypdf import PdfReader
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]
from row import Measured, Row
from scale import MIB

_SCRIPT = Path(__file__).parent.parent / "merge_memory_process.py"
_INPUTS = 5
_PAGES = 100
_PICTURE_PIXELS = 200


def _pdf(path: Path) -> Path:
    """A hundred pages of text, each with a picture of its own that nothing can compress."""
    canvas = Canvas(str(path))
    for page in range(1, _PAGES + 1):
        picture = Image.frombytes("RGB", (_PICTURE_PIXELS, _PICTURE_PIXELS), urandom(3 * _PICTURE_PIXELS**2))
        canvas.drawImage(ImageReader(picture), 72, 72)
        canvas.drawString(72, 720, f"{path.stem}, page {page}")
        canvas.showPage()
    canvas.save()
    return path


def _measure(bench: Bench) -> Measured:
    with bench.folder() as folder:
        scratch = folder / "scratch"
        scratch.mkdir()
        for part in (folder, scratch):
            part.chmod(0o711)  # the engine may run as another user
        sources = [_pdf(folder / f"input-{number}.pdf") for number in range(_INPUTS)]
        process = Process([sys.executable, _SCRIPT, scratch, *sources], folder=folder)
        try:
            outcome = json.loads(process.read_line())
        finally:
            process.stop()
        pages = len(PdfReader(scratch / "merged.pdf").pages)
        size_bytes = sum(source.stat().st_size for source in sources)
    faults = () if pages == _INPUTS * _PAGES else (f"the result has {pages} pages",)
    return Measured(
        value=outcome["peak_bytes"] / MIB,
        note=f"{_INPUTS} inputs of {size_bytes / MIB:.0f} MiB in all, {outcome['seconds']:.1f} s",
        faults=faults,
        details=outcome | {"pages": pages, "input_bytes": size_bytes},
    )


MERGE_MEMORY = Row(
    name="merge-memory",
    what="memory of the engine that merges 500 pages",
    target=None,
    unit="MiB",
    digits=0,
    measure=_measure,
)
