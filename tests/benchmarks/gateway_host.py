"""A Django project with nothing but the gateway, for gunicorn: settings come from the environment."""

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

settings.configure(
    SECRET_KEY="of the benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=["rest_framework", "osis_document"],
    OSIS_DOCUMENT_BASE_URL=os.environ["GATEWAY_URL"],
    OSIS_DOCUMENT_GRPC_TARGET=os.environ["GATEWAY_TARGET"],
    OSIS_DOCUMENT_API_SHARED_SECRET=os.environ["GATEWAY_API_KEY"],
)
django.setup()

urlpatterns = [path("osis_document/", include("osis_document.urls"))]
application = get_wsgi_application()
