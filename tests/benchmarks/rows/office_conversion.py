"""Office conversion through the whole service, against a cold LibreOffice."""

import shutil
import statistics
import subprocess
import time
from pathlib import Path

from bench import Bench
from office_documents import office_documents
from row import Bound, Measured, NotBuiltError, Row, Target

from osis_document_client import Client, OsisDocumentError, convert

_TIMEOUT_SECONDS = 180


def cold_seconds(source: Path, *, program: str, folder: Path) -> float:
    """Converts with a LibreOffice that is started for it, in a profile of its own."""
    output = folder / f"cold-{source.name}"
    command = [program, f"-env:UserInstallation=file://{output}-profile", "--headless", "--norestore"]
    started = time.perf_counter()
    subprocess.run(
        [*command, "--convert-to", "pdf:writer_pdf_Export", "--outdir", str(output), str(source)],
        check=True,
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
    )
    seconds = time.perf_counter() - started
    if not list(output.glob("*.pdf")):
        raise ValueError(f"a cold LibreOffice does not convert {source.name}")
    return seconds


def _through_the_service(client: Client, source: Path) -> float:
    """Converts a document that is there; from the request to the end of the job."""
    with source.open("rb") as file:
        [document] = client.confirm([client.upload(file, name=source.name)])
    started = time.perf_counter()
    client.wait(client.start([document.id], [convert()]).id, timeout=_TIMEOUT_SECONDS)
    return time.perf_counter() - started


def _measure(bench: Bench) -> Measured:
    program = shutil.which("soffice")
    if program is None:
        raise NotBuiltError("LibreOffice on this machine: there is no soffice in PATH")
    cold: dict[str, float] = {}
    warm: dict[str, float] = {}
    faults = []
    with bench.folder() as folder, bench.service() as service, service.client() as client:
        documents, origin = office_documents(folder)
        documents = documents[: bench.scale.office_documents or None]
        _through_the_service(client, documents[0])
        for source in documents:
            try:
                warm[source.name] = _through_the_service(client, source)
            except OsisDocumentError as exc:
                faults.append(f"{source.name}: {exc}")
                continue
            cold[source.name] = cold_seconds(source, program=program, folder=folder)
            bench.say(f"{source.name}: {warm[source.name]:.3f} s, cold {cold[source.name]:.3f} s")
    mean, cold_mean = statistics.mean(warm.values()), statistics.mean(cold.values())
    ratios = [warm[name] / cold[name] for name in warm]
    return Measured(
        value=mean / cold_mean,
        spread=(min(ratios), max(ratios)),
        note=f"mean {mean:.3f} s, cold {cold_mean:.3f} s, of {len(warm)} documents: {origin}",
        faults=tuple(faults),
        details={"seconds": warm, "cold_seconds": cold},
    )


OFFICE_CONVERSION = Row(
    name="office-conversion",
    what="warm office conversion, end to end ÷ cold soffice --convert-to",
    target=Target(bound=Bound.AT_MOST, limit=0.25),
    measure=_measure,
)
