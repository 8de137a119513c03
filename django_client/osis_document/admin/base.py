"""What the admins of documents and of post-processings have in common: their addresses, and a list and a page each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from . import paging
from .calls import Told
from .filters import FilterForm

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[models.Model]
else:
    _ModelAdmin = admin.ModelAdmin


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a list."""

    id: str
    title: str
    """What the link to its page says."""

    cells: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of a list."""

    rows: Sequence[Row] = ()
    next_page_token: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Some lines of a page about one thing."""

    title: str
    lines: Sequence[tuple[str, object]]


class ServiceAdmin(_ModelAdmin):
    """Lists and shows what the service keeps. Nothing is added or edited here."""

    filter_form: ClassVar[type[FilterForm]]
    list_template = "osis_document/admin/list.html"
    detail_template = "osis_document/admin/detail.html"
    #: The first is that of the link.
    columns: ClassVar[Sequence[Any]]

    # ---- what each kind has of its own -----------------------------------------------------------------------------------------

    @abstractmethod
    def list_page(self, values: dict[str, Any], page_token: str) -> Listing:
        """Asks for a page of the list that these values of the form narrow down."""

    @abstractmethod
    def detail_context(self, request: HttpRequest, object_id: UUID) -> dict[str, Any]:
        """Asks for one thing, and answers what its page shows: `title` and `sections`, and what the template has beside."""

    # ---- what Django asks ------------------------------------------------------------------------------------------------------

    def has_add_permission(self, *_args: Any) -> bool:
        """Documents come by uploads."""
        return False

    def has_delete_permission(self, *_args: Any) -> bool:
        """There are no rows to delete; who may change documents may have the service delete them."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """The list, and the page of each."""
        return [
            self.address("", self.list_view, "changelist"),
            self.address("<uuid:object_id>/change/", self.detail_view, "change"),
        ]

    def address(self, route: str, view: Any, name: str) -> URLPattern:
        """The address of a view that only people of the admin reach."""
        found: URLPattern = path(route, self.admin_site.admin_view(view), name=self.name_of(name))
        return found

    def name_of(self, view: str) -> str:
        """The name of an address."""
        return f"{self.opts.app_label}_{self.opts.model_name}_{view}"

    def url_of(self, view: str, *args: object) -> str:
        """An address of this admin."""
        return reverse(f"{self.admin_site.name}:{self.name_of(view)}", args=args)

    # ---- the views -------------------------------------------------------------------------------------------------------------

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """A page of the list; a UUID that is searched for leads to its own page."""
        self.require_view(request)
        form = self.filter_form(request.GET)
        listing = Listing()
        if form.is_valid():
            if form.identifier:
                return redirect(self.url_of("change", form.identifier))
            with Told(request):
                listing = self.list_page(form.cleaned_data, paging.current(request))
        context = {
            "title": str(self.opts.verbose_name_plural).capitalize(),
            "form": form,
            "columns": self.columns,
            "rows": [(self.url_of("change", row.id), row) for row in listing.rows],
            "pages": paging.links(request, listing.next_page_token),
        }
        return self.page(request, self.list_template, context)

    def detail_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """The page of one thing; where there is none, it says so."""
        self.require_view(request)
        with Told(request):
            return self.page(request, self.detail_template, self.detail_context(request, object_id))
        return self.page(request, self.detail_template, {"title": str(object_id), "sections": []})

    def page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        """A page of the admin."""
        request.current_app = self.admin_site.name  # by which templates find the site's addresses
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "list_url": self.url_of("changelist"),
            "may_change": self.has_change_permission(request),
        }
        return TemplateResponse(request, template, shared | context)

    # ---- permissions -----------------------------------------------------------------------------------------------------------

    def require_view(self, request: HttpRequest) -> None:
        """Raises PermissionDenied for somebody who may neither view nor change."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied

    def require_change(self, request: HttpRequest) -> None:
        """Raises PermissionDenied for somebody who may not change."""
        if not self.has_change_permission(request):
            raise PermissionDenied
