"""Sending a file as an import, and going on where an earlier attempt stopped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from osis.document.v1.upload_service_pb2 import GetUploadStatusRequest, UploadSpec, WriteUploadRequest, WriteUploadResponse
from osis_document_client import (
    Cancelled,
    Client,
    DeadlineExceeded,
    OffsetGap,
    ServerOverloaded,
    ServiceError,
    Unavailable,
    UploadNotFound,
)

#: How much one message carries.
MESSAGE_BYTES = 1 << 20
#: Nothing is wrong with the upload itself: it goes on from where it is.
_PASSING = (Unavailable, Cancelled, DeadlineExceeded, ServerOverloaded, OffsetGap)


def send(client: Client, file: BinaryIO, spec: UploadSpec, *, sha256: str) -> int:
    """Makes a document, or a modified copy, of a file. Only one block of it is in memory.

    Args:
        client: the way to the service, with an admin's key.
        file: what is read; it has `spec.size_bytes` bytes.
        spec: what it is. An upload that was begun with an equal one is gone on with.
        sha256: what the whole file's must be.

    Returns:
        How many bytes were sent.

    Raises:
        ServiceError: the service refused it, or nobody answered in any of the tries.
    """
    sent_bytes = 0
    for attempt in range(1, client.backoff.attempts + 1):
        try:
            # A file of one message has no middle to go on from.
            offset = _persisted_size(client, spec.upload_id) if spec.size_bytes > MESSAGE_BYTES or attempt > 1 else 0
            if offset is None:
                return sent_bytes
            response = _write(client, _messages(file, spec, offset=offset, sha256=sha256))
        except _PASSING as exc:
            if attempt == client.backoff.attempts:
                raise
            _pause(client, attempt, exc)
            continue
        sent_bytes += spec.size_bytes - offset
        if response.WhichOneof("outcome") == "result":
            return sent_bytes
    raise Unavailable("the service ended the upload before its end, again and again")


def _write(client: Client, messages: Iterator[WriteUploadRequest]) -> WriteUploadResponse:
    call: Any = client.uploads.WriteUpload.future(messages, timeout=None)
    try:
        response: WriteUploadResponse = call.result()
    except BaseException:  # Ctrl-C above all: nothing may go on sending behind the command's back
        call.cancel()
        raise
    return response


def _persisted_size(client: Client, upload_id: str) -> int | None:
    """How much of an upload the service has; None: all of it."""
    try:
        status = client.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=upload_id))
    except UploadNotFound:
        return 0
    return status.persisted_size if status.WhichOneof("outcome") == "persisted_size" else None


def _messages(file: BinaryIO, spec: UploadSpec, *, offset: int, sha256: str) -> Iterator[WriteUploadRequest]:
    first = True
    while True:
        # By place: gRPC may still be reading for a stream that has failed while the next one is under way.
        data = os.pread(file.fileno(), MESSAGE_BYTES, offset)
        at_end = offset + len(data) >= spec.size_bytes or not data
        message = WriteUploadRequest(write_offset=offset, data=data, finish_write=at_end, sha256=sha256 if at_end else "")
        if first:
            message.upload_spec.CopyFrom(spec)
            first = False
        yield message
        if at_end:
            return
        offset += len(data)


def _pause(client: Client, attempt: int, error: ServiceError) -> None:
    backoff = client.backoff
    seconds = min(backoff.maximum_seconds, backoff.initial_seconds * 2 ** (attempt - 1))
    backoff.pause(max(seconds, error.retry_after_seconds or 0))
