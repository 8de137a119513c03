"""Taking one writer's stream: hashed and written as it arrives, recorded from time to time, so that little is sent again."""

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

from osis_document_server.domain.blocks import BlockChecksums
from osis_document_server.domain.documents import Document
from osis_document_server.domain.uploads import Chunk, Session, UploadSpec
from osis_document_server.errors import (
    ArgumentInvalid,
    EmptyFile,
    FileTooLarge,
    HashMismatch,
    OffsetGap,
    ServiceError,
    SizeMismatch,
)
from osis_document_server.models.database import unit_of_work
from osis_document_server.storage.spool import SpoolFile
from osis_document_server.usecases import upload_sessions
from osis_document_server.usecases.service import Service

#: How often the row of an upload is told that bytes still arrive, in seconds: the sweeper removes those where none do.
_ALIVE_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Content:
    """The whole content of an upload, as far as its size and checksums go."""

    size_bytes: int
    sha256: str
    #: As ``BlockChecksums.packed`` gives them.
    block_checksums: bytes


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """All bytes of an upload have arrived."""

    size_bytes: int
    #: What the caller says the SHA-256 is; empty if it does not.
    declared_sha256: str
    #: None when this writer did not see the upload's beginning: it has to be read back.
    content: Content | None
    #: What this writer has written.
    file: SpoolFile


class Receiver:
    """Receives what one writer sends.

    Args:
        service: for its limits, clock and database.
        session: the writer's right to write.
        file: where its segment goes.
        max_bytes: largest upload; None: any size.
    """

    def __init__(self, service: Service, session: Session, file: SpoolFile, *, max_bytes: int | None) -> None:
        self._service = service
        self._session = session
        self._file = file
        self._max_bytes = max_bytes
        self._received = self._persisted = session.start
        self._recorded_at = self._told_at = time.monotonic()
        self._digest = hashlib.sha256()
        self._checksums = BlockChecksums()

    def receive(self, chunks: Iterable[Chunk]) -> Arrived | None:
        """Takes all chunks; None: they ended without finishing, and what came is recorded.

        Raises:
            OffsetGap: a chunk begins beyond the bytes received.
            EmptyFile, FileTooLarge, SizeMismatch, HashMismatch: the content is not what it may or should be.
            WriterSuperseded, UploadCancelled: somebody else has the upload.
            StorageFull, StorageUnavailable, DatabaseUnavailable: the service cannot take it now.
        """
        try:
            for chunk in chunks:
                self._take(chunk)
                if chunk.finish:
                    return self._arrived(chunk)
        except ServiceError:
            raise
        except BaseException:
            self.record()  # the client has vanished; the next writer goes on from here
            raise
        self.record()
        return None

    def record(self) -> int:
        """Makes a checkpoint if anything has come since the last, and returns how many bytes are safe."""
        if self._received > self._persisted:
            self._file.flush()
            self._tell(self._received)
            self._persisted = self._received
        self._recorded_at = time.monotonic()
        return self._persisted

    def _tell(self, persisted_size: int) -> None:
        with unit_of_work(self._service.database):
            upload_sessions.checkpoint(self._session, persisted_size=persisted_size, now=self._service.now())
        self._told_at = time.monotonic()

    def _take(self, chunk: Chunk) -> None:
        data = _unreceived(chunk, self._received)
        if not data:
            return
        self._received += len(data)
        self._require_size()
        if self._session.start == 0:
            self._digest.update(data)
            self._checksums.update(data)
        self._file.write(data)
        now, spool = time.monotonic(), self._service.spool
        if self._received - self._persisted >= spool.checkpoint_bytes or now - self._recorded_at >= spool.checkpoint_seconds:
            self.record()
        elif now - self._told_at >= _ALIVE_SECONDS:
            self._tell(self._persisted)

    def _require_size(self) -> None:
        if self._max_bytes is not None and self._received > self._max_bytes:
            raise too_large(self._received, self._max_bytes)
        declared = self._session.spec.size_bytes
        if declared is not None and self._received > declared:
            raise _wrong_size(self._session.spec, self._received, more=True)

    def _arrived(self, last: Chunk) -> Arrived:
        spec = self._session.spec
        if self._received == 0:
            raise empty(spec.name)
        if spec.size_bytes is not None and self._received != spec.size_bytes:
            raise _wrong_size(spec, self._received)
        content = None
        if self._session.start == 0:
            content = Content(
                size_bytes=self._received, sha256=self._digest.hexdigest(), block_checksums=self._checksums.packed()
            )
            require_hash(content, last.sha256)
        return Arrived(size_bytes=self._received, declared_sha256=last.sha256, content=content, file=self._file)


def require_same_content(document: Document, chunks: Iterable[Chunk]) -> None:
    """Takes the stream of an upload that is finished already: a repetition, unless it is of another file.

    Raises:
        UploadSpecConflict: the bytes, or the SHA-256 that the caller says, are not those of the document.
    """
    if document.revision > 0:
        return  # it has other content by now anyway
    digest, received, sha256 = hashlib.sha256(), 0, ""
    for chunk in chunks:
        if chunk.offset == received:  # from the start and in order: then all of it can be compared
            digest.update(chunk.data)
            received += len(chunk.data)
        end = chunk.offset + len(chunk.data)
        if end > document.blob.size_bytes or (chunk.finish and end < document.blob.size_bytes):
            raise upload_sessions.conflict(document.id, "size_bytes")
        if chunk.finish:
            sha256 = chunk.sha256.lower() or (digest.hexdigest() if received == document.blob.size_bytes else "")
            break
    if sha256 and sha256 != document.blob.sha256:
        raise upload_sessions.conflict(document.id, "content")


def require_hash(content: Content, declared_sha256: str) -> None:
    """Raises ``HashMismatch`` unless the content has the SHA-256 that the caller says, if it says one."""
    if declared_sha256 and declared_sha256 != content.sha256:
        raise HashMismatch(
            f"The bytes received have the SHA-256 {content.sha256}, not {declared_sha256}. They were changed on the way, or the "
            "file was while it was read; send it again.",
            field="sha256",
            declared_sha256=declared_sha256,
            received_sha256=content.sha256,
        )


def empty(name: str) -> EmptyFile:
    """Returns the error for a file without bytes."""
    return EmptyFile(f"{name!r} has no bytes. Check that the file was saved, and send it again.", name=name)


def too_large(size_bytes: int, limit: int) -> FileTooLarge:
    """Returns the error for a file above the limit."""
    return FileTooLarge(
        f"The file has {size_bytes} bytes or more; the service accepts {limit} at most.", limit_bytes=limit, size_bytes=size_bytes
    )


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


def _wrong_size(spec: UploadSpec, received: int, *, more: bool = False) -> SizeMismatch:
    return SizeMismatch(
        f"{received} bytes {'or more ' if more else ''}arrived, but {spec.size_bytes} were declared. "
        "The file may have changed while it was read; send it again.",
        field="upload_spec.size_bytes",
        declared_bytes=spec.size_bytes,
        received_bytes=received,
    )
