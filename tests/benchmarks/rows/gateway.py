"""Bytes through the Django gateway."""

import statistics
import time
from io import BytesIO
from pathlib import Path

import requests
from bench import Bench
from gateway import Gateway
from memory import Memory
from random_file import write_random_file
from rounds import interleaved
from row import Bound, Measured, Row, Target
from scale import MIB
from settle import settle

from osis_document_client import Client

_BOUNDARY = "a boundary that is in no random bytes"
_FIRST_BYTES = 30


def _form(content: bytes) -> bytes:
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="random.pdf"\r\n'
    return f"{head}Content-Type: application/pdf\r\n\r\n".encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()


def _over_http(gateway: Gateway, session: requests.Session, body: bytes, folder: Path) -> float:
    settle(folder, size_bytes=len(body))
    headers = gateway.headers | {"Content-Type": f'multipart/form-data; boundary="{_BOUNDARY}"'}
    started = time.perf_counter()
    answer = session.post(f"{gateway.url}request-upload", data=body, headers=headers, timeout=120)
    seconds = time.perf_counter() - started
    if answer.status_code != requests.codes.created:
        raise ValueError(f"the gateway answered {answer.status_code}: {answer.text[:200]}")
    return seconds


def _over_grpc(client: Client, content: bytes, folder: Path) -> float:
    settle(folder, size_bytes=len(content))
    started = time.perf_counter()
    client.upload(BytesIO(content), name="random.pdf")
    return time.perf_counter() - started


def _measure_upload(bench: Bench) -> Measured:
    size = bench.scale.gateway_bytes
    with bench.folder() as folder, bench.service() as service, Gateway(folder, service) as gateway:
        content = write_random_file(folder / "random.pdf", size_bytes=size).read_bytes()
        body = _form(content)
        with service.client() as client, requests.Session() as session:
            _over_http(gateway, session, _form(content[:MIB]), folder)
            memory = Memory(gateway.worker_pid)
            rest = memory.now()
            memory.forget_peak()
            rounds = interleaved(
                lambda: _over_http(gateway, session, body, folder),
                lambda: _over_grpc(client, content, folder),
                rounds=bench.scale.rounds,
                say=bench.say,
            )
            growth = memory.peak() - rest
    speeds = {"gateway": size / rounds.measured_seconds / 1e6, "grpc": size / rounds.baseline_seconds / 1e6}
    return Measured(
        value=rounds.speed,
        spread=rounds.speed_spread,
        note=f"{speeds['gateway']:.0f} MB/s, {speeds['grpc']:.0f} MB/s directly; the web process grew by {growth / MIB:.1f} MiB",
        faults=_too_much(growth),
        details={"bytes": size, "mb_per_second": speeds, "seconds": rounds.measured, "growth_bytes": growth},
    )


def _measure_download(bench: Bench) -> Measured:
    size = bench.scale.gateway_bytes
    with bench.folder() as folder, bench.service() as service, Gateway(folder, service) as gateway:
        source = write_random_file(folder / "random.pdf", size_bytes=size)
        with service.client() as client, requests.Session() as session:
            [document] = client.confirm([client.upload(source)])
            url = f"{gateway.url}file/{client.create_token(document.id, ttl_seconds=3600).token.token}"
            _first_byte(session, url)
            memory = Memory(gateway.worker_pid)
            rest = memory.now()
            memory.forget_peak()
            received = sum(len(part) for part in session.get(url, stream=True, timeout=120).iter_content(MIB))
            growth = memory.peak() - rest
            seconds = sorted(_first_byte(session, url) for _ in range(_FIRST_BYTES))
    wrong = () if received == size else (f"{received} bytes arrived of {size}",)
    return Measured(
        value=statistics.median(seconds) * 1000,
        spread=(seconds[0] * 1000, seconds[-1] * 1000),
        note=f"of {len(seconds)} downloads; the web process grew by {growth / MIB:.1f} MiB during one of {size / 1e6:.0f} MB",
        faults=(*wrong, *_too_much(growth)),
        details={"seconds": seconds, "growth_bytes": growth},
    )


def _first_byte(session: requests.Session, url: str) -> float:
    started = time.perf_counter()
    with session.get(url, stream=True, timeout=120, headers={"Range": "bytes=0-99999"}) as answer:
        next(answer.iter_content(1))
        return time.perf_counter() - started


def _too_much(growth_bytes: int) -> tuple[str, ...]:
    """The web process may grow by 32 MiB."""
    return (f"the web process grew by {growth_bytes / MIB:.0f} MiB; 32 at most",) if growth_bytes > 32 * MIB else ()


GATEWAY_UPLOAD = Row(
    name="gateway-upload",
    what="upload of 100 MB through the Django gateway ÷ direct gRPC upload",
    target=Target(bound=Bound.AT_LEAST, limit=0.5),
    measure=_measure_upload,
)

GATEWAY_DOWNLOAD = Row(
    name="gateway-download",
    what="a download through the Django gateway: time to its first byte, p50",
    target=None,
    unit="ms",
    digits=1,
    measure=_measure_download,
)
