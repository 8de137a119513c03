"""The server's memory during a large upload and a large download."""

from bench import Bench
from memory import Memory
from random_file import random_stream
from row import Bound, Measured, Row, Target
from scale import MIB

from osis_document_client import Client


def _upload(client: Client, size_bytes: int) -> str:
    with random_stream(size_bytes) as source:
        result = client.upload(source, name="random.pdf")
    if result.document.size_bytes != size_bytes:
        raise ValueError(f"{result.document.size_bytes} bytes were stored of {size_bytes}")
    return result.write_token


def _download(client: Client, token: str, size_bytes: int) -> None:
    with client.open_download(token) as download:
        received = sum(len(block) for block in download)
    if received != size_bytes:
        raise ValueError(f"{received} bytes arrived of {size_bytes}")


def _measure(bench: Bench) -> Measured:
    size = bench.scale.transfer_bytes
    with bench.service() as service, service.client() as client:
        _download(client, _upload(client, MIB), MIB)  # what the first transfer of a process brings into memory does not count
        memory = Memory(service.pid)
        rest = memory.now()
        memory.forget_peak()
        token = _upload(client, size)
        upload = memory.peak() - rest
        bench.say(f"upload done, {upload / MIB:.0f} MiB")
        before = memory.now()
        memory.forget_peak()
        _download(client, token, size)
        download = memory.peak() - before
        bench.say(f"download done, {download / MIB:.0f} MiB")
    return Measured(
        value=max(upload, download) / MIB,
        note=f"upload {upload / MIB:.1f} MiB, download {download / MIB:.1f} MiB, over {rest / MIB:.0f} MiB before",
        details={"bytes": size, "upload_bytes": upload, "download_bytes": download, "rest_bytes": rest},
    )


TRANSFER_MEMORY = Row(
    name="transfer-memory",
    what="RSS growth during a 5 GiB upload or download",
    target=Target(bound=Bound.AT_MOST, limit=64),
    unit="MiB",
    digits=1,
    measure=_measure,
)
