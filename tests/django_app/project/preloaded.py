"""The host as a server loads it that forks afterwards: checked before, and with one view that asks the service."""

import os

from django.conf import settings
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.django_app.project.wsgi import application as application


def view(request: HttpRequest, document_id: str) -> HttpResponse:
    """The name of a document, and which process answers."""
    from osis_document.api.utils import get_remote_metadata, get_remote_token

    metadata = get_remote_metadata(str(get_remote_token(document_id)))
    assert metadata is not None
    return HttpResponse(f"{metadata['name']} {os.getpid()}")


urlpatterns = [path("<uuid:document_id>", view)]

settings.ROOT_URLCONF = __name__
# The project's own messages do not matter here; that the service was asked does.
assert [message.id for message in run_checks() if message.id.startswith("osis_document.W0")] == []
