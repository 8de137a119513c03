"""A run of the import: documents first, then their modified copies, then what was made of what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import BinaryIO, TypeVar
from uuid import UUID

from django.utils import timezone

from osis.document.v1.document_pb2 import Document
from osis.document.v1.post_processing_service_pb2 import GetPostProcessingRequest, StartPostProcessingRequest
from osis.document.v1.upload_service_pb2 import UploadSpec
from osis_document_client import (
    AuthenticationError,
    Client,
    DeadlineExceeded,
    DocumentDeleted,
    DocumentInfected,
    DocumentNotConfirmed,
    DocumentNotFound,
    HashMismatch,
    OsisDocumentError,
    PermissionDenied,
    PostProcessingNotFound,
    RequestIdConflict,
    ServerOverloaded,
    ServiceError,
    StorageFull,
    Unavailable,
)

from . import documents, jobs
from .media import MediaFolder, verified_sha256
from .outcomes import NotImported, Outcome, Tally
from .sending import send
from .tables import OldCopy, OldDocument, OldJob, OldRecord, OldTables

_Row = TypeVar("_Row")

DOCUMENTS, COPIES, JOBS = "documents", "modified copies", "post-processings"
#: The next item would fail as this one did.
_ENDS_THE_RUN = (AuthenticationError, PermissionDenied, StorageFull, ServerOverloaded, Unavailable, DeadlineExceeded)


class Stopped(Exception):
    """The run cannot go on; what it has done stays, and another run goes on from there."""


class Import:
    """Brings over what is not there yet.

    Args:
        client: the way to the service, with an admin's key.
        tables: what is read.
        media: where the files are.
        tell: called with each line for people.
        complain: called with each line about something that failed.
        explain: called with each line about something that is left out.
        limit: how many items to bring over at most. None: all.
        dry_run: look at everything, send nothing.
    """

    def __init__(
        self,
        client: Client,
        tables: OldTables,
        media: MediaFolder,
        *,
        tell: Callable[[str], None],
        complain: Callable[[str], None],
        explain: Callable[[str], None],
        limit: int | None = None,
        dry_run: bool = False,
    ) -> None:
        self._client = client
        self._tables = tables
        self._media = media
        self._tell = tell
        self._complain = complain
        self._explain = explain
        self._limit = limit
        self._dry_run = dry_run
        self.tally = Tally()

    def run(self) -> None:
        """Brings everything over; what became of it is in `tally`.

        Raises:
            Stopped: nobody answers, the key is refused, or there is no room.
            django.db.Error: the database cannot be read.
        """
        self._bring_all(DOCUMENTS, self._tables.documents(), self._bring_document, lambda row: row.id)
        self._bring_all(COPIES, self._tables.copies(), self._bring_copy, lambda row: row.document.id)
        self._bring_all(JOBS, self._tables.jobs(), self._bring_job)
        self._bring_all(JOBS, self._tables.lone_records(), self._bring_record)

    @property
    def limit_is_reached(self) -> bool:
        """True when no more is to be brought over."""
        return self._limit is not None and self.tally.imported >= self._limit

    def _bring_all(
        self,
        kind: str,
        pages: Iterable[Sequence[_Row]],
        bring: Callable[[_Row, Document | None], Outcome],
        document_id: Callable[[_Row], UUID] | None = None,
    ) -> None:
        for rows in pages:
            found = self._found([document_id(row) for row in rows]) if document_id else [None] * len(rows)
            for row, document in zip(rows, found, strict=True):
                if self.limit_is_reached:
                    return
                self.tally.add(kind, self._outcome(kind, row, document, bring))
            self._tell(self.tally.of(kind))

    def _outcome(
        self, kind: str, row: _Row, document: Document | None, bring: Callable[[_Row, Document | None], Outcome]
    ) -> Outcome:
        """Brings one item over, and says why when it does not."""
        try:
            return bring(row, document)
        except NotImported as exc:
            outcome, why = exc.outcome, str(exc)
        except _ENDS_THE_RUN as exc:
            raise Stopped(str(exc)) from exc
        except HashMismatch:
            outcome, why = Outcome.DAMAGED, "its file has changed while it was sent"
        except (OsisDocumentError, OSError) as exc:
            outcome, why = Outcome.REFUSED, str(exc)
        report = self._complain if outcome.is_failure else self._explain
        report(f"{_label(kind, row)}: {outcome.value}: {why}")
        return outcome

    def _found(self, ids: Sequence[UUID]) -> Iterator[Document | None]:
        """The service's documents with these ids, in order; None where there is none."""
        try:
            for result in self._client.get_documents(map(str, ids)):
                if isinstance(result, ServiceError) and not isinstance(result, DocumentNotFound):
                    raise result
                yield None if isinstance(result, ServiceError) else result
        except OsisDocumentError as exc:
            raise Stopped(str(exc)) from exc

    def _bring_document(self, row: OldDocument, found: Document | None) -> Outcome:
        declared = documents.declared_sha256(row.metadata, "hash")
        if found is not None and declared:
            documents.require_same_document(found, row, sha256=declared.lower())
            return Outcome.PRESENT
        if found is None:
            _require_lasting(row)
        return self._bring_file(
            row,
            expected_sha256=declared,
            require_same=partial(documents.require_same_document, found, row) if found is not None else None,
            spec=partial(documents.document_spec, row),
        )

    def _bring_copy(self, row: OldCopy, found: Document | None) -> Outcome:
        if found is None:
            _require_lasting(row.document)
        if found is None and not self._dry_run:
            raise NotImported(Outcome.REFUSED, "the document that it is of is not in the service")
        declared = documents.declared_sha256(row.document.metadata, "modified_hash")
        return self._bring_file(
            row,
            expected_sha256=declared,
            require_same=partial(documents.require_same_copy, found, row)
            if found is not None and found.HasField("modified")
            else None,
            spec=partial(documents.copy_spec, row),
        )

    def _bring_file(
        self,
        row: OldDocument | OldCopy,
        *,
        expected_sha256: str,
        require_same: Callable[..., None] | None,
        spec: Callable[[BinaryIO], UploadSpec],
    ) -> Outcome:
        """Brings a file over, once it is known to be what the tables say.

        Args:
            row: what names the file and its size.
            expected_sha256: what is declared of it, in hexadecimal; empty: nothing is.
            require_same: raises when what the service has is something else; None: it has nothing.
            spec: what the file is sent as.
        """
        with self._media.open(row.file) as file:
            sha256 = verified_sha256(file, expected_sha256=expected_sha256, expected_bytes=row.size_bytes)
            if require_same is not None:
                require_same(sha256=sha256)
                return Outcome.PRESENT
            sent_as = spec(file)
            if not self._dry_run:
                self.tally.sent_bytes += send(self._client, file, sent_as, sha256=sha256)
        return Outcome.IMPORTED

    def _bring_job(self, row: OldJob, _found: Document | None) -> Outcome:
        return self._record(jobs.job_request(row, self._tables.find_records(jobs.named_records(row))))

    def _bring_record(self, row: OldRecord, _found: Document | None) -> Outcome:
        return self._record(jobs.record_request(row))

    def _record(self, request: StartPostProcessingRequest) -> Outcome:
        """Records a post-processing, unless it is there."""
        calls = self._client.post_processings
        try:
            wanted = GetPostProcessingRequest(post_processing_id=request.imported.post_processing_id)
            found = calls.GetPostProcessing(wanted).post_processing
        except PostProcessingNotFound:
            found = None
        if found is not None:
            if list(found.input_document_ids) != list(request.document_ids):
                raise NotImported(Outcome.DIFFERENT, "the service has a post-processing with this id of other documents")
            return Outcome.PRESENT
        if self._dry_run:
            return Outcome.IMPORTED
        try:
            calls.StartPostProcessing(request)
        except RequestIdConflict as exc:
            raise NotImported(Outcome.DIFFERENT, str(exc)) from exc
        except (DocumentDeleted, DocumentInfected, DocumentNotConfirmed) as exc:  # it had not ended, and never will
            raise NotImported(Outcome.LEFT_OUT, str(exc)) from exc
        except DocumentNotFound as exc:
            outcome = Outcome.LEFT_OUT if self._names_what_is_gone(request) else Outcome.REFUSED
            raise NotImported(outcome, str(exc)) from exc
        return Outcome.IMPORTED

    def _names_what_is_gone(self, request: StartPostProcessingRequest) -> bool:
        """True when a document of a post-processing is gone from the tables, or was left out."""
        named = set(request.document_ids)
        for action in request.imported.actions:
            for record in action.records:
                named.update(record.input_document_ids, record.output_document_ids)
        known = self._tables.find_documents(named)
        now = timezone.now()
        return len(known) < len(named) or any(documents.is_over(document, now=now) for document in known.values())


def _require_lasting(document: OldDocument) -> None:
    """Raises `NotImported` for what the service would remove at once."""
    if documents.is_over(document, now=timezone.now()):
        raise NotImported(Outcome.LEFT_OUT, "it has expired, or was not confirmed in time, and would be removed at once")


def _label(kind: str, row: object) -> str:
    """How an item is told from the others, so that it is found in the tables."""
    match row:
        case OldDocument():
            return f"document {row.id} ({row.file})"
        case OldCopy():
            return f"modified copy of {row.document.id} ({row.file})"
        case OldJob() | OldRecord():
            return f"post-processing {row.id}"
        case _:
            return kind
