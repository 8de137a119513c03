"""The post-processings of the service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from osis.document.v1.post_processing_pb2 import (
    ActionStatus,
    PaperSize,
    PdfProfile,
    PostProcessingFailure,
    PostProcessingState,
    PostProcessingType,
)
from osis.document.v1.post_processing_pb2 import PostProcessing as Job
from osis.document.v1.post_processing_service_pb2 import GetPostProcessingRequest, ListPostProcessingsRequest

from ..channel import client
from . import paging, words
from .base import Listing, Row, Section, ServiceAdmin
from .filters import PostProcessingFilterForm, beginning, numbers

_STATE, _TYPE = "POST_PROCESSING_STATE_", "POST_PROCESSING_TYPE_"
#: Of a job over a thousand documents, so many are shown.
_MOST_SHOWN = 100


class PostProcessingAdmin(ServiceAdmin):
    """Lists post-processings, and shows what each is made of."""

    filter_form = PostProcessingFilterForm
    columns: ClassVar[Any] = [
        gettext_lazy("UUID"),
        gettext_lazy("Status"),
        gettext_lazy("Actions"),
        gettext_lazy("Documents"),
        gettext_lazy("Progress"),
        gettext_lazy("Started"),
    ]

    def list_page(self, values: dict[str, Any], page_token: str) -> Listing:
        """A page of post-processings, the newest first."""
        request = ListPostProcessingsRequest(
            page_size=paging.PAGE_SIZE,
            page_token=page_token,
            states=numbers(PostProcessingState.Value, _STATE, values["status"]),
            types=numbers(PostProcessingType.Value, _TYPE, values["type"]),
            document_id=str(values["document"] or ""),
            created_from=beginning(values, "since"),
            created_before=beginning(values, "until", days_later=1),
        )
        answer = client().post_processings.ListPostProcessings(request)
        return Listing(rows=[_row(job) for job in answer.post_processings], next_page_token=answer.next_page_token)

    def detail_context(self, request: HttpRequest, object_id: UUID) -> dict[str, Any]:  # noqa: ARG002 - the same for every kind
        """What the service says about a post-processing."""
        asked = GetPostProcessingRequest(post_processing_id=str(object_id))
        job = client().post_processings.GetPostProcessing(asked).post_processing
        sections = [self._job(job), *(self._action(action, place) for place, action in enumerate(job.actions, start=1))]
        return {"title": job.id, "sections": sections}

    def _job(self, job: Job) -> Section:
        lines: list[tuple[str, object]] = [
            (_("UUID"), job.id),
            (_("Status"), _state(job.state)),
            (_("Progress"), _progress(job)),
            (_("Documents"), self._documents(job.input_document_ids)),
            *_failure(job.failure if job.HasField("failure") else None),
            (_("Started"), words.moment(job, "create_time")),
            (_("Last changed"), words.moment(job, "update_time")),
            (_("Ended"), words.moment(job, "end_time")),
            (_("Started by the client"), job.client or words.NOTHING),
        ]
        return Section(title=_("Post-processing"), lines=lines)

    def _action(self, status: ActionStatus, place: int) -> Section:
        lines: list[tuple[str, object]] = [
            (_("Status"), _state(status.state)),
            *_options(status),
            *_failure(status.failure if status.HasField("failure") else None),
        ]
        for record in status.records[:_MOST_SHOWN]:
            made = format_html(
                "{} → {} ({})",
                self._documents(record.input_document_ids),
                self._documents(record.output_document_ids),
                _state(record.state),
            )
            lines.append((words.label(words.JobType, PostProcessingType.Name(record.type), _TYPE), made))
        return Section(title=f"{place}. {_type_of(status)}", lines=lines)

    def _documents(self, ids: Iterable[str]) -> object:
        """Links to documents."""
        shown = list(ids)
        name = f"{self.admin_site.name}:osis_document_document_change"
        links = format_html_join(
            ", ", '<a href="{}">{}</a>', ((reverse(name, args=[each]), each) for each in shown[:_MOST_SHOWN])
        )
        return format_html("{} …", links) if len(shown) > _MOST_SHOWN else links or words.NOTHING


def _row(job: Job) -> Row:
    cells = [
        _state(job.state),
        ", ".join(_type_of(action) for action in job.actions),
        str(len(job.input_document_ids)),
        _progress(job),
        words.moment(job, "create_time"),
    ]
    return Row(id=job.id, title=job.id, cells=cells)


def _state(state: PostProcessingState.ValueType) -> str:
    return words.label(words.JobState, PostProcessingState.Name(state), _STATE)


def _progress(job: Job) -> str:
    return f"{job.tasks_done}/{job.tasks_total}"


def _type_of(status: ActionStatus) -> str:
    """What an action does. Rotations and edits are started otherwise, so only their tasks say so."""
    asked = status.action.WhichOneof("action")
    if asked:
        return str(words.JobType[asked.upper()].label)
    if status.records:
        return words.label(words.JobType, PostProcessingType.Name(status.records[0].type), _TYPE)
    return words.NOTHING


def _options(status: ActionStatus) -> list[tuple[str, object]]:
    """What was asked for beside the action itself."""
    convert, merge = status.action.convert, status.action.merge
    paper = PaperSize.Name(merge.paper_size).removeprefix("PAPER_SIZE_") if merge.paper_size else ""
    profile = PdfProfile.Name(convert.pdf_profile).removeprefix("PDF_PROFILE_") if convert.pdf_profile else ""
    options = [
        (_("Name of the output"), convert.output_filename or merge.output_filename),
        (_("Title"), convert.title or merge.title),
        (_("Pages"), convert.page_range),
        (_("Kind of PDF"), profile),
        (_("Page size"), paper),
    ]
    return [(label, value) for label, value in options if value]


def _failure(failure: PostProcessingFailure | None) -> list[tuple[str, object]]:
    if failure is None:
        return []
    return [(_("Failed because"), failure.message)]
