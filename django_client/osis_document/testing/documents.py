"""Documents, in memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from osis.document.v1.document_pb2 import Document, DocumentRef, ExpirationPolicy
from osis.document.v1.document_service_pb2 import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    ConfirmUpload,
    ConfirmUploadsRequest,
    ConfirmUploadsResponse,
    DeclareInfectedRequest,
    DeclareInfectedResponse,
    DeleteDocumentsRequest,
    DeleteDocumentsResponse,
    DocumentOrder,
    DuplicateDocument,
    DuplicateDocumentsRequest,
    DuplicateDocumentsResponse,
    FinalizeDocumentsRequest,
    FinalizeDocumentsResponse,
    GetDocumentRequest,
    GetDocumentResponse,
    GetDocumentResult,
    ListDocumentsRequest,
    ListDocumentsResponse,
    UndeleteDocumentsRequest,
    UndeleteDocumentsResponse,
    UpdateMetadataRequest,
    UpdateMetadataResponse,
)
from osis.document.v1.post_processing_pb2 import PostProcessingState
from osis_document import conf
from osis_document_client import (
    ArgumentInvalid,
    DocumentInfected,
    DocumentNotConfirmed,
    DocumentNotFound,
    ServiceError,
    TokenWrongPurpose,
    UploadIdTaken,
)

from ..services import times
from . import rules
from .changes import ChangeRpcs
from .signing import Claims
from .store import DELETED, INFECTED, REQUESTED, UPLOADED, Stored, item_error, require_sound, results, spent

_HOLD = timedelta(days=7)
_PAGE = 25


class DocumentRpcs(ChangeRpcs):
    """The rpcs of `DocumentService`."""

    def get_document(self, request: GetDocumentRequest) -> GetDocumentResponse:
        """Describes a document."""
        found, modified = self._described(request.document)
        return GetDocumentResponse(document=found.document, for_modified=modified)

    def batch_get_documents(self, request: BatchGetDocumentsRequest) -> BatchGetDocumentsResponse:
        """Describes documents."""
        rules.require_batch(len(request.documents))
        return BatchGetDocumentsResponse(results=[self._get_result(each) for each in request.documents])

    def list_documents(self, request: ListDocumentsRequest) -> ListDocumentsResponse:
        """Lists documents, a page at a time."""
        everything = [found.document for found in self._store.documents.values()]
        by_path = request.order == DocumentOrder.DOCUMENT_ORDER_PATH_ASC
        newest_first = request.order not in {DocumentOrder.DOCUMENT_ORDER_UPLOAD_TIME_ASC, DocumentOrder.DOCUMENT_ORDER_PATH_ASC}
        everything.sort(
            key=lambda each: (each.path if by_path else times.moment(each.upload_time), each.id), reverse=newest_first
        )
        if request.page_token:
            ids = [each.id for each in everything]
            if request.page_token not in ids:
                raise ArgumentInvalid("The page token is none of this list's.", metadata={"field": "page_token"})
            everything = everything[ids.index(request.page_token) + 1 :]
        size = request.page_size or _PAGE
        matching = [each for each in everything if _matches(each, request)]
        page = matching[:size]
        return ListDocumentsResponse(documents=page, next_page_token=page[-1].id if len(matching) > size else "")

    def update_metadata(self, request: UpdateMetadataRequest) -> UpdateMetadataResponse:
        """Changes a name and own keys."""
        claims = self._store.verify(request.token, "write", "upload")
        document = self._store.find_open(claims.document).document
        changed = Document()
        changed.CopyFrom(document)
        if request.HasField("name"):
            changed.name = rules.require_name(request.name)
            if rules.extension_of(changed.name) != rules.extension_of(document.name):
                rules.require_extension(changed.name)
                rules.require_agreement(changed.name, document.mime_type)
        for key, value in request.metadata.fields.items():
            changed.metadata.fields[key].CopyFrom(value)
        for key in request.remove_keys:
            changed.metadata.fields.pop(key, None)
        rules.require_metadata(changed.metadata)
        changed.update_time.CopyFrom(times.timestamp(self._store.now()))
        document.CopyFrom(changed)
        return UpdateMetadataResponse(document=document)

    def confirm_uploads(self, request: ConfirmUploadsRequest) -> ConfirmUploadsResponse:
        """Confirms uploads, all or none."""
        rules.require_batch(len(request.uploads))
        confirmed: dict[str, Document] = {}
        ids: list[str] = []
        for index, item in enumerate(request.uploads):
            document_id = ""
            try:
                claims = self._confirming(item)
                document_id = claims.document
                document = self._confirmed(item, claims, request, again=document_id in confirmed)
            except ServiceError as exc:
                exc.metadata |= {"index": str(index)} | ({"document_id": document_id} if document_id else {})
                raise
            ids.append(document_id)
            if document is not None:
                confirmed[document_id] = document
        for document_id, document in confirmed.items():
            self._store.documents[document_id].document = document
            self._store.documents[document_id].confirmed_by = request.request_id
        return ConfirmUploadsResponse(documents=[self._store.documents[each].document for each in ids])

    def _confirming(self, item: ConfirmUpload) -> Claims:
        if not item.token:
            raise ArgumentInvalid("The token is missing.", metadata={"field": "uploads.token"})
        return self._store.verify(item.token)

    def _confirmed(self, item: ConfirmUpload, claims: Claims, request: ConfirmUploadsRequest, *, again: bool) -> Document | None:
        """The document as it is once it is confirmed; None: it is already."""
        found = self._store.find_open(claims.document)
        if claims.purpose == "read":
            self._store.verify(item.token, "upload", "write")
        if found.document.status == UPLOADED or again:
            if claims.purpose == "write" or (request.request_id and found.confirmed_by == request.request_id):
                return None
            raise spent(found)
        if claims.purpose == "write":
            raise TokenWrongPurpose(
                "The document is not confirmed yet.", metadata={"purpose": claims.purpose, "needed": "upload"}
            )
        if claims.revision != found.document.revision:
            raise spent(found)
        document, now = Document(), self._store.now()
        document.CopyFrom(found.document)
        for key, value in item.metadata.fields.items():
            document.metadata.fields[key].CopyFrom(value)
        rules.require_metadata(document.metadata)
        document.path = rules.path_of(item.path, document.name)
        document.status = UPLOADED
        document.expiration_policy = item.expiration_policy or ExpirationPolicy.EXPIRATION_POLICY_NONE
        if item.expiration_policy == ExpirationPolicy.EXPIRATION_POLICY_EXPORT:
            document.expire_time.CopyFrom(times.timestamp(now + timedelta(seconds=conf.export_expiration_policy_age())))
        if request.HasField("hold"):
            lasts = request.hold.duration.ToTimedelta() if request.hold.HasField("duration") else _HOLD
            document.hold_expire_time.CopyFrom(times.timestamp(now + lasts))
        document.update_time.CopyFrom(times.timestamp(now))
        return document

    def finalize_documents(self, request: FinalizeDocumentsRequest) -> FinalizeDocumentsResponse:
        """Ends holds."""
        rules.require_batch(len(request.document_ids))

        def finalize(document_id: str) -> Stored:
            found = self._store.find_open(document_id)
            found.document.ClearField("hold_expire_time")
            return found

        return FinalizeDocumentsResponse(results=results(request.document_ids, finalize))

    def duplicate_documents(self, request: DuplicateDocumentsRequest) -> DuplicateDocumentsResponse:
        """Makes documents of the same content."""
        rules.require_batch(len(request.documents))
        wanted = {f"{place}": item for place, item in enumerate(request.documents)}
        made = results(wanted, lambda place: self._duplicate(wanted[place], with_modified=request.with_modified))
        return DuplicateDocumentsResponse(results=made)

    def _duplicate(self, item: DuplicateDocument, *, with_modified: bool) -> Stored:
        source = self._store.find_open(item.document_id)
        if source.document.status != UPLOADED:
            raise DocumentNotConfirmed("The document is not confirmed yet.", metadata={"document_id": item.document_id})
        new_id = item.new_document_id or str(uuid.uuid4())
        existing = self._store.documents.get(new_id)
        if existing is not None and existing.blob == source.blob and existing is not source:
            return existing
        if existing is not None or new_id in self._store.uploads:
            raise UploadIdTaken(f"The id {new_id} is another document's.", metadata={"upload_id": new_id})
        require_sound(source, modified=False)
        path = rules.path_of(item.path, source.document.name) if item.path else source.document.path
        name, mime_type = source.document.name, source.document.mime_type
        made = self._store.add(name, source.content, mime_type=mime_type, document_id=new_id, path=path)
        made.blob = source.blob
        made.document.metadata.CopyFrom(source.document.metadata)
        if with_modified and source.modified is not None:
            made.modified = source.modified
            made.document.modified.CopyFrom(source.document.modified)
        return made

    def delete_documents(self, request: DeleteDocumentsRequest) -> DeleteDocumentsResponse:
        """Deletes documents, and what was made of them."""
        rules.require_batch(len(request.document_ids))

        def delete(document_id: str) -> Stored:
            named = self._living(document_id)
            for each in self._with_what_was_made_of({document_id}):
                if each.document.status in {REQUESTED, UPLOADED}:
                    each.deleted_from, each.document.status = each.document.status, DELETED
                    self._cancel_jobs_over(each.document.id)
            return named

        return DeleteDocumentsResponse(results=results(request.document_ids, delete))

    def undelete_documents(self, request: UndeleteDocumentsRequest) -> UndeleteDocumentsResponse:
        """Takes deletions back."""
        rules.require_batch(len(request.document_ids))

        def undelete(document_id: str) -> Stored:
            named = self._living(document_id)
            for each in self._with_what_was_made_of({document_id}):
                if each.document.status == DELETED:
                    each.document.status = each.deleted_from
            return named

        return UndeleteDocumentsResponse(results=results(request.document_ids, undelete))

    def declare_infected(self, request: DeclareInfectedRequest) -> DeclareInfectedResponse:
        """Condemns documents, those that share their bytes, and what was made of them."""
        documents = self._store.documents
        by_path = request.WhichOneof("target") == "path"
        named = (
            {key for key, each in documents.items() if each.document.path == request.path} if by_path else {request.document_id}
        )
        if not named & documents.keys():
            target = {"path": request.path} if by_path else {"document_id": request.document_id}
            raise DocumentNotFound("There is no such document.", metadata=target)
        found: set[str] = set()
        reached = set(named)
        while reached != found:
            found = set(reached)
            blobs = {documents[each].blob for each in found}
            reached |= {key for key, each in documents.items() if each.blob in blobs}
            reached |= {each.document.id for each in self._with_what_was_made_of(reached)}
        for each in found:
            documents[each].document.status = INFECTED
            self._cancel_jobs_over(each)
        return DeclareInfectedResponse(
            documents=[documents[each].document for each in sorted(found, key=lambda i: i not in named)]
        )

    def _described(self, reference: DocumentRef) -> tuple[Stored, bool]:
        if reference.WhichOneof("ref") != "token":
            return self._store.find(reference.document_id), False
        claims = self._store.verify(reference.token)
        return self._store.find_readable(claims), claims.modified

    def _get_result(self, reference: DocumentRef) -> GetDocumentResult:
        try:
            found, modified = self._described(reference)
        except ServiceError as exc:
            return GetDocumentResult(error=item_error(exc))
        return GetDocumentResult(document=found.document, for_modified=modified)

    def _living(self, document_id: str) -> Stored:
        """A document that may be deleted, but not infected."""
        found = self._store.find(document_id)
        if found.document.status == INFECTED:
            raise DocumentInfected("The document was declared infected.", metadata={"document_id": document_id})
        return found

    def _with_what_was_made_of(self, document_ids: set[str]) -> Iterator[Stored]:
        """These documents, and what jobs made of them, and of that: what is made comes later."""
        reached = set(document_ids)
        for document_id, each in self._store.documents.items():
            if document_id in reached or each.made_from & reached:
                reached.add(document_id)
                yield each

    def _cancel_jobs_over(self, document_id: str) -> None:
        for job in self._store.jobs.values():
            unfinished = job.state == PostProcessingState.POST_PROCESSING_STATE_PENDING
            if unfinished and document_id in job.input_document_ids:
                job.state = PostProcessingState.POST_PROCESSING_STATE_CANCELLED


def _matches(document: Document, wanted: ListDocumentsRequest) -> bool:
    uploaded: datetime = times.moment(document.upload_time)
    return (
        (not wanted.statuses or document.status in wanted.statuses)
        and (not wanted.mime_types or document.mime_type in wanted.mime_types)
        and wanted.name_contains.casefold() in document.name.casefold()
        and document.path.startswith(wanted.path_prefix)
        and (not wanted.HasField("uploaded_from") or uploaded >= times.moment(wanted.uploaded_from))
        and (not wanted.HasField("uploaded_before") or uploaded < times.moment(wanted.uploaded_before))
        and (not wanted.HasField("held") or document.HasField("hold_expire_time") == wanted.held)
        and (not wanted.HasField("corrupt") or document.corrupt == wanted.corrupt)
    )
