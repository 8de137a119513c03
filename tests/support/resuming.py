"""Uploads that broke off: how far they came, and the rest of them."""

import hashlib
from collections.abc import Iterator

from osis.document.v1.upload_service_pb2 import GetUploadStatusRequest, GetUploadStatusResponse, UploadSpec, WriteUploadRequest
from tests.support.stubs import Stubs
from tests.support.uploads import MEBIBYTE


def status(stubs: Stubs, upload_id: str) -> GetUploadStatusResponse:
    """How far the upload has come."""
    answer: GetUploadStatusResponse = stubs.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=upload_id))
    return answer


def rest(
    upload: UploadSpec | str, content: bytes, offset: int, *, end: int | None = None, chunk: int = MEBIBYTE
) -> Iterator[WriteUploadRequest]:
    """One stream of what lies between `offset` and `end`; without an `end` it goes on to the last byte and finishes."""
    first = WriteUploadRequest(write_offset=offset)
    if isinstance(upload, str):
        first.upload_id = upload
    else:
        first.upload_spec.CopyFrom(upload)
    yield first
    stop = len(content) if end is None else end
    for start in range(offset, stop, chunk):
        yield WriteUploadRequest(write_offset=start, data=content[start : min(start + chunk, stop)])
    if end is None:
        sha256 = hashlib.sha256(content).hexdigest()
        yield WriteUploadRequest(write_offset=len(content), finish_write=True, sha256=sha256)
