"""Fetching what a task reads."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import structlog

from osis.document.v1.worker_service_pb2 import InputBlock, ReadInputsRequest, ReadInputsResponse, Task, TaskInput
from osis_document_client import Client, ContentChanged, LeaseLost, ServiceError
from osis_document_workers.engines.workspace import READ_ONLY

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Input:
    """One document that a task reads."""

    #: What the service says of it.
    message: TaskInput
    #: Where its bytes are.
    path: Path


def fetch(client: Client, task: Task, folder: Path) -> Iterator[Input]:
    """Fetches every document of a task once, however often it is an input, into an existing folder.

    Several documents come in one stream. What that does not bring, for whatever reason, is fetched on its own: such a download
    goes on where its connection was lost, and tells what is wrong with its document.

    Raises:
        ServiceError: the service refused: the lease was lost, or a document is gone, infected, damaged, or has other content.
        DownloadDamaged, DownloadInterrupted: the bytes of a document do not arrive.
        OSError: they cannot be written.
    """
    paths: dict[str, Path] = {}
    for item in task.inputs:
        paths.setdefault(item.document.id, folder / f"input-{len(paths)}")
    if len(paths) > 1:
        _fetch_together(client, task.lease_id, paths)
    for item in task.inputs:
        path = paths[item.document.id]
        if not path.exists():
            with path.open("xb") as file:  # by its path the client would make it durable, which nobody needs here
                client.download(item.read_token, file)
            path.chmod(READ_ONLY)  # so that engines need no copies
        yield Input(message=item, path=path)


def _fetch_together(client: Client, lease_id: str, paths: dict[str, Path]) -> None:
    """Writes documents to their paths as they come in one stream; at a path is a document that arrived whole, or nothing."""
    call: Any = client.workers.ReadInputs(ReadInputsRequest(lease_id=lease_id))
    responses: Iterator[ReadInputsResponse] = call
    blocks = (block for response in responses for block in response.blocks)
    try:
        for first in blocks:
            _write(paths[first.header.document.id], first, blocks)
    except (LeaseLost, ContentChanged):
        raise
    except ServiceError as exc:
        _log.info("the inputs did not all arrive in one stream; those that are missing are fetched one by one", why=str(exc))
    finally:
        call.cancel()


def _write(path: Path, first: InputBlock, blocks: Iterator[InputBlock]) -> None:
    """Writes one document, whose first block has arrived, and takes the others from ``blocks``."""
    arriving, digest, size = path.with_suffix(".part"), hashlib.sha256(), 0
    try:
        with arriving.open("xb") as file:
            for block in chain([first], blocks):
                digest.update(block.data)
                size += file.write(block.data)
                if size >= first.header.range.end:
                    break
        if digest.hexdigest() == first.header.sha256:
            arriving.chmod(READ_ONLY)
            arriving.rename(path)
        else:
            _log.warning("an input did not arrive whole in the stream", document_id=first.header.document.id, received_bytes=size)
    finally:
        arriving.unlink(missing_ok=True)
