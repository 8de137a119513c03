"""Recording jobs that another system did, so that what they made stays known here as what they made."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from typing import Any
from uuid import UUID

from peewee import IntegrityError

from osis_document_server.domain.access import Caller, Role
from osis_document_server.domain.jobs import Action, Failure, Job, Record, State, TaskType, check_actions
from osis_document_server.errors import ArgumentInvalid, RequestIdConflict, RoleNotAllowed
from osis_document_server.models import rows
from osis_document_server.models.bulk import insert_all
from osis_document_server.models.database import reading, unit_of_work
from osis_document_server.models.tables import JobInputRow, JobRow, TaskInputRow, TaskOutputRow, TaskRow
from osis_document_server.usecases import access
from osis_document_server.usecases.limits import require_batch
from osis_document_server.usecases.post_processing import PostProcessings
from osis_document_server.usecases.service import Service


@dataclass(frozen=True, kw_only=True)
class ImportedJob:
    """A job as another system knows it."""

    id: UUID
    state: State
    #: Of all actions, in order. Those of a job that did not end are not looked at: it starts again.
    records: tuple[Record, ...] = ()
    failure: Failure | None = None
    created_at: datetime | None = None


class ImportJobs:
    """Records jobs of another system.

    Args:
        service: what all use cases work with.
        post_processings: starts again what had not ended there.
    """

    def __init__(self, service: Service, post_processings: PostProcessings) -> None:
        self._service = service
        self._post_processings = post_processings

    def record(self, caller: Caller, document_ids: Sequence[UUID], actions: Sequence[Action], imported: ImportedJob) -> Job:
        """Records a job under the id that it has; repeating it answers what was recorded.

        Nothing is converted again because of it, and none of its conversions is used for another job: nobody here knows which
        bytes they were made of.

        Raises:
            RoleNotAllowed: the caller is no admin.
            ArgumentInvalid, BatchTooLarge: the job makes no sense.
            DocumentNotFound: an input or an output is no document here.
            RequestIdConflict: the id is another job's.
            those of ``PostProcessings.start``: the job had not ended, and cannot be started.
        """
        if caller.role is not Role.ADMIN:
            raise RoleNotAllowed("imported is for admins' keys.", role=caller.role, needed=Role.ADMIN)
        require_batch(len(document_ids), field="document_ids")
        check_actions(list(actions))
        if repeated := self._recorded(document_ids, actions, imported.id):
            return repeated
        if not imported.state.is_terminal:
            return self._post_processings.start(caller, document_ids, actions, job_id=imported.id)
        _require_whole(imported, actions)
        try:
            with unit_of_work(self._service.database):
                self._require_documents(document_ids, imported)
                self._write(caller, document_ids, actions, imported)
        except IntegrityError:
            if repeated := self._recorded(document_ids, actions, imported.id):
                return repeated
            raise _taken("A record of this job has the id of a task of another job.", imported.id) from None
        return self._post_processings.find(imported.id)

    def _recorded(self, document_ids: Sequence[UUID], actions: Sequence[Action], job_id: UUID) -> Job | None:
        with reading(self._service.database):
            job = rows.find_job(job_id)
        if job is not None and (job.input_ids != tuple(document_ids) or job.actions != tuple(actions)):
            raise _taken(f"Post-processing {job_id} is recorded already, with other documents or actions.", job_id)
        return job

    def _require_documents(self, document_ids: Sequence[UUID], imported: ImportedJob) -> None:
        wanted = [*document_ids]
        for record in imported.records:
            wanted += [*record.input_ids, *record.output_ids]
        found = rows.find_documents(self._service.database, wanted)
        for document_id in wanted:
            access.require_found(found.get(document_id), document_id)

    def _write(self, caller: Caller, document_ids: Sequence[UUID], actions: Sequence[Action], imported: ImportedJob) -> None:
        now = self._service.now()
        JobRow.create(
            id=imported.id,
            state=imported.state,
            client=caller.name,
            actions=[action.to_json() for action in actions],
            failure=vars(imported.failure) if imported.failure else None,
            created_at=imported.created_at or now,
            updated_at=now,
            ended_at=now,
        )
        insert_all(JobInputRow, _links("job", imported.id, document_ids))
        insert_all(TaskRow, _tasks(imported, now=now))
        unknown = {"blob_key": "", "display_name": ""}
        inputs = (_links("task", record.id, record.input_ids, **unknown) for record in imported.records)
        insert_all(TaskInputRow, chain.from_iterable(inputs))
        made = (_links("task", record.id, record.output_ids) for record in imported.records)
        insert_all(TaskOutputRow, chain.from_iterable(made))


def _tasks(imported: ImportedJob, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Yields the rows of a job's records, each with its place among those of its action."""
    positions: defaultdict[int, Iterator[int]] = defaultdict(count)
    for record in imported.records:
        yield {
            "id": record.id,
            "job": imported.id,
            "action_index": record.action_index,
            "position": next(positions[record.action_index]),
            "type": record.type,
            "state": record.state,
            "ready": True,
            "failure": vars(record.failure) if record.failure else None,
            "updated_at": now,
        }


def _links(owner: str, owner_id: UUID, document_ids: Sequence[UUID], **more: str) -> Iterator[dict[str, Any]]:
    """Yields the rows that link documents, in order, to a job or a task."""
    for position, document_id in enumerate(document_ids):
        yield {owner: owner_id, "position": position, "document": document_id, **more}


def _require_whole(imported: ImportedJob, actions: Sequence[Action]) -> None:
    """Raises ``ArgumentInvalid`` unless a job that is done has made something in each of its actions."""
    if imported.state is not State.DONE:
        return
    for index, action in enumerate(actions):
        records = [record for record in imported.records if record.action_index == index]
        field = f"imported.actions[{index}].records"
        if not records or (action.type is TaskType.MERGE and len(records) > 1):
            raise ArgumentInvalid(
                f"{field} has {len(records)} records; what is done has one per conversion, and one for a merge.", field=field
            )
        for record in records:
            if record.state is not State.DONE or not record.output_ids:
                raise ArgumentInvalid(
                    f"Record {record.id} of {field} is not done or has no output, but the job is said to be done.", field=field
                )


def _taken(message: str, job_id: UUID) -> RequestIdConflict:
    return RequestIdConflict(message, field="imported.post_processing_id", post_processing_id=job_id)
