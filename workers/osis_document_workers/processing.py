"""One task from claim to report: lease, download, run, upload, complete."""

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import structlog

from osis.document.v1 import error_reason_pb2, post_processing_pb2, worker_service_pb2
from osis_document_client import Client, LeaseLost, OsisDocumentError, Unavailable
from osis_document_workers.engines import EngineCancelledError, EngineError, OfficePool, SpareProcess
from osis_document_workers.inputs import Input, fetch
from osis_document_workers.lease import Lease
from osis_document_workers.telemetry import TaskAccount

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What an actor is given."""

    task: worker_service_pb2.Task
    inputs: list[Input]
    #: For the result, and for whatever else is needed on the way; removed afterwards.
    folder: Path
    #: Set when the work is to stop: the lease was lost, or the worker shuts down.
    cancelled: threading.Event
    #: The worker's warm LibreOffice instances.
    office: OfficePool | None = None
    #: The worker's engine process that is ready.
    spare: SpareProcess | None = None

    def output(self, extension: str) -> Path:
        """Where a result of this kind is to appear. It is uploaded by this name, and has to be what its extension says."""
        return self.folder / f"output.{extension}"


#: What an actor does: from ``Work.inputs`` to one of ``Work.output``, which it returns; or ``EngineError``, or
#: ``EngineCancelledError``.
Run = Callable[[Work], Path]


class Processor:
    """Processes tasks for one worker, in as many threads as it has slots.

    Args:
        client: connected to the service with a worker's key.
        scratch: an existing folder for documents while they are worked on.
        office: LibreOffice instances for office documents; without, each document has one of its own.
        spare: keeps an engine's process ready; without, each document has one started for it.
    """

    def __init__(
        self, client: Client, *, scratch: Path, office: OfficePool | None = None, spare: SpareProcess | None = None
    ) -> None:
        self._client = client
        self._scratch = scratch
        self._office = office
        self._spare = spare
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._running: set[Lease] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def process(self, task_id: str, run: Run) -> None:
        """Does one task, if it is there to be done. Raises nothing: whatever happens is reported, or left to the lease's end."""
        try:
            self._process(task_id, run)
        except LeaseLost:
            pass  # its account is told
        except OsisDocumentError as exc:
            # Nothing can be reported. The lease, if there is one, runs out, and the task is leased again.
            _log.warning("the service cannot be told", task_id=task_id, why=str(exc))
        except Exception:  # noqa: BLE001 - a worker's thread goes on with the next task
            _log.exception("a fault of the worker", task_id=task_id)

    def stop(self) -> None:
        """Has everything that runs stopped and given back; tasks that arrive from now on are left in the queue."""
        with self._lock:
            self._stopping = True
            for lease in self._running:
                lease.cancelled.set()

    def _process(self, task_id: str, run: Run) -> None:
        if self._stopping:
            return
        lease_id = str(uuid4())
        request = worker_service_pb2.ClaimTaskRequest(task_id=task_id, lease_id=lease_id, worker=self._worker)
        answer = self._client.workers.ClaimTask(request)
        if not answer.HasField("task"):
            _log.debug("nothing to do", task_id=task_id)
            return
        task = answer.task
        # So that whatever is logged on the way, by engines and libraries too, tells which task it belongs to.
        ids = structlog.contextvars.bound_contextvars(task_id=task.task_id, job_id=task.post_processing_id)
        with ids, TaskAccount(task) as account:
            folder = Path(tempfile.mkdtemp(prefix="task-", dir=self._scratch))
            try:
                folder.chmod(0o711)  # as the folder that it is in
                with Lease(self._client, task) as lease, self._following(lease):
                    work = Work(
                        task=task,
                        inputs=[],
                        folder=folder,
                        cancelled=lease.cancelled,
                        office=self._office,
                        spare=self._spare,
                    )
                    self._work(work, run, account)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _work(self, work: Work, run: Run, account: TaskAccount) -> None:
        lease_id = work.task.lease_id
        try:
            for fetched in fetch(self._client, work.task, work.folder):
                work.inputs.append(fetched)
            output = run(work)
            upload = self._client.upload(output, name=output.name, lease_id=lease_id)
            self._client.workers.CompleteTask(
                worker_service_pb2.CompleteTaskRequest(lease_id=lease_id, output_upload_ids=[upload.document.id])
            )
            account.done(upload.document.id)
        except EngineCancelledError:
            if self._stopping:
                self._client.workers.GiveBackTask(worker_service_pb2.GiveBackTaskRequest(lease_id=lease_id))
                account.given_back()
        except EngineError as exc:
            message = exc.message
            if len(work.inputs) == 1 and exc.source is None:  # an engine for one document does not know what people call it
                message = f"{work.inputs[0].message.display_name!r}: {message}"
            self._fail(work, account, reason=exc.reason, message=message, retryable=exc.retryable, source=exc.source)
        except (LeaseLost, Unavailable):
            raise
        except Exception as exc:  # noqa: BLE001 - whatever it is, the service is told
            _log.exception("a fault on the way")
            message = f"The worker failed: {type(exc).__name__}."
            self._fail(work, account, reason="INTERNAL", message=message, retryable=True)

    def _fail(
        self, work: Work, account: TaskAccount, *, reason: str, message: str, retryable: bool, source: Path | None = None
    ) -> None:
        at_fault = {item.message.document.id for item in work.inputs if source in {None, item.path}}
        failure = post_processing_pb2.PostProcessingFailure(
            reason=error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{reason}"),
            message=message,
            retryable=retryable,
            document_id=at_fault.pop() if len(at_fault) == 1 else "",
        )
        self._client.workers.FailTask(worker_service_pb2.FailTaskRequest(lease_id=work.task.lease_id, failure=failure))
        account.failed(reason, message)

    @contextmanager
    def _following(self, lease: Lease) -> Iterator[None]:
        """Knows a lease for as long as its task runs, so that ``stop`` reaches it."""
        with self._lock:
            self._running.add(lease)
            if self._stopping:
                lease.cancelled.set()
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(lease)
