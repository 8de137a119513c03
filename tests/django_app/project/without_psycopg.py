"""A host on SQLite where no driver of PostgreSQL's is installed. Reads its settings as JSON, keeps a document, prints its id."""

import importlib
import json
import pkgutil
import sys

import django
from django.conf import settings

for name in ("psycopg", "psycopg2", "psycopg_pool"):
    sys.modules[name] = None  # type: ignore[assignment]  # what makes `import` fail

settings.configure(
    SECRET_KEY="another",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "osis_document",
        "osis_document_components",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    **json.load(sys.stdin),
)
django.setup()

from django.db import connection, models  # noqa: E402 - the settings come first

import osis_document  # noqa: E402
from osis_document.contrib import FileField  # noqa: E402
from osis_document.utils import save_raw_upload  # noqa: E402

for module in pkgutil.walk_packages(osis_document.__path__, "osis_document."):
    importlib.import_module(module.name)


class Letter(models.Model):
    """Files on SQLite."""

    files = FileField()

    class Meta:
        app_label = "letters"


with connection.schema_editor() as editor:
    editor.create_model(Letter)
letter = Letter.objects.create(files=[save_raw_upload(b"A note.", "note.txt", "text/plain").token])
found = Letter.objects.get(files__contains=letter.files)
json.dump([str(each) for each in found.files], sys.stdout)
