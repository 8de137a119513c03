"""Starting jobs and following them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from osis.document.v1.post_processing_pb2 import Action, PostProcessing, PostProcessingState, PostProcessingType
from osis.document.v1.post_processing_service_pb2 import (
    CancelPostProcessingRequest,
    ListPostProcessingsRequest,
    StartPostProcessingRequest,
)

from .. import _watch
from .._backoff import Deadline
from .._errors import PostProcessingFailed
from .._paging import PAGE_SIZE, pages
from .._repeating import repeat
from .._rpcs import Rpcs
from .._times import timestamp


def start(
    client: Rpcs, document_ids: Iterable[str], actions: Iterable[Action], *, request_id: str | None = None
) -> PostProcessing:
    """Starts a post-processing job and answers at once. Tried again while nobody answers.

    Args:
        document_ids: the documents in order, at most 1,000; duplicates allowed.
        actions: what to do with them, in order (see `convert` and `merge`); a merge ends the list.
        request_id: a UUID for this logical call, to be given again when it is repeated. By default a random one.

    Raises:
        ServiceError: `DocumentNotFound`, `TypeNotConvertible`, `MergeInputNotPdf` …
    """
    if isinstance(document_ids, str):
        raise TypeError("document_ids is one text; give a list of ids")
    request = StartPostProcessingRequest(document_ids=document_ids, actions=actions, request_id=request_id or str(uuid.uuid4()))
    return repeat(client, client.post_processings.StartPostProcessing, request).post_processing


def watch(client: Rpcs, job_id: str, *, timeout: float | None = None) -> Iterator[PostProcessing]:
    """Yields the job as it stands, then each change, and ends with its terminal state.

    Args:
        job_id: the job's id.
        timeout: seconds to watch; no limit by default.

    Raises:
        DeadlineExceeded: the time was over before the job. The job goes on.
        ServiceError: `PostProcessingNotFound` …
    """
    return _watch.watch(client.post_processings, job_id, backoff=client.backoff, deadline=Deadline(timeout))


def wait(
    client: Rpcs, job_id: str, *, timeout: float | None = None, progress: Callable[[PostProcessing], None] | None = None
) -> PostProcessing:
    """Waits for a job to succeed and answers it as it ended.

    Args:
        job_id: the job's id.
        timeout: seconds to wait; no limit by default.
        progress: called with the job as it stands, and after each change.

    Raises:
        PostProcessingFailed: the job ended FAILED or CANCELLED.
        DeadlineExceeded: the time was over before the job. The job goes on.
        ServiceError: `PostProcessingNotFound` …
    """
    job = PostProcessing(id=job_id)
    for job in watch(client, job_id, timeout=timeout):
        if progress is not None:
            progress(job)
    if job.state != PostProcessingState.POST_PROCESSING_STATE_DONE:
        failed = PostProcessingFailed(job)
        raise failed from failed.error
    return job


def cancel(client: Rpcs, job_id: str) -> PostProcessing:
    """Cancels a job and answers it as it stands; one that has ended stays as it is.

    Raises:
        PostProcessingNotFound: no such job.
    """
    return client.post_processings.CancelPostProcessing(CancelPostProcessingRequest(post_processing_id=job_id)).post_processing


def list_jobs(
    client: Rpcs,
    *,
    states: Iterable[PostProcessingState.ValueType] = (),
    types: Iterable[PostProcessingType.ValueType] = (),
    document_id: str = "",
    created_from: datetime | None = None,
    created_before: datetime | None = None,
    page_size: int = PAGE_SIZE,
) -> Iterator[PostProcessing]:
    """Yields the jobs for which all filters hold, newest first. Pages are asked for as the iteration comes to them.

    Args:
        states: in one of these. By default in any.
        types: with an action of one of these types. By default of any.
        document_id: started over this document.
        created_from: started at this moment or later; it must know its time zone.
        created_before: started before this moment; it must know its time zone.
        page_size: how many to ask for at once: 1 to 1,000.

    Raises:
        ValueError: a moment without a time zone.
        ServiceError: the service refused, while iterating.
    """
    request = ListPostProcessingsRequest(
        page_size=page_size,
        states=states,
        types=types,
        document_id=document_id,
        created_from=timestamp(created_from),
        created_before=timestamp(created_before),
    )
    return (job for page in pages(client, client.post_processings.ListPostProcessings, request) for job in page.post_processings)
