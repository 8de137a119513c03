"""Changing content, which a worker does."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from osis.document.v1.document_service_pb2 import (
    RotateImageRequest,
    RotateImageResponse,
    SaveEditRequest,
    SaveEditResponse,
)
from osis.document.v1.upload_service_pb2 import UploadResult

from .._backoff import Deadline
from .._rpcs import Rpcs
from .._waiting import wait_for_outcome


def rotate_image(
    client: Rpcs, token: str, degrees: int, *, request_id: str | None = None, timeout: float | None = None
) -> RotateImageResponse:
    """Rotates an image, and waits until that is done.

    Args:
        token: a token that may write, of the document's present revision; it is spent.
        degrees: clockwise, a multiple of 90.
        request_id: a UUID for this logical call, to be given again to fetch its outcome. By default a random one.
        timeout: seconds to wait; no limit by default.

    Returns:
        The document as it is then, and the token that takes the place of the one spent.

    Raises:
        DeadlineExceeded: not done in time. It goes on; `metadata["request_id"]` fetches the outcome.
        ServiceError: `TokenSpent`, `NotAnImage`, `DocumentUnreadable` …
    """
    request = RotateImageRequest(token=token, degrees=degrees, request_id=request_id or str(uuid.uuid4()))
    return wait_for_outcome(
        lambda seconds: client.documents.RotateImage(request, timeout=seconds),
        request_id=request.request_id,
        call_seconds=client.config.timeout_seconds,
        backoff=client.backoff,
        deadline=Deadline(timeout),
    )


def save_edit(
    client: Rpcs,
    token: str,
    *,
    edited: UploadResult | str = "",
    rotations: Mapping[int, int] | None = None,
    request_id: str | None = None,
    timeout: float | None = None,
) -> SaveEditResponse:
    """Saves an edited PDF over a document, or as its modified copy, and waits until that is done.

    Args:
        token: a token that may write, of the document's present revision; it is spent. One made `for_modified` makes or
            replaces the modified copy.
        edited: the upload of the edited PDF, or its write token; the upload is consumed. Empty: the stored content.
        rotations: degrees clockwise (multiples of 90) by page number, counted from 0.
        request_id: a UUID for this logical call, to be given again to fetch its outcome. By default a random one.
        timeout: seconds to wait; no limit by default.

    Returns:
        The document as it is then, and the token that takes the place of the one spent.

    Raises:
        DeadlineExceeded: not done in time. It goes on; `metadata["request_id"]` fetches the outcome.
        ServiceError: `TokenSpent`, `NotAPdf`, `PasswordRequired`, `DocumentUnreadable` …
    """
    request = SaveEditRequest(
        token=token,
        edited_upload_token=edited.write_token if isinstance(edited, UploadResult) else edited,
        rotations=rotations,
        request_id=request_id or str(uuid.uuid4()),
    )
    return wait_for_outcome(
        lambda seconds: client.documents.SaveEdit(request, timeout=seconds),
        request_id=request.request_id,
        call_seconds=client.config.timeout_seconds,
        backoff=client.backoff,
        deadline=Deadline(timeout),
    )
