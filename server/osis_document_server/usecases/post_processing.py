"""Starting jobs and telling how they stand."""

from collections.abc import Sequence
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
    NotImplementedYet,
    PostProcessingNotFound,
    RequestIdConflict,
    TypeNotConvertible,
)
from osis_document_server.models import rows
from osis_document_server.models.database import reading, unit_of_work
from osis_document_server.models.tables import JobInputRow, JobRow, TaskInputRow, TaskRow
from osis_document_server.usecases import access, outputs, progress
from osis_document_server.usecases.dispatch import Dispatcher
from osis_document_server.usecases.limits import require_batch
from osis_document_server.usecases.service import Service


class PostProcessings:
    """Starts jobs."""

    def __init__(self, service: Service, dispatcher: Dispatcher) -> None:
        self._service = service
        self._dispatcher = dispatcher

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
            TypeNotConvertible, MergeInputNotPdf: an input is not of a kind that the first action takes.
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
                    _require_input(document_id, documents.get(document_id), actions[0])
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
        JobInputRow.insert_many(
            [{"job": job_id, "position": position, "document": document.id} for position, document in enumerate(documents)]
        ).execute()
        for index, action in enumerate(actions):
            count = 1 if action.type is TaskType.MERGE else len(documents)
            TaskRow.insert_many(
                [
                    {
                        "id": uuid4(),
                        "job": job_id,
                        "action_index": index,
                        "position": position,
                        "type": action.type,
                        "state": State.PENDING,
                        "ready": index == 0,
                        "updated_at": now,
                    }
                    for position in range(count)
                ]
            ).execute()
        first = list(TaskRow.select().where(TaskRow.job == job_id, TaskRow.action_index == 0).order_by(TaskRow.position))
        passed = 0
        for position, document in enumerate(documents):
            shared = len(first) == 1
            task = first[0 if shared else position]
            TaskInputRow.create(
                task=task.id,
                position=position if shared else 0,
                document=document.id,
                blob_key=document.blob.key,
                display_name=document.name,
            )
            if actions[0].type is TaskType.CONVERT:
                # A PDF is what it is to become; what was converted before in the same way need not be converted again.
                is_pdf = document.mime_type == content.PDF
                blob_key = document.blob.key if is_pdf else outputs.converted_before(document, actions[0])
                if blob_key is not None:
                    outputs.make_at_once(
                        task, document, actions[0], blob_key=blob_key, count=len(documents), client=caller.name, now=now
                    )
                    passed += 1
        if passed:
            progress.advance(job, now=now)


def _require_input(document_id: UUID, document: Document | None, action: Action) -> None:
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
    if action.type is TaskType.CONVERT and not is_pdf and document.mime_type not in content.CONVERTIBLE:
        raise TypeNotConvertible(
            f"Document {document_id} ({document.name!r}) is {document.mime_type}, which no converter takes. "
            "docx, doc, odt, txt, jpg and png can be converted.",
            document_id=document_id,
            mime_type=document.mime_type,
        )
    if action.type is TaskType.CONVERT and is_pdf and (action.page_range or action.pdf_profile or action.title):
        raise NotImplementedYet(
            f"Document {document_id} is a PDF already; page_range, pdf_profile and title are not applied to PDFs yet.",
            document_id=document_id,
        )
