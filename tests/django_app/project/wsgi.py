"""The host as a WSGI server runs it. The environment says where the service is."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django_app.project.settings")
settings.OSIS_DOCUMENT_GRPC_TARGET = os.environ["TESTS_GRPC_TARGET"]
application = get_wsgi_application()
