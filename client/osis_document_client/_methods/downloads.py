"""Reading content."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from osis.document.v1.download_service_pb2 import DownloadHeader

from .._backoff import Deadline
from .._download import Download
from .._rpcs import Rpcs
from .._target import open_target
from .._upload import ProgressCallback


def open_download(
    client: Rpcs, token: str, *, offset: int = 0, limit: int = 0, expected_sha256: str = "", timeout: float | None = None
) -> Download:
    """Opens a document's content, or a range of it, for reading.

        with client.open_download(token) as download:
            for block in download: …

    Args:
        token: any token of the document.
        offset: the first byte; negative: so many bytes before the end.
        limit: how many bytes at most; 0: up to the end.
        expected_sha256: refuse any other content (`ContentChanged`); of the whole, in hexadecimal.
        timeout: seconds for all of it; no limit by default.

    Raises:
        ServiceError: `TokenExpired`, `DocumentDeleted`, `DocumentCorrupt`, `RangeNotSatisfiable`, `ContentChanged` …
        DownloadInterrupted: nobody answers.
    """
    return Download(
        client.downloads,
        token=token,
        offset=offset,
        limit=limit,
        expected_sha256=expected_sha256,
        backoff=client.backoff,
        deadline=Deadline(timeout),
    )


def download(
    client: Rpcs,
    token: str,
    target: str | Path | BinaryIO,
    *,
    progress: ProgressCallback | None = None,
    timeout: float | None = None,
) -> DownloadHeader:
    """Writes a document's content to a file. Under a path's name there is the whole content or what was there before.

    Args:
        token: any token of the document.
        target: a path, or a file open for writing bytes.
        progress: called with the bytes written so far and the bytes in all, first with 0.
        timeout: seconds for all of it; no limit by default.

    Raises:
        OSError: the target cannot be written.
        DownloadInterrupted, DownloadDamaged, ServiceError: as `open_download` and `Download`.
    """
    with open_download(client, token, timeout=timeout) as download, open_target(target) as file:
        size = download.header.range.end
        done = 0
        if progress is not None:
            progress(done, size)
        for block in download:
            file.write(block)
            done += len(block)
            if progress is not None:
                progress(done, size)
        return download.header
