"""Listing jobs, newest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from peewee import ModelSelect

from osis_document_server.domain.jobs import Job, State, TaskType
from osis_document_server.models import rows
from osis_document_server.models.database import reading
from osis_document_server.models.tables import JobInputRow, JobRow, TaskRow
from osis_document_server.usecases.paging import page_token, read_page_token, require_page_size
from osis_document_server.usecases.service import Service


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which jobs are meant: all of what is set must hold."""

    states: frozenset[State] = frozenset()
    #: Jobs with an action of one of these types.
    types: frozenset[TaskType] = frozenset()
    #: Jobs that were started over this document.
    document_id: UUID | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """Some jobs, and how to ask for those behind them."""

    jobs: Sequence[Job]
    #: Empty on the last page.
    next_page_token: str


class ListJobs:
    """Lists jobs."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def page(self, wanted: JobFilter, *, page_size: int = 0, token: str = "") -> JobPage:
        """Returns one page, newest jobs first.

        Args:
            wanted: which jobs.
            page_size: how many at most, 1 to 1,000; 0: 25.
            token: that of the page before, with the same filter; empty: the first page.

        Raises:
            ArgumentInvalid: a page size out of bounds; a foreign page token, or one of another filter.
        """
        size = require_page_size(page_size)
        query = _filtered(wanted)
        if token:
            moment, job_id = read_page_token(token, wanted, datetime.fromisoformat)
            query = query.where(JobRow.created_at <= moment, (JobRow.created_at < moment) | (JobRow.id < job_id))
        with reading(self._service.database):
            found = list(query.order_by(JobRow.created_at.desc(), JobRow.id.desc()).limit(size + 1))
            jobs = rows.find_jobs(row.id for row in found[:size])
        last = found[size - 1] if len(found) > size else None
        return JobPage(
            jobs=[jobs[row.id] for row in found[:size] if row.id in jobs],
            next_page_token=page_token(wanted, last.created_at.astimezone(UTC).isoformat(), last.id) if last else "",
        )


def _filtered(wanted: JobFilter) -> "ModelSelect[JobRow]":
    query = JobRow.select(JobRow.id, JobRow.created_at)
    if wanted.states:
        query = query.where(JobRow.state.in_(sorted(wanted.states)))
    if wanted.types:
        query = query.where(JobRow.id.in_(TaskRow.select(TaskRow.job).where(TaskRow.type.in_(sorted(wanted.types)))))
    if wanted.document_id is not None:
        query = query.where(JobRow.id.in_(JobInputRow.select(JobInputRow.job).where(JobInputRow.document == wanted.document_id)))
    if wanted.created_from is not None:
        query = query.where(JobRow.created_at >= wanted.created_from)
    if wanted.created_before is not None:
        query = query.where(JobRow.created_at < wanted.created_before)
    return query
