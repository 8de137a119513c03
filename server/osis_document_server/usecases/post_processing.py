"""Starting jobs and telling how they stand."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from peewee import IntegrityError

from osis_document_server.domain import content
from osis_document_server.domain.access import Caller
from osis_document_server.domain.documents import Document, Status
from osis_document_server.domain.jobs import Action, Job, State, TaskType, check_actions
from osis_document_server.domain.names import check_name
from osis_document_server.errors import (
    DocumentNotConfirmed,
    MergeInputNotPdf,
    PostProcessingNotFound,
    RequestIdConflict,
    TypeNotConvertible,
)
from osis_document_server.models import rows
from osis_document_server.models.bulk import in_chunks, insert_all
from osis_document_server.models.database import reading, unit_of_work
from osis_document_server.models.tables import DocumentRow, JobInputRow, JobRow, TaskInputRow, TaskOutputRow, TaskRow
from osis_document_server.usecases import access, outputs, progress
from osis_document_server.usecases.dispatch import Dispatcher
from osis_document_server.usecases.limits import require_batch
from osis_document_server.usecases.service import Service


class PostProcessings:
    """Starts jobs.

    Args:
        service: what all use cases work with.
        dispatcher: sends the tasks.
        convertible: the types that the workers have converters for.
    """

    def __init__(self, service: Service, dispatcher: Dispatcher, *, convertible: frozenset[str] = content.CONVERTIBLE) -> None:
        self._service = service
        self._dispatcher = dispatcher
        self._convertible = convertible

    def start(
        self,
        caller: Caller,
        document_ids: Sequence[UUID],
        actions: Sequence[Action],
        *,
        request_id: str = "",
        job_id: UUID | None = None,
    ) -> Job:
        """Starts a job over documents, in order, and returns it at once; ``job_id`` is one that no job has, by default a new one.

        Raises:
            ArgumentInvalid, BatchTooLarge, NameInvalid: the request makes no sense.
            DocumentNotFound, DocumentNotConfirmed, DocumentDeleted, DocumentInfected, DocumentCorrupt: an input is not to be had.
            TypeNotConvertible, MergeInputNotPdf: an input is not of a kind that the first action takes, or is a PDF that is to
                become PDF/A.
            RequestIdConflict: the request id was used for another job.
        """
        require_batch(len(document_ids), field="document_ids")
        check_actions(list(actions))
        for action in actions:
            if action.output_filename:
                check_name(action.output_filename, field="actions.output_filename")
        if request_id and (repeated := self._repeated(caller, document_ids, actions, request_id)):
            return repeated
        job_id = job_id or uuid4()
        try:
            with unit_of_work(self._service.database):
                documents = rows.find_documents(self._service.database, document_ids, lock=True)
                for document_id in document_ids:
                    _require_input(document_id, documents.get(document_id), actions[0], convertible=self._convertible)
                self._create(job_id, caller, [documents[document_id] for document_id in document_ids], actions, request_id)
        except IntegrityError:
            if request_id and (repeated := self._repeated(caller, document_ids, actions, request_id)):
                return repeated
            raise
        self._dispatcher.send_waiting()
        return self.find(job_id)

    def find(self, job_id: UUID) -> Job:
        """Returns a job.

        Raises:
            PostProcessingNotFound: there is none with this id.
        """
        with reading(self._service.database):
            job = rows.find_job(job_id)
        if job is None:
            raise PostProcessingNotFound(f"There is no post-processing {job_id}.", post_processing_id=job_id)
        return job

    def cancel(self, job_id: UUID) -> Job:
        """Ends a job: nothing more is begun, and workers stop what they are at. One that has ended stays as it is.

        Raises:
            PostProcessingNotFound: there is none with this id.
        """
        with unit_of_work(self._service.database):
            job = JobRow.get_or_none(JobRow.id == job_id)
            if job is not None:
                progress.cancel(progress.lock_job(self._service.database, job_id), now=self._service.now())
        return self.find(job_id)

    def _repeated(self, caller: Caller, document_ids: Sequence[UUID], actions: Sequence[Action], request_id: str) -> Job | None:
        with reading(self._service.database):
            row = JobRow.get_or_none(JobRow.client == caller.name, JobRow.request_id == request_id)
            job = rows.find_job(row.id) if row else None
        if job is not None and (job.input_ids != tuple(document_ids) or job.actions != tuple(actions)):
            raise RequestIdConflict(
                f"The request_id {request_id!r} was used for another job. Choose a new one for each job.",
                field="request_id",
                request_id=request_id,
            )
        return job

    def _create(
        self, job_id: UUID, caller: Caller, documents: list[Document], actions: Sequence[Action], request_id: str
    ) -> None:
        now = self._service.now()
        job = JobRow.create(
            id=job_id,
            state=State.PENDING,
            client=caller.name,
            request_id=request_id or None,
            actions=[action.to_json() for action in actions],
            created_at=now,
            updated_at=now,
        )
        insert_all(
            JobInputRow,
            ({"job": job_id, "position": position, "document": document.id} for position, document in enumerate(documents)),
        )
        made = _made_already(documents, actions[0])  # before there are tasks that read them
        insert_all(TaskRow, _new_tasks(job_id, actions, documents=len(documents), now=now))
        first = list(TaskRow.select().where(TaskRow.job == job_id, TaskRow.action_index == 0).order_by(TaskRow.position))
        insert_all(TaskInputRow, _inputs_of(first, documents))
        if made:
            _finish_at_once(first, documents, actions[0], made, client=caller.name, now=now)
            progress.advance(job, now=now)


def _made_already(documents: list[Document], action: Action) -> dict[int, str]:
    """Returns the keys of the PDFs that need not be made any more, by the positions of the documents that they are made of."""
    if action.type is not TaskType.CONVERT:
        return {}
    converted = _converted({document.blob.key for document in documents})
    made: dict[tuple[str, str], str | None] = {}
    for document in documents:
        source = document.blob.key, document.mime_type
        if source not in made:
            is_there = document.mime_type == content.PDF or document.blob.key in converted
            made[source] = outputs.made_already(document, action) if is_there else None
    keys = {position: made[document.blob.key, document.mime_type] for position, document in enumerate(documents)}
    return {position: key for position, key in keys.items() if key is not None}


def _converted(blob_keys: set[str]) -> set[str]:
    """Returns those of these blobs that were converted before: mostly none, and then nobody need look how each of them was."""
    found: set[str] = set()
    for chunk in in_chunks(blob_keys):
        done = (
            TaskInputRow.select(TaskInputRow.blob_key)
            .join(TaskRow)
            .where(TaskInputRow.blob_key.in_(chunk), TaskRow.type == TaskType.CONVERT, TaskRow.state == State.DONE)
            .distinct()
        )
        found |= {row.blob_key for row in done}
    return found


def _finish_at_once(
    tasks: list[TaskRow], documents: list[Document], action: Action, made: dict[int, str], *, client: str, now: datetime
) -> None:
    """Finishes conversions without a worker: the outputs are documents of their own that share bytes that are there already."""
    ids = {position: uuid4() for position in made}
    names = {
        position: outputs.name_of(action, source_name=documents[position].name, position=position, count=len(documents))
        for position in made
    }
    insert_all(
        DocumentRow,
        (
            {
                "id": ids[position],
                "name": names[position],
                "folded_name": names[position].casefold(),
                "mime_type": content.PDF,
                "blob": key,
                "status": Status.UPLOADED,
                "path": outputs.path_of(names[position], source_path=documents[position].path),
                "client": client,
                "uploaded_at": now,
                "updated_at": now,
            }
            for position, key in made.items()
        ),
    )
    insert_all(
        TaskOutputRow, ({"task": tasks[position].id, "position": 0, "document": output_id} for position, output_id in ids.items())
    )
    for chunk in in_chunks(tasks[position].id for position in made):
        TaskRow.update(state=State.DONE, updated_at=now).where(TaskRow.id.in_(chunk)).execute()


def _new_tasks(job_id: UUID, actions: Sequence[Action], *, documents: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Yields the rows of a job's tasks: one of each document for a conversion, one of all for a merge."""
    for index, action in enumerate(actions):
        for position in range(1 if action.type is TaskType.MERGE else documents):
            yield {
                "id": uuid4(),
                "job": job_id,
                "action_index": index,
                "position": position,
                "type": action.type,
                "state": State.PENDING,
                "ready": index == 0,
                "updated_at": now,
            }


def _inputs_of(tasks: list[TaskRow], documents: list[Document]) -> Iterator[dict[str, Any]]:
    """Yields the rows of what the tasks of the first action read: all documents of the one, or one of each."""
    shared = len(tasks) == 1
    for position, document in enumerate(documents):
        yield {
            "task": tasks[0 if shared else position].id,
            "position": position if shared else 0,
            "document": document.id,
            "blob_key": document.blob.key,
            "display_name": document.name,
        }


def _require_input(document_id: UUID, document: Document | None, action: Action, *, convertible: frozenset[str]) -> None:
    document = access.require_open(document, document_id)
    if document.status is not Status.UPLOADED:
        raise DocumentNotConfirmed(
            f"Document {document_id} is not confirmed yet. Confirm its upload first.", document_id=document_id
        )
    access.require_sound(document, modified=False)
    is_pdf = document.mime_type == content.PDF
    if action.type is TaskType.MERGE and not is_pdf:
        raise MergeInputNotPdf(
            f"Document {document_id} ({document.name!r}) is {document.mime_type}; only PDFs can be merged. Convert first.",
            document_id=document_id,
            mime_type=document.mime_type,
        )
    if action.type is TaskType.CONVERT and not is_pdf and document.mime_type not in convertible:
        more = "".join(f", {mime_type}" for mime_type in sorted(convertible - content.CONVERTIBLE))
        raise TypeNotConvertible(
            f"Document {document_id} ({document.name!r}) is {document.mime_type}, which no converter takes. "
            f"These can be converted: docx, doc, odt, txt, jpg, png{more}.",
            document_id=document_id,
            mime_type=document.mime_type,
        )
    if action.type is TaskType.CONVERT and is_pdf and action.pdf_profile:
        raise TypeNotConvertible(
            f"Document {document_id} ({document.name!r}) is a PDF already, and no converter makes PDF/A of a PDF. Convert the "
            "document that it was made from, or leave pdf_profile out.",
            document_id=document_id,
            mime_type=document.mime_type,
        )
