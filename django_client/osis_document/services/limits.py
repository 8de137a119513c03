"""What the service accepts, as far as it tells."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.upload_service_pb2 import StartUploadRequest, UploadSpec
from osis_document_client import Client, ExtensionNotAllowed, FileTooLarge

from . import times

#: Refused by every service, so that nothing is begun by asking.
_NAME = "settings.osis-document-check"
_SIZE_BYTES = 1 << 62


@dataclass(frozen=True)
class Limits:
    """The service's settings; None: it does not tell, or (the size) there is no limit."""

    allowed_extensions: tuple[str, ...] | None
    max_upload_size: int | None
    token_max_age: int | None


def of(client: Client) -> Limits:
    """Asks a service by what it refuses; nothing is changed there.

    Raises:
        osis_document_client.OsisDocumentError: it does not answer, or does not accept the key.
    """
    return Limits(_allowed_extensions(client), _max_upload_size(client), _token_max_age(client))


def _allowed_extensions(client: Client) -> tuple[str, ...] | None:
    try:
        client.uploads.StartUpload(StartUploadRequest(upload_spec=UploadSpec(upload_id=str(uuid.uuid4()), name=_NAME)))
    except ExtensionNotAllowed as exc:
        return tuple(exc.metadata.get("allowed", "").split()) or None
    return None


def _max_upload_size(client: Client) -> int | None:
    spec = UploadSpec(upload_id=str(uuid.uuid4()), name=_NAME, size_bytes=_SIZE_BYTES)
    try:
        client.uploads.StartUpload(StartUploadRequest(upload_spec=spec))
    except FileTooLarge as exc:
        return int(exc.metadata["limit_bytes"])
    except ExtensionNotAllowed:
        return None
    return None


def _token_max_age(client: Client) -> int | None:
    """How long a token of any document would be good for; tokens are not stored anywhere."""
    document = next(client.list_documents(statuses=[DocumentStatus.DOCUMENT_STATUS_UPLOADED], corrupt=False, page_size=1), None)
    if document is None:
        return None
    answer = client.create_token(document.id)
    if not answer.HasField("token"):
        return None
    inspected = client.inspect_token(answer.token.token)
    return round((times.moment(inspected.token.expire_time) - times.moment(inspected.issue_time)).total_seconds())
