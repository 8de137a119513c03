"""Having uploads kept."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from google.protobuf.struct_pb2 import Struct

from osis.document.v1.document_pb2 import Document, ExpirationPolicy
from osis.document.v1.document_service_pb2 import (
    ConfirmUpload,
    ConfirmUploadsRequest,
    FinalizeDocumentsRequest,
    Hold,
)
from osis.document.v1.upload_service_pb2 import UploadResult

from .._batches import MAX_DOCUMENTS, Results, document_or_error, in_batches
from .._errors import ServiceError
from .._repeating import repeat
from .._rpcs import Rpcs
from .._struct import optional_struct
from .._times import duration


def confirm(
    client: Rpcs,
    uploads: Iterable[ConfirmUpload | UploadResult | str],
    *,
    path: str = "",
    metadata: Mapping[str, Any] | Struct | None = None,
    expiration_policy: ExpirationPolicy.ValueType = ExpirationPolicy.EXPIRATION_POLICY_UNSPECIFIED,
    hold: Hold | timedelta | None = None,
    request_id: str | None = None,
) -> list[Document]:
    """Confirms finished uploads, all or none; from then on the service keeps them. Tried again while nobody answers.

    Args:
        uploads: write tokens, or results of `upload`, to which the keyword arguments apply; or `ConfirmUpload` messages,
            sent as they are. At most 1,000.
        path: the logical path; one that ends in `/` is a folder, to which each document's name is added.
        metadata: the users' own keys, added to those given at upload.
        expiration_policy: how long to keep the documents; for ever by default.
        hold: keep them only for so long (`Hold()`: as long as the service sees fit) unless they are made final.
        request_id: a UUID for this logical call, to be given again when it is repeated. By default a random one.

    Returns:
        The confirmed documents, in the order of `uploads`.

    Raises:
        ServiceError: one of them cannot be confirmed (`TokenSpent`, `PathInvalid` …); `metadata["index"]` says which.
    """
    if isinstance(uploads, str):
        raise TypeError("uploads is one text; give a list of tokens")
    struct = optional_struct(metadata)
    request = ConfirmUploadsRequest(request_id=request_id or str(uuid.uuid4()))
    for upload in uploads:
        if isinstance(upload, ConfirmUpload):
            request.uploads.append(upload)
            continue
        token = upload.write_token if isinstance(upload, UploadResult) else upload
        request.uploads.add(token=token, path=path, metadata=struct, expiration_policy=expiration_policy)
    if hold is not None:
        request.hold.CopyFrom(hold if isinstance(hold, Hold) else Hold(duration=duration(hold)))
    return list(repeat(client, client.documents.ConfirmUploads, request).documents)


def finalize(client: Rpcs, document_ids: Iterable[str]) -> list[Document]:
    """Makes held documents final, so that they stay; one that is not held is answered as it is.

    Raises:
        BatchFailed: some could not be (`DocumentNotFound`: its hold ended before, `DocumentDeleted`, `DocumentInfected`).
        ServiceError: the call as a whole was refused.
    """

    def call(ids: list[str]) -> Iterable[Document | ServiceError]:
        request = FinalizeDocumentsRequest(document_ids=ids)
        return map(document_or_error, client.documents.FinalizeDocuments(request).results)

    return Results(in_batches(document_ids, call, size=MAX_DOCUMENTS)).require_all()
