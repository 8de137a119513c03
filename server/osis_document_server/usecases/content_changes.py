"""Giving a document other content: rotated images, edited PDFs. A worker makes it, in a job of one task that its caller awaits.

Stored bytes never change: the result is a new blob, and the document refers to that one as soon as it is there.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from peewee import IntegrityError

from osis_document_server.domain import content
from osis_document_server.domain.documents import Document, Status
from osis_document_server.domain.jobs import ContentChange, Failure, Job, State, TaskType, quarter_turns, step_from_json
from osis_document_server.domain.tokens import Claims, Purpose, SignedToken
from osis_document_server.errors import (
    ArgumentInvalid,
    NotAnImage,
    NotAPdf,
    ProcessingTimedOut,
    RequestIdConflict,
    ServiceError,
    TokenSpent,
    error_for,
)
from osis_document_server.models import rows
from osis_document_server.models.database import reading, unit_of_work
from osis_document_server.models.tables import DocumentRow, JobInputRow, JobRow, TaskInputRow, TaskRow
from osis_document_server.usecases import access, outputs, progress, removal
from osis_document_server.usecases.dispatch import Dispatcher
from osis_document_server.usecases.service import Service
from osis_document_server.usecases.watching import Watch, Watching

#: Longest time in seconds that a call waits for its worker; one that comes again goes on waiting.
_WAIT_LIMIT_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A document with its new content."""

    document: Document
    #: Good for the new revision.
    token: SignedToken


@dataclass(frozen=True, kw_only=True)
class PendingChange:
    """A change that a worker is making. ``close`` ends the wait from any thread; the job goes on."""

    watch: Watch | None
    outcome: Callable[[Job | None], Changed]

    def close(self) -> None:
        """Ends ``wait``."""
        if self.watch is not None:
            self.watch.close()

    def wait(self) -> Changed:
        """Returns the document once the change is made.

        Raises:
            ProcessingTimedOut: it has not been made yet; the same request id fetches it later.
            TokenSpent: somebody else has changed the document meanwhile.
            ServiceError: the worker's reason for not making it.
        """
        if self.watch is None:
            return self.outcome(None)
        ends_at = time.monotonic() + _WAIT_LIMIT_SECONDS
        for job in self.watch:
            if job is not None and job.state.is_terminal:
                return self.outcome(job)
            if time.monotonic() > ends_at:
                break
        raise ProcessingTimedOut(
            "The change is not made yet. Call again with the same request_id to fetch its outcome.",
            limit_seconds=f"{_WAIT_LIMIT_SECONDS:g}",
        )


class ContentChanges:
    """Starts changes of content."""

    def __init__(self, service: Service, dispatcher: Dispatcher, watching: Watching) -> None:
        self._service = service
        self._dispatcher = dispatcher
        self._watching = watching

    def rotate(self, token: str, degrees: int, *, request_id: str = "") -> PendingChange:
        """Has an image rotated clockwise. A full turn changes nothing and spends nothing.

        Raises:
            TokenInvalid, TokenExpired, TokenSpent, TokenWrongPurpose: the token does not allow it.
            DocumentNotFound, DocumentDeleted, DocumentInfected, DocumentCorrupt: the document is not to be had.
            NotAnImage: it is neither a JPEG nor a PNG.
            ArgumentInvalid: the angle is no multiple of 90.
            RequestIdConflict: the request id was used for another change of the document.
        """
        claims = self._verify(token)
        turned = quarter_turns(degrees, field="degrees")
        change = ContentChange(type=TaskType.ROTATE, revision=claims.revision, modified=claims.modified, degrees=turned)
        if not turned:
            return PendingChange(watch=None, outcome=lambda _: self._unchanged(claims))
        return self._start(claims, change, edited=None, request_id=request_id)

    def save_edit(
        self, token: str, edited_upload_token: str, rotations: Mapping[int, int], *, request_id: str = ""
    ) -> PendingChange:
        """Has an uploaded PDF, or the stored one, put in place of a PDF, its pages rotated clockwise by number from 0.

        Raises:
            those of ``rotate``, with NotAPdf for NotAnImage.
        """
        claims = self._verify(token)
        turned = {page: quarter_turns(degrees, field=f"rotations[{page}]") for page, degrees in sorted(rotations.items())}
        if any(page < 0 for page in turned):
            raise ArgumentInvalid(f"rotations names page {min(turned)}; pages are counted from 0.", field="rotations")
        edited = access.verify(self._service, edited_upload_token) if edited_upload_token else None
        change = ContentChange(
            type=TaskType.EDIT,
            revision=claims.revision,
            modified=claims.modified,
            rotations={page: degrees for page, degrees in turned.items() if degrees},
            edited=edited.document_id if edited else None,
        )
        if edited is None and not change.rotations:
            raise ArgumentInvalid(
                "There is nothing to change: send edited_upload_token, or rotations.", field="edited_upload_token"
            )
        if edited is not None:
            edited.require(Purpose.UPLOAD)
        if edited is not None and edited.document_id == claims.document_id:
            raise ArgumentInvalid(
                "edited_upload_token is of the document itself. Upload the edited file first.", field="edited_upload_token"
            )
        return self._start(claims, change, edited=edited, request_id=request_id)

    def _verify(self, token: str) -> Claims:
        claims = access.verify(self._service, token)
        claims.require(Purpose.WRITE, Purpose.UPLOAD)
        return claims

    def _start(self, claims: Claims, change: ContentChange, *, edited: Claims | None, request_id: str) -> PendingChange:
        # The id says which call it is, so that a repeated one finds the job of the first.
        job_id = uuid5(claims.document_id, f"{change.type}:{request_id}") if request_id else uuid4()
        try:
            self._create(job_id, claims, change, edited, request_id=request_id)
        except IntegrityError:  # the same call came twice at once
            self._create(job_id, claims, change, edited, request_id=request_id)
        self._dispatcher.send_waiting()
        return PendingChange(watch=self._watching.watch(job_id), outcome=lambda job: self._outcome(claims, job))

    def _create(self, job_id: UUID, claims: Claims, change: ContentChange, edited: Claims | None, *, request_id: str) -> None:
        now = self._service.now()
        ids = [claims.document_id, *([edited.document_id] if edited else [])]
        with unit_of_work(self._service.database):
            job = JobRow.get_or_none(JobRow.id == job_id)
            if job is not None:
                if step_from_json(job.actions[0]) != change:
                    raise RequestIdConflict(
                        f"The request_id {request_id!r} was used for another change of this document. Choose a new one for each.",
                        field="request_id",
                        request_id=request_id,
                    )
                return
            found = rows.find_documents(self._service.database, ids, lock=True)
            document = access.require_open(found.get(claims.document_id), claims.document_id)
            access.require_unspent(document, claims)
            source, mime_type = document, document.mime_type
            modified = change.modified and edited is None and document.modified is not None
            if edited is not None:
                _require_type(document, document.mime_type, change.type)
                source = access.require_open(found.get(edited.document_id), edited.document_id)
                access.require_unspent(source, edited)
                mime_type = source.mime_type
            elif modified and document.modified is not None:
                mime_type = document.modified.mime_type
            access.require_sound(source, modified=modified)
            _require_type(source, mime_type, change.type)
            blob = source.modified.blob if modified and source.modified else source.blob
            _record_job(job_id, document, source, change, blob_key=blob.key, now=now)

    def _outcome(self, claims: Claims, job: Job | None) -> Changed:
        if job is not None and job.state is State.CANCELLED:
            self._require_open(claims.document_id, *_edited(job))  # one was deleted or infected meanwhile: that is the reason
            raise TokenSpent("The change was cancelled. Ask for a new token and try again.", document_id=claims.document_id)
        if job is not None and job.failure is not None:
            raise error_for(job.failure.reason, job.failure.message, document_id=job.failure.document_id or claims.document_id)
        document = access.readable_document(self._service, claims)
        token = self._service.signer.sign(
            document.id,
            purpose=claims.purpose,
            revision=claims.revision + 1,
            ttl=claims.expires_at - claims.issued_at,
            now=self._service.now(),
            modified=claims.modified,
        )
        return Changed(document=document, token=token)

    def _require_open(self, *document_ids: UUID) -> None:
        with reading(self._service.database):
            found = rows.find_documents(self._service.database, document_ids)
        for document_id in document_ids:
            access.require_open(found.get(document_id), document_id)

    def _unchanged(self, claims: Claims) -> Changed:
        document = access.readable_document(self._service, claims)
        access.require_unspent(document, claims)
        _require_type(document, document.mime_type, TaskType.ROTATE)
        token = self._service.signer.sign(
            document.id,
            purpose=claims.purpose,
            revision=claims.revision,
            ttl=claims.expires_at - claims.issued_at,
            now=self._service.now(),
            modified=claims.modified,
        )
        return Changed(document=document, token=token)


def apply(service: Service, task: TaskRow, job: JobRow, change: ContentChange, output: DocumentRow, *, now: datetime) -> None:
    """Gives a job's document the bytes of its task's output, unless it has changed since. In a unit of work, the job locked."""
    target_id = JobInputRow.get(JobInputRow.job == job.id).document_id
    ids = [target_id, *([change.edited] if change.edited else [])]
    try:
        found = rows.find_documents(service.database, ids, lock=True)
        for document_id in ids:  # of two edits that save one upload, the first has consumed it
            access.require_open(found.get(document_id), document_id)
        document = found[target_id]
        if document.revision != change.revision:
            raise access.spent(target_id)
    except ServiceError as exc:
        at_fault = exc.metadata.get("document_id", str(target_id))
        failure = Failure(reason=exc.reason, message=exc.message, retryable=False, document_id=at_fault)
        progress.fail(job, failure, now=now, task=task)
        return
    values: dict[str, object] = {"blob": output.blob_key, "mime_type": output.mime_type}
    replaced = document.blob.key
    if change.modified:
        values = {
            "modified_blob": output.blob_key,
            "modified_mime_type": output.mime_type,
            "modified_created_at": document.modified.created_at if document.modified else now,
            "modified_updated_at": now,
        }
        replaced = document.modified.blob.key if document.modified else ""
    DocumentRow.update(**values, revision=change.revision + 1, updated_at=now).where(DocumentRow.id == target_id).execute()
    outputs.finish(task, target_id, now=now)
    DocumentRow.delete().where(DocumentRow.id.in_([output.id, *ids[1:]]), DocumentRow.status == Status.REQUESTED).execute()
    removal.release(service.database, [replaced, *(found[consumed].blob.key for consumed in ids[1:])], now=now)
    progress.advance(job, now=now)


def _edited(job: Job) -> tuple[UUID, ...]:
    """The upload that a job saves, if it saves one."""
    return tuple(action.edited for action in job.actions if isinstance(action, ContentChange) and action.edited)


def _record_job(
    job_id: UUID, document: Document, source: Document, change: ContentChange, *, blob_key: str, now: datetime
) -> None:
    JobRow.create(
        id=job_id, state=State.PENDING, client=document.client, actions=[change.to_json()], created_at=now, updated_at=now
    )
    JobInputRow.create(job=job_id, position=0, document=document.id)
    task = TaskRow.create(
        id=uuid4(),
        job=job_id,
        action_index=0,
        position=0,
        type=change.type,
        state=State.PENDING,
        ready=True,
        updated_at=now,
    )
    TaskInputRow.create(task=task.id, position=0, document=source.id, blob_key=blob_key, display_name=document.name)


def _require_type(document: Document, mime_type: str, task_type: TaskType) -> None:
    if task_type is TaskType.ROTATE and mime_type not in content.IMAGES:
        raise NotAnImage(
            f"Document {document.id} ({document.name!r}) is {mime_type}; only JPEG and PNG images can be rotated.",
            document_id=document.id,
            mime_type=mime_type,
        )
    if task_type is TaskType.EDIT and mime_type != content.PDF:
        raise NotAPdf(
            f"Document {document.id} ({document.name!r}) is {mime_type}; only PDFs can be edited.",
            document_id=document.id,
            mime_type=mime_type,
        )
