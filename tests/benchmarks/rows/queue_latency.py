"""How long a task waits for a worker that has nothing else to do."""

import statistics
import time
from io import BytesIO

from bench import Bench
from PIL import Image
from row import Measured, Row

from osis.document.v1.post_processing_pb2 import POST_PROCESSING_STATE_PENDING
from osis_document_client import Client, convert

_TIMEOUT_SECONDS = 60


def _picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (40, 40), "red").save(file, "JPEG")
    return file.getvalue()


def _seconds_until_it_runs(client: Client, content: bytes) -> float:
    """From the request for a conversion to the news that a worker has it."""
    [document] = client.confirm([client.upload(BytesIO(content), name="picture.jpg")])
    started = time.perf_counter()
    job = client.start([document.id], [convert()])
    seconds = 0.0
    for change in client.watch(job.id, timeout=_TIMEOUT_SECONDS):
        if not seconds and change.state != POST_PROCESSING_STATE_PENDING:
            seconds = time.perf_counter() - started
    return seconds


def _measure(bench: Bench) -> Measured:
    with bench.service() as service, service.client() as client:
        content = _picture()
        _seconds_until_it_runs(client, content)  # what the first task brings into memory does not count
        seconds = sorted(_seconds_until_it_runs(client, content) for _ in range(bench.scale.queued_tasks))
    return Measured(
        value=statistics.median(seconds) * 1000,
        spread=(seconds[0] * 1000, seconds[-1] * 1000),
        note=f"of {len(seconds)} conversions, one after the other",
        details={"seconds": seconds},
    )


QUEUE_LATENCY = Row(
    name="queue-latency",
    what="from a job's start until a worker has its task, p50",
    target=None,
    unit="ms",
    digits=0,
    measure=_measure,
)
