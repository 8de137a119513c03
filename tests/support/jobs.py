"""Starting and following jobs by the raw stubs."""

from collections.abc import Iterable, Iterator

from osis.document.v1.post_processing_pb2 import Action, ConvertAction, MergeAction, PostProcessing, PostProcessingState
from osis.document.v1.post_processing_service_pb2 import (
    GetPostProcessingRequest,
    StartPostProcessingRequest,
    WatchPostProcessingRequest,
)
from tests.support.stubs import Stubs

PENDING = PostProcessingState.POST_PROCESSING_STATE_PENDING
RUNNING = PostProcessingState.POST_PROCESSING_STATE_RUNNING
DONE = PostProcessingState.POST_PROCESSING_STATE_DONE
FAILED = PostProcessingState.POST_PROCESSING_STATE_FAILED

CONVERT = Action(convert=ConvertAction())
MERGE = Action(merge=MergeAction())


def start(stubs: Stubs, document_ids: Iterable[str], *actions: Action, request_id: str = "") -> PostProcessing:
    """Starts a job."""
    request = StartPostProcessingRequest(document_ids=document_ids, actions=actions, request_id=request_id)
    job: PostProcessing = stubs.post_processings.StartPostProcessing(request).post_processing
    return job


def job_of(stubs: Stubs, job_id: str) -> PostProcessing:
    """The job as it stands."""
    job: PostProcessing = stubs.post_processings.GetPostProcessing(
        GetPostProcessingRequest(post_processing_id=job_id)
    ).post_processing
    return job


def watch(stubs: Stubs, job_id: str, *, seconds: float = 60) -> Iterator[PostProcessing]:
    """The job as it stands, then each change, to its end."""
    for event in stubs.post_processings.WatchPostProcessing(
        WatchPostProcessingRequest(post_processing_id=job_id), timeout=seconds
    ):
        if event.HasField("post_processing"):
            yield event.post_processing


def finish(stubs: Stubs, job_id: str, *, seconds: float = 60) -> PostProcessing:
    """Follows a job to its end and returns it as it ended."""
    last = None
    for job in watch(stubs, job_id, seconds=seconds):
        last = job
    assert last is not None
    assert last.state not in {PENDING, RUNNING}, f"the watch ended before the job: {last}"
    return last


def wait_for_running(stubs: Stubs, job_id: str, *, seconds: float = 30) -> None:
    """Waits until a worker is at the job."""
    for job in watch(stubs, job_id, seconds=seconds):
        assert job.state in {PENDING, RUNNING}, f"too quick for this test: {job}"
        if any(record.state == RUNNING for action in job.actions for record in action.records):
            return


def task_ids(job: PostProcessing, action: int = 0) -> list[str]:
    """The ids of the tasks of one action: those of its records."""
    return [record.id for record in job.actions[action].records]


def outputs(job: PostProcessing) -> list[str]:
    """The ids of all documents that the job made."""
    return [output for action in job.actions for record in action.records for output in record.output_document_ids]
