"""Renders pages with documents, in a Django project with nothing but the app, and prints what they cost as JSON.

    python tests/benchmarks/page_calls.py <target> <documents>      (the key comes in PAGE_API_KEY)

Printed are, by the name of the page, the rpcs that it made, in order, and its seconds.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import UUID

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="of the benchmark",
    USE_TZ=True,
    INSTALLED_APPS=["osis_document"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    OSIS_DOCUMENT_BASE_URL="http://primary.example/osis_document/",
    OSIS_DOCUMENT_GRPC_TARGET=sys.argv[1],
    OSIS_DOCUMENT_API_SHARED_SECRET=os.environ["PAGE_API_KEY"],
)
django.setup()

from django import forms  # noqa: E402 - the settings come first
from django.template import Context, Template  # noqa: E402

from osis_document.channel import client  # noqa: E402
from osis_document.contrib import FileUploadField  # noqa: E402
from osis_document_client import _channel  # noqa: E402
from osis_document_client._interceptor import CallInterceptor  # noqa: E402

_DETAIL = """{% load osis_document %}
{% for each in files %}{% get_metadata each as one %}{% get_file_url each as url %}
<a href="{{ url }}">{{ one.name }}</a>{% endfor %}
{% document_visualizer files %}"""


class _Counting(CallInterceptor):
    """Notes the rpcs that are made."""

    made: list[str] = []  # noqa: RUF012 - the one list of this process

    def _intercept(self, continuation: Any, details: Any, *arguments: Any, **named: Any) -> Any:
        self.made.append(details.method.rpartition("/")[2])
        return super()._intercept(continuation, details, *arguments, **named)


def _detail_page(ids: list[UUID]) -> str:
    return Template(_DETAIL).render(Context({"files": ids}))


def _form_page(ids: list[UUID]) -> str:
    class Form(forms.Form):
        first = FileUploadField(initial=ids[0::3])
        second = FileUploadField(initial=ids[1::3])
        third = FileUploadField(initial=ids[2::3])

    return str(Form())


def _cost(page: Callable[[list[UUID]], str], ids: list[UUID]) -> dict[str, Any]:
    _Counting.made.clear()
    started = time.perf_counter()
    shown = page(ids)
    seconds = time.perf_counter() - started
    if not all(f"{number}.pdf" in shown for number in range(len(ids))):
        raise ValueError(f"the page does not show all files: {shown[:500]}")
    return {"calls": list(_Counting.made), "seconds": seconds}


def main() -> None:
    """Stores documents and renders the pages, each once to load what it needs and once to be measured."""
    _channel.CallInterceptor = _Counting  # type: ignore[misc] # all calls go through it
    count = int(sys.argv[2])
    tokens = [client().upload(_pdf(number), name=f"{number}.pdf").write_token for number in range(count)]
    ids = [UUID(document.id) for document in client().confirm(tokens)]
    pages = {"detail": _detail_page, "form": _form_page}
    for page in pages.values():
        _cost(page, ids)
    print(json.dumps({name: _cost(page, ids) for name, page in pages.items()}))


def _pdf(number: int) -> BytesIO:
    return BytesIO(b"%PDF-1.7\n" + str(number).encode())


if __name__ == "__main__":
    main()
