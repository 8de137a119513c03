"""Pages for people whose link to a document does not work."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.response import Response

from osis_document import cors

_TEMPLATES = {403: "expired", 404: "missing"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def wants_page(request: HttpRequest) -> bool:
    """True for a browser that shows the answer to somebody."""
    return "text/html" in request.headers.get("Accept", "")


def page_for(request: HttpRequest, refusal: Response, text: str) -> HttpResponse:
    """Makes a page of a refusal, with its status and its headers."""
    template = f"osis_document/gateway/{_TEMPLATES.get(refusal.status_code, 'refused')}.html"
    page = render(request, template, {"text": text}, status=refusal.status_code)
    if "Retry-After" in refusal:
        page["Retry-After"] = refusal["Retry-After"]
    page["Content-Security-Policy"] = f"{_POLICY}; {cors.frame_ancestors()}"
    page.xframe_options_exempt = True  # the policy says more than X-Frame-Options can
    return page
