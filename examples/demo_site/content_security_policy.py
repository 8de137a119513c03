"""The strictest Content-Security-Policy under which the widgets do all that they can."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class ContentSecurityPolicyMiddleware:
    """Adds the policy to pages that have none of their own, as the gateway's have."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        gateway = "{0.scheme}://{0.netloc}".format(urlsplit(settings.OSIS_DOCUMENT_BASE_URL))
        self.policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; worker-src 'self'; "
            f"img-src 'self' blob: data: {gateway}; connect-src 'self' {gateway}; form-action 'self'; base-uri 'none'"
        )

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not response.has_header("Content-Security-Policy"):
            response["Content-Security-Policy"] = self.policy
        return response
