"""The pool of warm LibreOffice instances, without the service around it."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from against_cold import measure_against_cold, soffice
from bench import Bench
from office_documents import office_documents
from rounds import interleaved
from row import Bound, Measured, Row, Target

from osis_document_workers import engines
from osis_document_workers.engines import EngineError, Limits, OfficePool, registry

_TYPES = {".docx": registry.DOCX, ".doc": registry.DOC, ".odt": registry.ODT, ".txt": registry.TEXT}
_CORES = os.cpu_count() or 1
#: Conversions in a round of a pool with several slots, at least.
_CONVERSIONS = 40


class _Converter:
    """A pool whose instances are warm, and a folder for its results."""

    def __init__(self, pool: OfficePool, folder: Path) -> None:
        self._pool = pool
        self._folder = folder

    def seconds(self, source: Path) -> float:
        """Converts a document; from the call to the PDF."""
        target = self._folder / f"{source.name}.pdf"
        started = time.perf_counter()
        warm = self._pool.convert(
            source, target, mime_type=_TYPES[source.suffix], options=engines.ConvertOptions(), limits=Limits()
        )
        seconds = time.perf_counter() - started
        if not warm:
            raise ValueError(f"no warm LibreOffice converts {source.name}")
        return seconds

    def seconds_of_all(self, sources: list[Path], *, threads: int) -> float:
        """Converts documents, as many at a time as there are threads."""
        started = time.perf_counter()
        with ThreadPoolExecutor(threads) as executor:
            list(executor.map(self.seconds, sources))
        return time.perf_counter() - started


@contextmanager
def _converter(folder: Path, *, slots: int, first: Path) -> Iterator[_Converter]:
    """``first`` is converted by every slot before anything is measured."""
    own = folder / f"slots-{slots}"
    (own / "scratch").mkdir(parents=True)
    for part in (folder, own, own / "scratch"):
        part.chmod(0o711)  # LibreOffice may run as another user
    pool = OfficePool(slots=slots, scratch=own / "scratch")
    try:
        converter = _Converter(pool, own)
        converter.seconds_of_all([first] * slots * 4, threads=slots)
        yield converter
    finally:
        pool.stop()


def _measure(bench: Bench) -> Measured:
    soffice()
    with bench.folder() as folder:
        documents, origin = office_documents(folder)
        documents = documents[: bench.scale.office_documents or None]
        with _converter(folder, slots=1, first=documents[0]) as converter:
            return measure_against_cold(
                bench,
                folder,
                documents,
                origin=origin,
                warm_seconds=converter.seconds,
                refusals=(EngineError, ValueError),
            )


def _measure_slots(bench: Bench) -> Measured:
    soffice()
    with bench.folder() as folder:
        documents, origin = office_documents(folder)
        documents = documents[: bench.scale.office_documents or None]
        documents *= -(-_CONVERSIONS // len(documents))
        with (
            _converter(folder, slots=1, first=documents[0]) as one,
            _converter(folder, slots=_CORES, first=documents[0]) as several,
        ):
            rounds = interleaved(
                lambda: several.seconds_of_all(documents, threads=_CORES),
                lambda: one.seconds_of_all(documents, threads=1),
                rounds=bench.scale.rounds,
                say=bench.say,
            )
    return Measured(
        value=rounds.speed,
        spread=rounds.speed_spread,
        note=(
            f"{len(documents) / rounds.measured_seconds:.1f} conversions/s with {_CORES} slots, "
            f"{len(documents) / rounds.baseline_seconds:.1f} with one: {origin}"
        ),
        details={"seconds": rounds.measured, "one_slot_seconds": rounds.baseline},
    )


OFFICE_POOL = Row(
    name="office-pool",
    what="warm office conversion, the pool alone ÷ cold soffice --convert-to",
    target=Target(bound=Bound.AT_MOST, limit=0.12),
    measure=_measure,
)

OFFICE_POOL_SLOTS = Row(
    name="office-pool-slots",
    what="the LibreOffice pool alone: N slots on N cores ÷ one slot",
    target=Target(bound=Bound.AT_LEAST, limit=0.8 * _CORES),
    measure=_measure_slots,
)
