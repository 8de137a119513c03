"""A secondary server: no models, no database; only the form. Reads what to do as JSON from its input, and answers so;
what fails because the primary server is away is done again."""

import json
import sys
from types import SimpleNamespace

import django
from django.conf import settings

task = json.load(sys.stdin)
settings.configure(SECRET_KEY="another", INSTALLED_APPS=["osis_document"], USE_TZ=True, **task["settings"])
django.setup()

from osis_document.contrib import FileUploadField  # noqa: E402 - the settings come first
from osis_document.exceptions import ServiceUnavailable  # noqa: E402

field = FileUploadField(related_model=task["related_model"])
values = field.clean(task["tokens"])
instance = SimpleNamespace(**task["instance"])
try:
    kept = field.persist(values, instance)
except ServiceUnavailable as exc:
    print(*exc.confirmed.values(), file=sys.stderr)
    kept = field.persist(values, instance)
json.dump([str(each) for each in kept], sys.stdout)
