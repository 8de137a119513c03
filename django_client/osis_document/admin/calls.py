"""Telling what the service refuses on the page, rather than failing."""

from __future__ import annotations

import logging
from types import TracebackType

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from osis_document_client import OsisDocumentError

from ..exceptions import OsisDocumentException, ServiceMisconfigured, exception_for

logger = logging.getLogger(__name__)


class Told:
    """Makes messages for the user of what a block raises: refusals of the service, nobody answering, missing settings."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if isinstance(error, OsisDocumentError):
            error = exception_for(error)
        if isinstance(error, OsisDocumentException):
            logger.warning("the document service refused something in the admin: %s", error.reason or type(error).__name__)
            messages.error(self._request, error.message)
            return True
        if isinstance(error, ImproperlyConfigured):
            logger.warning("the document service is not configured: %s", error)
            messages.error(self._request, ServiceMisconfigured().message)
            return True
        return False
