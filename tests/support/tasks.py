"""Doing tasks by hand, as a worker does that is told what to do."""

from uuid import UUID

from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.post_processing_pb2 import PostProcessingFailure
from osis.document.v1.worker_service_pb2 import (
    ClaimTaskRequest,
    CompleteTaskRequest,
    ExtendLeaseRequest,
    FailTaskRequest,
    GiveBackTaskRequest,
    Task,
)
from tests.support.server import ServerProcess
from tests.support.stubs import Stubs
from tests.support.uploads import messages, new_id, spec
from tests.support.waiting import wait_until

_UNFINISHED = {"PENDING", "RUNNING"}


def claim(worker: Stubs, task_id: str, lease_id: str | None = None) -> Task | None:
    """Claims a task; None if there is nothing to do."""
    answer = worker.workers.ClaimTask(ClaimTaskRequest(task_id=task_id, lease_id=lease_id or new_id(), worker="test:1"))
    return answer.task if answer.HasField("task") else None


def extend(worker: Stubs, lease_id: str) -> None:
    """Keeps a lease alive."""
    worker.workers.ExtendLease(ExtendLeaseRequest(lease_id=lease_id))


def upload_output(worker: Stubs, lease_id: str, content: bytes, name: str = "output.pdf") -> str:
    """Uploads an output under a lease; answers its id."""
    output_id: str = worker.uploads.WriteUpload(messages(spec(name, lease_id=lease_id), content)).result.document.id
    return output_id


def complete(worker: Stubs, lease_id: str, *output_ids: str) -> None:
    """Reports a task as done."""
    worker.workers.CompleteTask(CompleteTaskRequest(lease_id=lease_id, output_upload_ids=output_ids))


def fail(worker: Stubs, lease_id: str, reason: str, *, retryable: bool = False, document_id: str = "") -> bool:
    """Reports that a task failed; True if it will be tried again."""
    failure = PostProcessingFailure(
        reason=ErrorReason.Value(f"ERROR_REASON_{reason}"),
        message="It failed because the test says so.",
        retryable=retryable,
        document_id=document_id,
    )
    will_retry: bool = worker.workers.FailTask(FailTaskRequest(lease_id=lease_id, failure=failure)).will_retry
    return will_retry


def give_back(worker: Stubs, lease_id: str) -> None:
    """Gives a task back untouched."""
    worker.workers.GiveBackTask(GiveBackTaskRequest(lease_id=lease_id))


def do(worker: Stubs, task_id: str, content: bytes, name: str = "output.pdf") -> str:
    """Claims a task and completes it with this output; answers the output's id."""
    task = claim(worker, task_id)
    assert task is not None, f"task {task_id} cannot be claimed"
    output_id = upload_output(worker, task.lease_id, content, name)
    complete(worker, task.lease_id, output_id)
    return output_id


def unfinished(server: ServerProcess, document_id: str) -> list[str]:
    """The ids of the unfinished tasks of the jobs over this document, as they stand in the database."""
    jobs = {UUID(str(row["job_id"])) for row in server.rows("job_input") if UUID(str(row["document_id"])) == UUID(document_id)}
    tasks = [row for row in server.rows("task") if row["state"] in _UNFINISHED and UUID(str(row["job_id"])) in jobs]
    return [str(UUID(str(row["id"]))) for row in tasks]


def wait_for_task(server: ServerProcess, document_id: str) -> str:
    """Waits until there is an unfinished task over this document, and answers its id."""
    return wait_until(lambda: unfinished(server, document_id), f"there is a task over {document_id}")[0]


def wait_for_claim(server: ServerProcess, document_id: str) -> Task:
    """Waits for a task over this document and claims it."""
    task_id = wait_for_task(server, document_id)
    worker = server.stubs("worker")
    return wait_until(lambda: claim(worker, task_id), f"the task over {document_id} can be claimed")
