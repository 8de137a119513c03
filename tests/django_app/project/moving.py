"""A host whose default database has the tables of the existing product. Where it and the service are, the environment says."""

import os

from tests.django_app.project.settings import *  # noqa: F403 - all but the databases is the same

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["TESTS_DATABASE"],
        "HOST": "127.0.0.1",
        "PORT": os.environ["TESTS_DATABASE_PORT"],
        "USER": "postgres",
        "PASSWORD": "postgres",
    }
}
OSIS_DOCUMENT_GRPC_TARGET = os.environ["TESTS_GRPC_TARGET"]
