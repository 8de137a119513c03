"""Which document a token is to open when a document was post-processed: the newest job decides."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any
from uuid import UUID

from osis_document_server.domain.jobs import Job, State, TaskType
from osis_document_server.models import rows
from osis_document_server.models.tables import JobInputRow, JobRow


class Wanted(StrEnum):
    """Which result of a document's post-processing is wanted."""

    #: The output of the last action.
    NEWEST = "NEWEST"
    #: The document itself.
    ORIGINAL = "ORIGINAL"
    CONVERT = "CONVERT"
    MERGE = "MERGE"


def find(wishes: Iterable[tuple[UUID, Wanted]]) -> dict[tuple[UUID, Wanted], UUID | Job]:
    """Returns, for each document and wish, the document that was made; or the job that has not made it yet, or failed to.

    Documents that were not post-processed, or not in the wanted way, are not among the results: the document itself is the answer
    then. Jobs that were cancelled count as if they had never been. Within a connection.
    """
    asked = set(wishes)
    jobs_of = _jobs_over({document_id for document_id, _ in asked})
    jobs = rows.find_jobs({job_id for over in jobs_of.values() for job_id, _ in over})
    found: dict[tuple[UUID, Wanted], UUID | Job] = {}
    for document_id, wanted in asked:
        for job_id, types in jobs_of.get(document_id, ()):
            if wanted is not Wanted.NEWEST and wanted.value not in types:
                continue
            job = jobs.get(job_id)
            index = len(types) - 1 if wanted is Wanted.NEWEST else types.index(wanted.value)
            if job is not None and (result := _result(job, index, document_id)) is not None:
                found[document_id, wanted] = result
                break
    return found


def _jobs_over(document_ids: set[UUID]) -> dict[UUID, list[tuple[UUID, list[str]]]]:
    """Returns the jobs over each document, newest first, with the types of their actions."""
    links: Any = (
        JobInputRow.select(JobInputRow.document, JobRow.id, JobRow.actions, JobRow.created_at)
        .join(JobRow)
        .where(JobInputRow.document.in_(document_ids), JobRow.state != State.CANCELLED)
        .order_by(JobRow.created_at.desc(), JobRow.id)
        .dicts()
    )
    found: dict[UUID, list[tuple[UUID, list[str]]]] = {}
    for link in links if document_ids else ():
        types = [action["type"] for action in link["actions"]]
        if not {TaskType.ROTATE, TaskType.EDIT} & set(types):  # those change the document itself
            found.setdefault(link["document"], []).append((link["id"], types))
    return found


def _result(job: Job, index: int, document_id: UUID) -> UUID | Job | None:
    """The output of one of a job's actions, as far as it is made of ``document_id``; None: it was removed for good."""
    if job.state_of(index) is not State.DONE:
        return job
    records = job.records_of(index)
    if len(records) > 1:  # one of each document, in the order of the first action's
        records = [record for record, first in zip(records, job.records_of(0), strict=True) if document_id in first.input_ids]
    return next((output_id for record in records[:1] for output_id in record.output_ids), None)
