"""Receiving a document: bytes in, checked, durable, and a token to confirm it with."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from peewee import IntegrityError

from osis_document_server.domain.access import Caller, Role
from osis_document_server.domain.blocks import BlockChecksums
from osis_document_server.domain.documents import Document, Status
from osis_document_server.domain.names import check_name, extension_of
from osis_document_server.domain.tokens import Purpose, SignedToken
from osis_document_server.errors import (
    ArgumentInvalid,
    EmptyFile,
    FileTooLarge,
    HashMismatch,
    OffsetGap,
    RoleNotAllowed,
    SizeMismatch,
    UploadIdTaken,
    UploadNotFound,
    UploadSpecConflict,
)
from osis_document_server.models import rows
from osis_document_server.models.database import reading, unit_of_work
from osis_document_server.models.tables import BlobRow, DocumentRow
from osis_document_server.storage.base import BlobWriter
from osis_document_server.storage.content_type import require_agreement
from osis_document_server.usecases import leases
from osis_document_server.usecases.limits import require_metadata_size
from osis_document_server.usecases.service import Service


@dataclass(frozen=True, kw_only=True)
class UploadSpec:
    """What the caller says of a file before sending it."""

    upload_id: UUID
    name: str
    size_bytes: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: The lease under which a worker uploads a task's output.
    lease_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """One message of an upload's stream."""

    offset: int
    data: bytes
    finish: bool = False
    #: With ``finish``: what the caller says the SHA-256 is; empty if it does not.
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """An upload that became a document."""

    document: Document
    #: None when the document is confirmed already.
    token: SignedToken | None


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """A stream that ended without finishing its upload."""

    persisted_size: int


class Uploads:
    """Takes uploads in."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def write(self, caller: Caller, spec: UploadSpec, chunks: Iterable[Chunk]) -> Finished | Interrupted:
        """Streams an upload in and makes it a document.

        The bytes are durable before the row that names them is written. When anything fails on the way, nothing is left.
        Repeating an upload that is finished answers the document again, with a fresh token.

        Raises:
            NameInvalid, ExtensionNotAllowed, MetadataInvalid, ArgumentInvalid, RoleNotAllowed: the spec cannot be accepted.
            OffsetGap: a chunk begins beyond the bytes received.
            EmptyFile, FileTooLarge, SizeMismatch, HashMismatch, MimeMismatch: the content is not what it may or should be.
            UploadIdTaken, UploadSpecConflict: the id is another's, or was used with another spec.
            StorageFull, StorageUnavailable, DatabaseUnavailable: the service cannot take it now.
        """
        spec = self._checked(caller, spec)
        if repeated := self._finished(caller, spec):
            return repeated
        key = uuid4().hex
        with self._service.storage.create(key) as writer:
            received = _receive(spec, writer, chunks, max_bytes=self._max_bytes(caller))
            if received is None:
                # Nothing of a broken-off stream is kept yet, so the next one starts at the beginning.
                return Interrupted(persisted_size=0)
            extension = extension_of(spec.name)
            mime_type = self._service.content_types.detect(writer.path, extension=extension)
            if self._service.limits.validate_types:
                require_agreement(spec.name, extension=extension, detected=mime_type)
            writer.commit()
        return self._record(caller, spec, key=key, received=received, mime_type=mime_type)

    def find(self, caller: Caller, upload_id: UUID) -> Finished:
        """Returns a finished upload, with a fresh token as long as it is not confirmed.

        Raises:
            UploadNotFound: there is none.
            UploadIdTaken: the id is another client's.
        """
        with reading(self._service.database):
            document = rows.find_document(self._service.database, upload_id)
        if document is None:
            raise UploadNotFound(
                f"There is no upload {upload_id}. Start it with an upload_spec; uploads that stay unfinished or unconfirmed for "
                "too long are removed.",
                upload_id=upload_id,
            )
        if document.client != caller.name:
            raise _taken(upload_id)
        return Finished(document=document, token=self._token(document))

    def _checked(self, caller: Caller, spec: UploadSpec) -> UploadSpec:
        name = check_name(spec.name, field="upload_spec.name")
        if spec.size_bytes is not None and spec.size_bytes < 1:
            raise (
                _empty(name)
                if spec.size_bytes == 0
                else ArgumentInvalid(
                    f"upload_spec.size_bytes is {spec.size_bytes}; a file has at least 1 byte.", field="upload_spec.size_bytes"
                )
            )
        limit = self._max_bytes(caller)
        if limit is not None and spec.size_bytes is not None and spec.size_bytes > limit:
            raise _too_large(spec.size_bytes, limit)
        if caller.role is Role.WORKER:
            if spec.lease_id is None:
                raise RoleNotAllowed(
                    "A worker's key uploads the outputs of its tasks only: name the lease in upload_spec.lease_id.",
                    role=caller.role,
                    needed=Role.CLIENT,
                )
            with reading(self._service.database):
                leases.require_lease(spec.lease_id, now=self._service.now())
        else:
            if spec.lease_id is not None:
                raise RoleNotAllowed("upload_spec.lease_id is for workers' keys.", role=caller.role, needed=Role.WORKER)
            self._service.limits.require_extension(extension_of(name))
        require_metadata_size(len(json.dumps(dict(spec.metadata)).encode()), field="upload_spec.metadata")
        return UploadSpec(**{**vars(spec), "name": name})

    def _max_bytes(self, caller: Caller) -> int | None:
        # What a worker makes of accepted documents may be larger than they are: a merge of ten is.
        return None if caller.role is Role.WORKER else self._service.limits.max_upload_size

    def _finished(self, caller: Caller, spec: UploadSpec) -> Finished | None:
        with reading(self._service.database):
            document = rows.find_document(self._service.database, spec.upload_id)
        if document is None:
            return None
        if document.client != caller.name:
            raise _taken(spec.upload_id)
        for what, then, now in (
            ("name", document.name, spec.name),
            ("size_bytes", document.blob.size_bytes, spec.size_bytes or document.blob.size_bytes),
        ):
            if then != now:
                raise UploadSpecConflict(
                    f"Upload {spec.upload_id} was finished with another {what}. A new file needs a new upload_id.",
                    field=f"upload_spec.{what}",
                    upload_id=spec.upload_id,
                )
        return Finished(document=document, token=self._token(document))

    def _record(self, caller: Caller, spec: UploadSpec, *, key: str, received: "_Received", mime_type: str) -> Finished:
        now = self._service.now()
        try:
            with unit_of_work(self._service.database):
                BlobRow.create(
                    key=key,
                    size_bytes=received.size_bytes,
                    sha256=received.sha256,
                    block_checksums=received.block_checksums,
                    created_at=now,
                )
                DocumentRow.create(
                    id=spec.upload_id,
                    name=spec.name,
                    mime_type=mime_type,
                    blob=key,
                    status=Status.REQUESTED,
                    metadata=dict(spec.metadata),
                    client=caller.name,
                    uploaded_at=now,
                    updated_at=now,
                    lease_id=spec.lease_id,
                )
                document = rows.find_document(self._service.database, spec.upload_id)
        except IntegrityError:
            # Another stream with the same id was faster. Its document stands; these bytes are not needed.
            self._service.storage.delete(key)
            if repeated := self._finished(caller, spec):
                return repeated
            raise
        except BaseException:
            self._service.storage.delete(key)
            raise
        if document is None:
            raise AssertionError("a document that was just written cannot be missing")
        return Finished(document=document, token=self._token(document))

    def _token(self, document: Document) -> SignedToken | None:
        if document.status is not Status.REQUESTED or document.lease_id is not None:
            return None  # confirmed already, or by its task
        return self._service.signer.sign(
            document.id,
            purpose=Purpose.UPLOAD,
            revision=document.revision,
            ttl=self._service.limits.token_max_age,
            now=self._service.now(),
        )


@dataclass(frozen=True, kw_only=True)
class _Received:
    size_bytes: int
    sha256: str
    block_checksums: bytes


def _receive(spec: UploadSpec, writer: BlobWriter, chunks: Iterable[Chunk], *, max_bytes: int | None) -> _Received | None:
    """Writes and hashes all chunks; returns None when they end without finishing."""
    digest = hashlib.sha256()
    checksums = BlockChecksums()
    received = 0
    limit = spec.size_bytes if max_bytes is None else min(max_bytes, spec.size_bytes or max_bytes)
    for chunk in chunks:
        data = _unreceived(chunk, received)
        if data:
            received += len(data)
            if limit is not None and received > limit:
                raise _too_large(received, max_bytes) if limit == max_bytes else _wrong_size(spec, received, more=True)
            digest.update(data)
            checksums.update(data)
            writer.write(data)
        if chunk.finish:
            break
    else:
        return None
    if received == 0:
        raise _empty(spec.name)
    if spec.size_bytes is not None and received != spec.size_bytes:
        raise _wrong_size(spec, received)
    sha256 = digest.hexdigest()
    if chunk.sha256 and chunk.sha256.lower() != sha256:
        raise HashMismatch(
            f"The bytes received have the SHA-256 {sha256}, not {chunk.sha256.lower()}. They were changed on the way, or the "
            "file was while it was read; send it again.",
            field="sha256",
            declared_sha256=chunk.sha256.lower(),
            received_sha256=sha256,
        )
    return _Received(size_bytes=received, sha256=sha256, block_checksums=checksums.packed())


def _unreceived(chunk: Chunk, received: int) -> bytes:
    if chunk.offset == received:
        return chunk.data
    if chunk.offset > received:
        raise OffsetGap(
            f"write_offset is {chunk.offset}, but only {received} bytes have arrived. Resume from {received}.",
            field="write_offset",
            write_offset=chunk.offset,
            persisted_size=received,
        )
    if chunk.offset < 0:
        raise ArgumentInvalid(f"write_offset is {chunk.offset}; it cannot be negative.", field="write_offset", value=chunk.offset)
    return chunk.data[received - chunk.offset :]  # a replay of what is here already


def _taken(upload_id: UUID) -> UploadIdTaken:
    return UploadIdTaken(f"The id {upload_id} is in use. Choose a random UUID for each file.", upload_id=upload_id)


def _empty(name: str) -> EmptyFile:
    return EmptyFile(f"{name!r} has no bytes. Check that the file was saved, and send it again.", name=name)


def _too_large(size_bytes: int, limit: int | None) -> FileTooLarge:
    return FileTooLarge(
        f"The file has {size_bytes} bytes or more; the service accepts {limit} at most.",
        limit_bytes=limit,
        size_bytes=size_bytes,
    )


def _wrong_size(spec: UploadSpec, received: int, *, more: bool = False) -> SizeMismatch:
    return SizeMismatch(
        f"{received} bytes {'or more ' if more else ''}arrived, but {spec.size_bytes} were declared. "
        "The file may have changed while it was read; send it again.",
        field="upload_spec.size_bytes",
        declared_bytes=spec.size_bytes,
        received_bytes=received,
    )
