"""For views of a host that scripts of other servers' pages read."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from osis_document import cors


class CorsAllowOriginMixin:
    """Lets scripts of the sites in `OSIS_DOCUMENT_DOMAIN_LIST` read what the view answers. Put it before the view's other bases.

    class ApplicantView(CorsAllowOriginMixin, APIView): …
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answers browsers that ask first, and adds the headers to every other answer."""
        response: HttpResponseBase
        if cors.is_preflight(request) and cors.allows(request.headers.get("Origin", "")):
            response = HttpResponse(status=204)
        else:
            response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # of the view that this is mixed into
        cors.add_headers(request, response)
        return response
