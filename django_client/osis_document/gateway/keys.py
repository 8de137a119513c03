"""The API key of HTTP clients."""

from __future__ import annotations

import hmac
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from osis_document import conf

HEADER = "X-Api-Key"


def has_key(request: HttpRequest | Request) -> bool:
    """True when the request carries the shared secret."""
    sent = request.headers.get(HEADER, "")
    return bool(sent) and hmac.compare_digest(sent.encode(), conf.api_shared_secret().encode())


class ApiKeyRequired(BasePermission):
    """Lets callers in who send the shared secret as `X-Api-Key`."""

    message = _("This needs the API key: send it in the header X-Api-Key.")

    def has_permission(self, request: Request, view: Any) -> bool:
        """True when the request carries the shared secret."""
        return has_key(request)
