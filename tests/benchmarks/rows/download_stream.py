"""One download stream, against a null stream."""

import time

from bench import Bench
from random_file import write_random_file
from rounds import interleaved
from row import Bound, Measured, Row, Target

from osis_document_client import Client


def _seconds(client: Client, token: str, *, size_bytes: int) -> float:
    started = time.perf_counter()
    with client.open_download(token) as download:
        received = sum(len(block) for block in download)
    seconds = time.perf_counter() - started
    if received != size_bytes:
        raise ValueError(f"{received} bytes arrived of {size_bytes}")
    return seconds


def _measure(bench: Bench) -> Measured:
    size = bench.scale.stream_bytes
    with bench.folder() as folder:
        source = write_random_file(folder / "random.pdf", size_bytes=size)
        with (
            bench.service() as service,
            bench.null_service(source) as null,
            service.client() as client,
            null.client() as null_client,
        ):
            token = client.upload(source).write_token
            rounds = interleaved(
                lambda: _seconds(client, token, size_bytes=size),
                lambda: _seconds(null_client, "null", size_bytes=size),
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


DOWNLOAD_STREAM = Row(
    name="download-stream",
    what="one 256 MB download stream, every block verified ÷ null stream",
    target=Target(bound=Bound.AT_LEAST, limit=0.85),
    measure=_measure,
)
