"""The host as WSGI and ASGI servers run it for the tests of the gateway: with settings that the environment brings as JSON."""

import json
import os

from django.conf import settings
from django.core import asgi as django_asgi
from django.core.wsgi import get_wsgi_application

from osis_document.gateway.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django_app.project.settings")
for name, value in json.loads(os.environ["TESTS_SETTINGS"]).items():
    setattr(settings, name, value)

wsgi = get_wsgi_application()
asgi = get_asgi_application()
asgi_of_django = django_asgi.get_asgi_application()
