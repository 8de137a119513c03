"""A merge of many small PDFs, against pypdf in process."""

import time
from pathlib import Path

from bench import Bench
from pypdf import PdfWriter
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]
from rounds import interleaved
from row import Bound, Measured, Row, Target

from osis_document_client import Client, merge

_TIMEOUT_SECONDS = 120
_SHARE = 1.5
_EXTRA_SECONDS = 0.3


def _small_pdf(path: Path) -> Path:
    canvas = Canvas(str(path))
    for page in (1, 2):
        canvas.drawString(72, 720, f"{path.stem}, page {page}")
        canvas.showPage()
    canvas.save()
    return path


def _in_process(paths: list[Path], target: Path) -> float:
    started = time.perf_counter()
    writer = PdfWriter()
    for path in paths:
        writer.append(path)
    writer.write(target)
    return time.perf_counter() - started


def _through_the_service(client: Client, document_ids: list[str]) -> float:
    started = time.perf_counter()
    client.wait(client.start(document_ids, [merge()]).id, timeout=_TIMEOUT_SECONDS)
    return time.perf_counter() - started


def _measure(bench: Bench) -> Measured:
    with bench.folder() as folder, bench.service() as service, service.client() as client:
        paths = [_small_pdf(folder / f"small-{number}.pdf") for number in range(bench.scale.merge_inputs)]
        ids = [document.id for document in client.confirm([client.upload(path) for path in paths])]
        rounds = interleaved(
            lambda: _through_the_service(client, ids),
            lambda: _in_process(paths, folder / "merged.pdf"),
            rounds=bench.scale.merge_rounds,
            say=bench.say,
        )
    return Measured(
        value=rounds.measured_seconds,
        spread=(min(rounds.measured), max(rounds.measured)),
        target=Target(bound=Bound.AT_MOST, limit=_SHARE * rounds.baseline_seconds + _EXTRA_SECONDS),
        note=f"of {len(paths)} PDFs; pypdf in process {rounds.baseline_seconds:.3f} s",
        details={"inputs": len(paths), "seconds": rounds.measured, "pypdf_seconds": rounds.baseline},
    )


MERGE = Row(
    name="merge",
    what="merge of 100 small PDFs end to end; at most 1.5 × pypdf in process + 0.3 s",
    target=Target(bound=Bound.AT_MOST, limit=_EXTRA_SECONDS),
    unit="s",
    measure=_measure,
)
