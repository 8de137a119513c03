"""One upload stream, against a null stream."""

import time
from pathlib import Path

from bench import Bench
from random_file import write_random_file
from rounds import interleaved
from row import Bound, Measured, Row, Target
from settle import settle

from osis_document_client import Client


def _seconds(client: Client, source: Path) -> float:
    settle(source.parent, size_bytes=source.stat().st_size)
    started = time.perf_counter()
    client.upload(source)
    return time.perf_counter() - started


def _measure(bench: Bench) -> Measured:
    size = bench.scale.stream_bytes
    with bench.folder() as folder, bench.service() as service, bench.null_service() as null:
        source = write_random_file(folder / "random.pdf", size_bytes=size)
        with service.client() as client, null.client() as null_client:
            rounds = interleaved(
                lambda: _seconds(client, source),
                lambda: _seconds(null_client, source),
                rounds=bench.scale.rounds,
                say=bench.say,
            )
    speeds = {"service": size / rounds.measured_seconds / 1e6, "null": size / rounds.baseline_seconds / 1e6}
    return Measured(
        value=rounds.speed,
        spread=rounds.speed_spread,
        note=f"{speeds['service']:.0f} MB/s; the null stream {speeds['null']:.0f} MB/s",
        details={"bytes": size, "mb_per_second": speeds, "seconds": rounds.measured, "null_seconds": rounds.baseline},
    )


UPLOAD_STREAM = Row(
    name="upload-stream",
    what="one 256 MB upload stream, hashed and durable ÷ null stream",
    target=Target(bound=Bound.AT_LEAST, limit=0.75),
    measure=_measure,
)
