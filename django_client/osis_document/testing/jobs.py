"""Post-processing, in memory: outputs are small PDFs that name their inputs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Literal

from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.post_processing_pb2 import (
    Action,
    ActionStatus,
    PostProcessing,
    PostProcessingFailure,
    PostProcessingState,
    PostProcessingType,
)
from osis.document.v1.post_processing_service_pb2 import (
    CancelPostProcessingRequest,
    CancelPostProcessingResponse,
    GetPostProcessingRequest,
    GetPostProcessingResponse,
    ListPostProcessingsRequest,
    ListPostProcessingsResponse,
    StartPostProcessingRequest,
    StartPostProcessingResponse,
    WatchPostProcessingRequest,
    WatchPostProcessingResponse,
)
from osis_document_client import (
    ArgumentInvalid,
    DeadlineExceeded,
    DocumentNotConfirmed,
    MergeInputNotPdf,
    PostProcessingNotFound,
    RequestIdConflict,
    TypeNotConvertible,
)

from ..services import times
from . import rules
from .pdf import small_pdf
from .store import UPLOADED, Store, Stored, require_sound

#: What becomes of jobs when they are started.
Outcome = Literal["done", "pending", "failed"]

PENDING = PostProcessingState.POST_PROCESSING_STATE_PENDING
DONE = PostProcessingState.POST_PROCESSING_STATE_DONE
FAILED = PostProcessingState.POST_PROCESSING_STATE_FAILED
CANCELLED = PostProcessingState.POST_PROCESSING_STATE_CANCELLED
_TYPES = {
    "convert": PostProcessingType.POST_PROCESSING_TYPE_CONVERT,
    "merge": PostProcessingType.POST_PROCESSING_TYPE_MERGE,
}
_PAGE = 25
_MOST_ACTIONS = 10


class JobRpcs:
    """The rpcs of `PostProcessingService`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.outcome: Outcome = "done"

    def start_post_processing(self, request: StartPostProcessingRequest) -> StartPostProcessingResponse:
        """Starts a job, which ends as the test has said."""
        rules.require_batch(len(request.document_ids))
        kinds = [action.WhichOneof("action") or "" for action in request.actions]
        if not 1 <= len(kinds) <= _MOST_ACTIONS or "" in kinds or "merge" in kinds[:-1]:
            raise ArgumentInvalid("Send 1 to 10 actions; a merge must be the last.", metadata={"field": "actions"})
        repeated = self._repeated(request)
        if repeated is not None:
            return StartPostProcessingResponse(post_processing=repeated)
        for document_id in request.document_ids:
            self._require_input(document_id, kinds[0])
        job = self._begin(request)
        if request.request_id:
            self._store.requests[f"job {request.request_id}"] = job.id, request.SerializeToString(deterministic=True)
        if self.outcome == "done":
            self.finish(job)
        elif self.outcome == "failed":
            self.fail(job)
        return StartPostProcessingResponse(post_processing=job)

    def get_post_processing(self, request: GetPostProcessingRequest) -> GetPostProcessingResponse:
        """Tells how a job stands."""
        return GetPostProcessingResponse(post_processing=self.find(request.post_processing_id))

    def watch_post_processing(self, request: WatchPostProcessingRequest) -> Iterator[WatchPostProcessingResponse]:
        """Tells how a job stands; a watch of one that does not end is over at once, as if the deadline had passed."""
        return _watched(self.find(request.post_processing_id))

    def cancel_post_processing(self, request: CancelPostProcessingRequest) -> CancelPostProcessingResponse:
        """Cancels a job that has not ended."""
        job = self.find(request.post_processing_id)
        if job.state == PENDING:
            self._end(job, CANCELLED)
        return CancelPostProcessingResponse(post_processing=job)

    def list_post_processings(self, request: ListPostProcessingsRequest) -> ListPostProcessingsResponse:
        """Lists jobs, newest first."""
        jobs = list(reversed(self._store.jobs.values()))
        if request.page_token:
            if request.page_token not in self._store.jobs:
                raise ArgumentInvalid("The page token is none of this list's.", metadata={"field": "page_token"})
            jobs = jobs[[job.id for job in jobs].index(request.page_token) + 1 :]
        size = request.page_size or _PAGE
        matching = [job for job in jobs if _matches(job, request)]
        more = matching[size - 1].id if len(matching) > size else ""
        return ListPostProcessingsResponse(post_processings=matching[:size], next_page_token=more)

    def find(self, job_id: str) -> PostProcessing:
        """Finds a job."""
        job = self._store.jobs.get(job_id)
        if job is None:
            raise PostProcessingNotFound(f"There is no post-processing {job_id}.", metadata={"post_processing_id": job_id})
        return job

    def finish(self, job: PostProcessing) -> None:
        """Makes what a job is to make."""
        inputs = list(job.input_document_ids)
        for status in job.actions:
            outputs = []
            for place, record in enumerate(status.records):
                record.input_document_ids[:] = inputs if status.action.HasField("merge") else [inputs[place]]
                sources = [self._store.find(each) for each in record.input_document_ids]
                made = self._make(status.action, sources, name=_name(status, sources[0].document.name, place))
                record.output_document_ids[:] = [made.document.id]
                outputs.append(made.document.id)
            inputs = outputs
        self._end(job, DONE)

    def fail(self, job: PostProcessing, reason: str = "DOCUMENT_UNREADABLE", message: str = "The test has had it fail.") -> None:
        """Gives a job up."""
        at_fault = job.input_document_ids[0]
        failure = PostProcessingFailure(reason=ErrorReason.Value(f"ERROR_REASON_{reason}"), message=message, document_id=at_fault)
        job.failure.CopyFrom(failure)
        job.actions[0].failure.CopyFrom(failure)
        self._end(job, FAILED)

    def _repeated(self, request: StartPostProcessingRequest) -> PostProcessing | None:
        """The job that the same call has started before."""
        known = self._store.requests.get(f"job {request.request_id}") if request.request_id else None
        if not isinstance(known, tuple):
            return None
        if known[1] != request.SerializeToString(deterministic=True):
            metadata = {"request_id": request.request_id}
            raise RequestIdConflict("The request_id was used for another job.", metadata=metadata)
        return self.find(known[0])

    def _require_input(self, document_id: str, kind: str) -> None:
        found = self._store.find_open(document_id)
        mime_type = found.document.mime_type
        metadata = {"document_id": document_id, "mime_type": mime_type}
        if found.document.status != UPLOADED:
            raise DocumentNotConfirmed("The document is not confirmed yet.", metadata={"document_id": document_id})
        require_sound(found, modified=False)
        if kind == "merge" and mime_type != rules.PDF:
            raise MergeInputNotPdf(f"{found.document.name!r} is {mime_type}; only PDFs can be merged.", metadata=metadata)
        if kind == "convert" and mime_type != rules.PDF and mime_type not in rules.CONVERTIBLE:
            raise TypeNotConvertible(f"{found.document.name!r} is {mime_type}, which no converter takes.", metadata=metadata)

    def _begin(self, request: StartPostProcessingRequest) -> PostProcessing:
        now = times.timestamp(self._store.now())
        job = PostProcessing(id=str(uuid.uuid4()), state=PENDING, create_time=now, update_time=now, client="fake")
        job.input_document_ids.extend(request.document_ids)
        for action in request.actions:
            status = job.actions.add(action=action, state=PENDING)
            kind = _TYPES[action.WhichOneof("action") or ""]
            for _ in range(1 if action.HasField("merge") else len(request.document_ids)):
                status.records.add(id=str(uuid.uuid4()), type=kind, state=PENDING)
        for record, document_ids in zip(job.actions[0].records, _inputs_of(job), strict=True):
            record.input_document_ids.extend(document_ids)
        job.tasks_total = sum(len(status.records) for status in job.actions)
        self._store.jobs[job.id] = job
        return job

    def _make(self, action: Action, sources: Sequence[Stored], *, name: str) -> Stored:
        passes = action.HasField("convert") and sources[0].document.mime_type == rules.PDF
        content = sources[0].content if passes else small_pdf([source.document.name for source in sources])
        path = (PurePosixPath(sources[0].document.path).parent / name).as_posix()
        made = self._store.add(name, content, mime_type=rules.PDF, path=path)
        made.blob = sources[0].blob if passes else made.blob
        made.made_from = frozenset(source.document.id for source in sources)
        return made

    def _end(self, job: PostProcessing, state: PostProcessingState.ValueType) -> None:
        now = times.timestamp(self._store.now())
        job.state = state
        job.update_time.CopyFrom(now)
        job.end_time.CopyFrom(now)
        for number, status in enumerate(job.actions):
            # What is behind an action that failed never begins, and ends with the job.
            status.state = CANCELLED if state == FAILED and number else state
            for record in status.records:
                record.state = status.state
        job.tasks_done = job.tasks_total if state == DONE else 0


def _inputs_of(job: PostProcessing) -> list[list[str]]:
    ids = list(job.input_document_ids)
    return [ids] if job.actions[0].action.HasField("merge") else [[each] for each in ids]


def _name(status: ActionStatus, source_name: str, place: int) -> str:
    merges = status.action.HasField("merge")
    wanted = status.action.merge.output_filename if merges else status.action.convert.output_filename
    if not wanted:
        return "merged.pdf" if merges else f"{PurePosixPath(source_name).stem}.pdf"
    stem = wanted[:-4] if wanted.lower().endswith(".pdf") else wanted
    return f"{stem}-{place + 1}.pdf" if len(status.records) > 1 else f"{stem}.pdf"


def _watched(job: PostProcessing) -> Iterator[WatchPostProcessingResponse]:
    yield WatchPostProcessingResponse(post_processing=job)
    if job.state == PENDING:
        raise DeadlineExceeded(f"job {job.id} has not ended in time; it goes on, and can be watched again")


def _matches(job: PostProcessing, wanted: ListPostProcessingsRequest) -> bool:
    created = times.moment(job.create_time)
    types = {_TYPES[status.action.WhichOneof("action") or ""] for status in job.actions}
    return (
        (not wanted.states or job.state in wanted.states)
        and (not wanted.types or bool(types & set(wanted.types)))
        and (not wanted.document_id or wanted.document_id in job.input_document_ids)
        and (not wanted.HasField("created_from") or created >= times.moment(wanted.created_from))
        and (not wanted.HasField("created_before") or created < times.moment(wanted.created_before))
    )
