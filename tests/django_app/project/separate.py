"""The settings of a host in processes of its own. The environment says where its database and the service are."""

import os
from typing import Any

from tests.django_app.project.settings import *  # noqa: F403 - all of them, but for what follows

ROOT_URLCONF = "tests.django_app.project.pages"
DATABASES: dict[str, dict[str, Any]] = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["TESTS_DATABASE"]},
}
OSIS_DOCUMENT_GRPC_TARGET = os.environ["TESTS_GRPC_TARGET"]
