"""The documents of the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from osis.document.v1.document_pb2 import Document as ServiceDocument
from osis.document.v1.document_pb2 import DocumentStatus, ExpirationPolicy, ModifiedCopy
from osis.document.v1.document_service_pb2 import ListDocumentsRequest
from osis_document_client import from_struct

from ..channel import client
from ..enums import DocumentExpirationPolicy, FileStatus
from ..models import Document
from ..services import documents, tokens
from . import paging, words
from .base import Listing, Row, Section, ServiceAdmin
from .calls import Told
from .filters import DocumentFilterForm, beginning, numbers, yes_no

_STATUS = "DOCUMENT_STATUS_"
_POLICIES = {
    ExpirationPolicy.EXPIRATION_POLICY_UNSPECIFIED: DocumentExpirationPolicy.NO_EXPIRATION,
    ExpirationPolicy.EXPIRATION_POLICY_NONE: DocumentExpirationPolicy.NO_EXPIRATION,
    ExpirationPolicy.EXPIRATION_POLICY_EXPORT: DocumentExpirationPolicy.EXPORT_EXPIRATION_POLICY,
}
_READABLE = {DocumentStatus.DOCUMENT_STATUS_REQUESTED, DocumentStatus.DOCUMENT_STATUS_UPLOADED}


class DocumentAdmin(ServiceAdmin):
    """Lists documents, shows what is known of each, opens, deletes and undeletes them."""

    filter_form = DocumentFilterForm
    detail_template = "osis_document/admin/document.html"
    columns: ClassVar[Any] = [
        gettext_lazy("Name"),
        gettext_lazy("Status"),
        gettext_lazy("Media type"),
        gettext_lazy("Size"),
        gettext_lazy("Path"),
        gettext_lazy("Uploaded"),
    ]

    def get_urls(self) -> list[URLPattern]:
        """Those of every kind, and what is done with a document."""
        return [
            *super().get_urls(),
            self.address("<uuid:object_id>/open/", self.open_view, "open"),
            self.address("<uuid:object_id>/delete/", require_POST(self.delete_document_view), "delete"),
            self.address("<uuid:object_id>/undelete/", require_POST(self.undelete_document_view), "undelete"),
        ]

    def list_page(self, values: dict[str, Any], page_token: str) -> Listing:
        """A page of documents, the newest first."""
        request = ListDocumentsRequest(
            page_size=paging.PAGE_SIZE,
            page_token=page_token,
            statuses=numbers(DocumentStatus.Value, _STATUS, values["status"]),
            mime_types=[values["type"]] if values["type"] else [],
            name_contains=values["q"],
            path_prefix=values["path"],
            held=yes_no(values["held"]),
            corrupt=yes_no(values["corrupt"]),
            uploaded_from=beginning(values, "since"),
            uploaded_before=beginning(values, "until", days_later=1),
        )
        answer = client().documents.ListDocuments(request)
        return Listing(rows=[_row(document) for document in answer.documents], next_page_token=answer.next_page_token)

    def detail_context(self, request: HttpRequest, object_id: UUID) -> dict[str, Any]:
        """What the service says about a document."""
        document = client().get_document(str(object_id))
        sections = [_system(document), _own(document)]
        if document.HasField("modified"):
            sections.insert(1, _modified(document.modified))
        jobs = reverse(f"{self.admin_site.name}:osis_document_postprocessing_changelist")
        return {
            "title": document.name,
            "sections": sections,
            "document": document,
            "is_readable": document.status in _READABLE and not document.corrupt,
            "is_deleted": document.status == DocumentStatus.DOCUMENT_STATUS_DELETED,
            "may_delete": self.has_change_permission(request) and document.status in _READABLE,
            "urls": {name: self.url_of(name, object_id) for name in ("open", "delete", "undelete")},
            "jobs_url": f"{jobs}?{urlencode({'document': document.id})}",
        }

    def open_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Leads to the file, by a token made for that: `?dl=1` to save it, `?modified=1` for the edited copy."""
        self.require_view(request)
        with Told(request):
            is_modified = "modified" in request.GET
            made = tokens.token(object_id, wanted_post_process="ORIGINAL", for_modified_upload=is_modified)
            answer = redirect(documents.file_url(made.body["token"], download="dl" in request.GET))
            answer["Referrer-Policy"] = "no-referrer"
            return answer
        return redirect(self.url_of("change", object_id))

    def delete_document_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Has a document deleted."""
        return self._change(request, object_id, lambda ids: client().delete(ids), _("The document was deleted."))

    def undelete_document_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Takes the deletion of a document back."""
        return self._change(request, object_id, lambda ids: client().undelete(ids), _("The document was brought back."))

    def _change(
        self, request: HttpRequest, object_id: UUID, change: Callable[[list[str]], list[ServiceDocument]], done: str
    ) -> HttpResponse:
        self.require_change(request)
        with Told(request):
            [document] = change([str(object_id)])
            messages.success(request, done)
            self.log_change(request, Document(id=object_id, name=document.name[:200]), done)
        return redirect(self.url_of("change", object_id))


def _row(document: ServiceDocument) -> Row:
    cells = [
        _status(document),
        document.mime_type,
        filesizeformat(document.size_bytes),
        document.path,
        words.moment(document, "upload_time"),
    ]
    return Row(id=document.id, title=document.name, cells=cells)


def _status(document: ServiceDocument) -> str:
    return words.label(FileStatus, DocumentStatus.Name(document.status), _STATUS)


def _system(document: ServiceDocument) -> Section:
    lines: list[tuple[str, object]] = [
        (_("UUID"), document.id),
        (_("Name"), document.name),
        (_("Status"), _status(document)),
        (_("Media type"), document.mime_type),
        (_("Size"), f"{filesizeformat(document.size_bytes)} ({document.size_bytes})"),
        (_("SHA-256"), document.sha256),
        (_("Damaged"), words.yes_no(document.corrupt)),
        (_("Path"), document.path or words.NOTHING),
        (_("Uploaded"), words.moment(document, "upload_time")),
        (_("Last changed"), words.moment(document, "update_time")),
        (_("Changes of content"), document.revision),
        (_("Kept"), _POLICIES[document.expiration_policy].label),
        (_("Expires"), words.moment(document, "expire_time")),
        (_("Waits to be made final until"), words.moment(document, "hold_expire_time")),
        (_("Uploaded by the client"), document.client or words.NOTHING),
    ]
    return Section(title=_("Document"), lines=lines)


def _modified(copy: ModifiedCopy) -> Section:
    lines: list[tuple[str, object]] = [
        (_("Media type"), copy.mime_type),
        (_("Size"), f"{filesizeformat(copy.size_bytes)} ({copy.size_bytes})"),
        (_("SHA-256"), copy.sha256),
        (_("Damaged"), words.yes_no(copy.corrupt)),
        (_("Made"), words.moment(copy, "create_time")),
        (_("Last changed"), words.moment(copy, "update_time")),
    ]
    return Section(title=_("Edited copy"), lines=lines)


def _own(document: ServiceDocument) -> Section:
    values = from_struct(document.metadata)
    lines = [(key, _value(value)) for key, value in sorted(values.items())]
    return Section(title=_("Metadata"), lines=lines)


def _value(value: object) -> object:
    if isinstance(value, str):
        return value
    return format_html("<pre>{}</pre>", json.dumps(value, ensure_ascii=False, indent=2))
