"""Changes of content, in memory: revisions and tokens are as they are with a service, but no picture is really turned."""

from __future__ import annotations

import hashlib
import uuid

from osis.document.v1.document_service_pb2 import (
    RotateImageRequest,
    RotateImageResponse,
    SaveEditRequest,
    SaveEditResponse,
)
from osis_document_client import ArgumentInvalid, NotAnImage, NotAPdf, ServiceError

from ..services import times
from . import rules
from .signing import Claims
from .store import Store, Stored, require_unspent


class ChangeRpcs:
    """The rpcs of `DocumentService` that give a document other content."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rotate_image(self, request: RotateImageRequest) -> RotateImageResponse:
        """Answers the next revision of an image; its bytes stay."""
        key = f"rotate {request.token} {request.request_id}"
        if request.request_id and isinstance(done := self._store.requests.get(key), RotateImageResponse):
            return done
        claims = self._store.verify(request.token, "write", "upload")
        found = self._store.find_open(claims.document)
        require_unspent(found, claims)
        if found.document.mime_type not in rules.IMAGES:
            raise _wrong(NotAnImage, found)
        if request.degrees % 90:
            raise ArgumentInvalid("Only multiples of 90 degrees can be turned.", metadata={"field": "degrees"})
        if request.degrees % 360:
            self._change(found, claims, _content(found, claims))
        token, made = self._store.sign(found, claims.purpose, modified=claims.modified)
        answer = RotateImageResponse(document=found.document, token=token)
        answer.token_expire_time.FromSeconds(made.exp)
        self._store.requests[key] = answer
        return answer

    def save_edit(self, request: SaveEditRequest) -> SaveEditResponse:
        """Puts an uploaded PDF in place of one; pages are not turned."""
        key = f"edit {request.token} {request.request_id}"
        if request.request_id and isinstance(done := self._store.requests.get(key), SaveEditResponse):
            return done
        claims = self._store.verify(request.token, "write", "upload")
        if not request.edited_upload_token and not any(degrees % 360 for degrees in request.rotations.values()):
            raise ArgumentInvalid("There is nothing to change.", metadata={"field": "edited_upload_token"})
        found = self._store.find_open(claims.document)
        require_unspent(found, claims)
        source = found
        if request.edited_upload_token:
            edited = self._store.verify(request.edited_upload_token, "upload")
            source = self._store.find_open(edited.document)
            require_unspent(source, edited)
        for each in (found, source):
            if each.document.mime_type != rules.PDF:
                raise _wrong(NotAPdf, each)
        self._change(found, claims, source.content if source is not found else _content(found, claims))
        if source is not found:
            del self._store.documents[source.document.id]
        token, made = self._store.sign(found, claims.purpose, modified=claims.modified)
        answer = SaveEditResponse(document=found.document, token=token)
        answer.token_expire_time.FromSeconds(made.exp)
        self._store.requests[key] = answer
        return answer

    def _change(self, found: Stored, claims: Claims, content: bytes) -> None:
        document, now = found.document, times.timestamp(self._store.now())
        document.revision += 1
        document.update_time.CopyFrom(now)
        described = document.modified if claims.modified else document
        if claims.modified:
            document.modified.mime_type = document.mime_type
            document.modified.update_time.CopyFrom(now)
            if found.modified is None:
                document.modified.create_time.CopyFrom(now)
            found.modified = content
        else:
            found.content, found.blob = content, str(uuid.uuid4())
        described.size_bytes = len(content)
        described.sha256 = hashlib.sha256(content).hexdigest()


def _content(found: Stored, claims: Claims) -> bytes:
    return found.modified if claims.modified and found.modified is not None else found.content


def _wrong(error: type[ServiceError], found: Stored) -> ServiceError:
    metadata = {"document_id": found.document.id, "mime_type": found.document.mime_type}
    return error(f"{found.document.name!r} is {found.document.mime_type}.", metadata=metadata)
