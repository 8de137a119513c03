"""The gateway's limits with caches that keep nothing, or lose it."""

from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse


def upload_a_note() -> int:
    """Uploads as a browser does; answers the status."""
    form = {"file": SimpleUploadedFile("note.txt", b"A note.")}
    return Client().post(reverse("osis_document:request-upload"), form).status_code


def test_with_a_cache_that_keeps_nothing_nobody_is_refused(osis_settings: Any) -> None:
    osis_settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    osis_settings.OSIS_DOCUMENT_UPLOAD_LIMIT = "1/day"
    assert [upload_a_note() for _ in range(2)] == [201, 201]


def test_a_count_that_the_cache_has_lost_begins_anew(osis_settings: Any) -> None:
    osis_settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "losing"}}
    osis_settings.OSIS_DOCUMENT_UPLOAD_LIMIT = "1/day"
    with patch.object(type(cache._connections["default"]), "add", lambda *args, **kwargs: False):  # lost right after it was there
        assert upload_a_note() == 201
    assert [upload_a_note() for _ in range(2)] == [201, 429]


@pytest.mark.parametrize("limit", [None, ""])
def test_without_a_limit_nothing_is_counted(osis_settings: Any, limit: str | None) -> None:
    osis_settings.OSIS_DOCUMENT_UPLOAD_LIMIT = limit
    assert [upload_a_note() for _ in range(2)] == [201, 201]
