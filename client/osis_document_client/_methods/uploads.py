"""Sending files."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from google.protobuf.struct_pb2 import Struct

from osis.document.v1.upload_service_pb2 import CancelUploadRequest, UploadResult, UploadSpec

from .._backoff import Deadline
from .._rpcs import Rpcs
from .._source import name_of, open_source
from .._struct import optional_struct
from .._upload import DEFAULT_CHUNK_SIZE_BYTES, MAX_CHUNK_SIZE_BYTES, ProgressCallback, Upload


def upload(
    client: Rpcs,
    source: str | Path | BinaryIO,
    *,
    name: str | None = None,
    upload_id: str | None = None,
    resume: bool | None = None,
    metadata: Mapping[str, Any] | Struct | None = None,
    sha256: str | None = None,
    lease_id: str = "",
    chunk_size_bytes: int = DEFAULT_CHUNK_SIZE_BYTES,
    progress: ProgressCallback | None = None,
    timeout: float | None = None,
) -> UploadResult:
    """Streams a file to the service; it is never in memory as a whole.

    A lost connection is replaced and sending goes on behind the last byte that is safe there.

    Args:
        source: a path, or a file open for reading bytes, sent from where it stands. Only one that is seekable can always
            be gone on with.
        name: the document's name. By default the file's own.
        upload_id: a UUID that becomes the document's id; a random one by default. The id of an interrupted upload goes on
            with it (the name, the metadata and the file must be the same).
        resume: ask first how far this upload came. By default where an `upload_id` is given; False spares a new one the call.
        metadata: the users' own keys (see `to_struct`).
        sha256: the file's SHA-256 in hexadecimal, if it is known; otherwise it is computed on the way. The service refuses
            other content.
        lease_id: workers only: the lease that the output is uploaded under.
        chunk_size_bytes: how much each message carries.
        progress: called with the bytes handed over so far and the bytes in all (None: not known), first with where it
            begins (more than 0: it is resumed). Steps back only when a lost connection is replaced, to what is safe. Called
            from the sending thread; what it raises ends the upload.
        timeout: seconds for all of it; no limit by default.

    Returns:
        The document, and the write token that confirms it.

    Raises:
        UploadInterrupted: the connection stayed lost, or the time was over; says how far it came and how to go on.
        ServiceError: the service refused the file (`UploadError`), the key (`AuthenticationError`) …
        OSError: the source cannot be read.
        ValueError: an argument cannot be used.
    """
    if not 0 < chunk_size_bytes <= MAX_CHUNK_SIZE_BYTES:
        raise ValueError(f"chunk_size_bytes is {chunk_size_bytes}; it must be from 1 to {MAX_CHUNK_SIZE_BYTES}")
    spec = UploadSpec(
        upload_id=upload_id or str(uuid.uuid4()),
        name=name if name is not None else name_of(source),
        metadata=optional_struct(metadata),
        lease_id=lease_id,
    )
    with open_source(source, hashed=not sha256) as opened:
        if opened.size_bytes:  # an empty file is not declared: the service has an error of its own for it
            spec.size_bytes = opened.size_bytes
        upload = Upload(
            client.uploads,
            opened,
            spec=spec,
            sha256=sha256,
            chunk_size_bytes=chunk_size_bytes,
            progress=progress,
            backoff=client.backoff,
            deadline=Deadline(timeout),
        )
        return upload.run(ask_first=upload_id is not None if resume is None else resume)


def cancel_upload(client: Rpcs, upload_id: str) -> None:
    """Removes an upload that is not confirmed, finished or not. One that is gone is no error.

    Raises:
        AlreadyConfirmed: it is a document by now; `delete` it.
    """
    client.uploads.CancelUpload(CancelUploadRequest(upload_id=upload_id))
