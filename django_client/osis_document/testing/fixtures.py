"""A fixture for pytest: a host's `conftest.py` imports it.

from osis_document.testing.fixtures import documents
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .fake import FakeDocuments, fake_documents


@pytest.fixture
def documents() -> Iterator[FakeDocuments]:
    """A document service in memory, which the app uses during the test."""
    with fake_documents() as faked:
        yield faked
