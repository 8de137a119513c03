"""Following a post-processing job to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from osis.document.v1.post_processing_pb2 import PostProcessing, PostProcessingState
from osis.document.v1.post_processing_service_pb2 import WatchPostProcessingRequest, WatchPostProcessingResponse
from osis.document.v1.post_processing_service_pb2_grpc import PostProcessingServiceStub

from ._backoff import Backoff, Deadline, Tries, is_transient
from ._errors import DeadlineExceeded, ServiceError, Unavailable
from ._interceptor import TypedCall

TERMINAL_STATES = frozenset(
    {
        PostProcessingState.POST_PROCESSING_STATE_DONE,
        PostProcessingState.POST_PROCESSING_STATE_FAILED,
        PostProcessingState.POST_PROCESSING_STATE_CANCELLED,
    }
)


def watch(stub: PostProcessingServiceStub, job_id: str, *, backoff: Backoff, deadline: Deadline) -> Iterator[PostProcessing]:
    """Yields the job as it stands, then each change, and ends with the terminal state. Opens a watch that was cut again.

    Raises:
        DeadlineExceeded: the deadline passed before the job ended. The job goes on.
        ServiceError: the service refused (`PostProcessingNotFound` …), or nobody answered in any of the tries.
    """
    tries = Tries(backoff, deadline=deadline)
    last: PostProcessing | None = None
    while True:
        error: ServiceError | None = None
        call = cast(
            "TypedCall",
            stub.WatchPostProcessing(WatchPostProcessingRequest(post_processing_id=job_id), timeout=deadline.remaining_seconds()),
        )
        try:
            for event in cast("Iterator[WatchPostProcessingResponse]", call):
                if event.HasField("post_processing") and event.post_processing == last:
                    continue  # what the last watch told already: no sign that this one will live longer
                tries.got_on()
                if not event.HasField("post_processing"):
                    continue  # a heartbeat
                last = event.post_processing
                yield last
                if last.state in TERMINAL_STATES:
                    return
        except ServiceError as exc:
            if not is_transient(exc):
                raise
            error = exc
        finally:
            call.cancel()
        if deadline.remaining_seconds() == 0:
            raise DeadlineExceeded(f"job {job_id} has not ended in time; it goes on, and can be watched again") from error
        if not tries.pause(error):
            raise error or Unavailable(f"the service ends every watch of job {job_id} before the job has ended; try later")
