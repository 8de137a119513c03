"""Unary calls beside a thousand slow uploads."""

import json
import sys
import time
from io import BytesIO
from pathlib import Path

from bench import PDF_SIGNATURE, Bench
from memory import Memory
from process import Process
from row import Bound, Measured, Row, Target
from scale import MIB
from service import Service

from osis_document_client import Client, ServiceError

_SCRIPT = Path(__file__).parent.parent / "slow_uploads_client.py"
#: Between two calls of the prober.
_PAUSE_SECONDS = 0.01


def _probe(client: Client, document_id: str, *, seconds: float) -> tuple[list[float], list[str]]:
    latencies: list[float] = []
    refusals: list[str] = []
    end = time.perf_counter() + seconds
    while (started := time.perf_counter()) < end:
        try:
            client.get_document(document_id)
        except ServiceError as exc:
            refusals.append(exc.reason or exc.code.name)
        else:
            latencies.append(time.perf_counter() - started)
        time.sleep(_PAUSE_SECONDS)
    return latencies, refusals


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _measure(bench: Bench) -> Measured:
    count, seconds = bench.scale.slow_uploads, bench.scale.slow_upload_seconds
    with bench.folder() as folder, bench.service() as service, service.client() as client:
        document = client.upload(BytesIO(PDF_SIGNATURE + bytes(1024)), name="probe.pdf").document.id
        uploads = _start(service, folder, count=count)
        try:
            held = uploads.read_line()
            bench.say(f"{held} uploads held")
            latencies, refusals = _probe(client, document, seconds=seconds)
            rss = Memory(service.pid).now()
            uploads.write_line("finish")
            outcome = json.loads(uploads.read_line())
        finally:
            uploads.stop()
    faults = [f"{outcome['failed']} of {count} uploads failed: {outcome['reasons']}"] if outcome["failed"] else []
    if refusals:
        faults.append(f"{len(refusals)} unary calls failed: {sorted(set(refusals))}")
    p50, p99 = _percentile(latencies, 0.5) * 1000, _percentile(latencies, 0.99) * 1000
    return Measured(
        value=p99,
        note=f"{outcome['finished']} of {count} finished, {len(latencies)} calls, p50 {p50:.1f} ms, RSS {rss / MIB:.0f} MiB",
        faults=tuple(faults),
        details={"uploads": count, "calls": len(latencies), "p50_ms": p50, "max_ms": max(latencies) * 1000, "rss_bytes": rss}
        | outcome,
    )


def _start(service: Service, folder: Path, *, count: int) -> Process:
    key = {"OSIS_DOCUMENT_API_KEY": service.config.api_key, "OSIS_DOCUMENT_TARGET": service.config.target}
    return Process([sys.executable, _SCRIPT, str(count)], folder=folder, environment=key)


SLOW_UPLOADS = Row(
    name="slow-uploads",
    what="1,000 slow uploads held: unary p99, nothing refused",
    target=Target(bound=Bound.AT_MOST, limit=50),
    unit="ms",
    digits=1,
    measure=_measure,
)
