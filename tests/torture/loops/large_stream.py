"""One file far larger than the memory that the server may use for it: up, and down again."""

import hashlib
import io
import random
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from osis.document.v1.download_service_pb2 import DownloadRequest
from tests.support.server import serving
from tests.support.uploads import MEBIBYTE, confirm, token_for
from tests.torture.progress import Progress

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: So much may the server's memory grow.
_GROWTH_BYTES = 64 * MEBIBYTE
#: So much of the disk is left alone.
_SPARE_BYTES = 2 << 30
_LOOK_SECONDS = 0.1


class Repeated(io.RawIOBase):
    """A block of random bytes again and again, which the service takes for a PDF. Never in memory as a whole, and on no disk."""

    def __init__(self, size_bytes: int, *, seed: int) -> None:
        self._block = b"%PDF-1.7\n" + random.Random(seed).randbytes(MEBIBYTE - 9)
        self._left = size_bytes
        #: Of what was read.
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        data = self._block[: min(len(view), self._left)]
        view[: len(data)] = data
        self._left -= len(data)
        self.digest.update(data)
        return len(data)


def stream(folder: Path, progress: Progress, *, seed: int) -> None:
    """Uploads a file of as many MiB as the goal `mebibytes up` says, and downloads it.

    Skipped, with the reason, where the disk has no room for it.

    Raises:
        AssertionError: other bytes come back, or the server's memory grows with them.
    """
    size_bytes = progress.goals["mebibytes up"] * MEBIBYTE
    free = shutil.disk_usage(folder.parent).free
    if free < size_bytes + _SPARE_BYTES:
        pytest.skip(
            f"{(size_bytes + _SPARE_BYTES) / 1e9:.1f} GB must be free on the disk of {folder}, and {free / 1e9:.1f} GB are"
        )
    with serving(folder) as server, server.client() as client, _peak_growth(server.pid, progress):
        source = Repeated(size_bytes, seed=seed)
        result = client.upload(
            io.BufferedReader(source, buffer_size=MEBIBYTE),  # type: ignore[arg-type]  # it is a file open for reading bytes
            name="large.pdf",
            progress=lambda sent, _: progress.add("mebibytes up", sent // MEBIBYTE - progress.count("mebibytes up")),
        )
        progress.add("mebibytes up", size_bytes // MEBIBYTE - progress.count("mebibytes up"))
        assert (result.document.size_bytes, result.document.sha256) == (size_bytes, source.digest.hexdigest())

        stubs = server.stubs()
        confirm(stubs, result.write_token)
        received, digest = 0, hashlib.sha256()
        for message in stubs.downloads.Download(DownloadRequest(token=token_for(stubs, result.document.id)), timeout=3600):
            digest.update(message.data)
            received += len(message.data)
            progress.add("mebibytes down", received // MEBIBYTE - progress.count("mebibytes down"))
        assert (received, digest.hexdigest()) == (size_bytes, result.document.sha256)


@contextmanager
def _peak_growth(pid: int, progress: Progress) -> Iterator[None]:
    """Holds the growth of a process's memory against the limit, at the end of the block."""
    process, over = psutil.Process(pid), threading.Event()
    before = peak = process.memory_info().rss

    def look() -> None:
        nonlocal peak
        while not over.wait(_LOOK_SECONDS):
            peak = max(peak, process.memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    progress.note("growth of memory", f"{(peak - before) / MEBIBYTE:.0f} MiB")
    assert peak - before <= _GROWTH_BYTES, f"memory grew from {before / MEBIBYTE:.0f} to {peak / MEBIBYTE:.0f} MiB"
