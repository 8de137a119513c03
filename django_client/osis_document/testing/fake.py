"""What a test has at hand, and how the app is given the fake."""

from __future__ import annotations

import io
import unittest
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, cast
from unittest.mock import patch
from uuid import UUID

from osis.document.v1.document_pb2 import Document
from osis.document.v1.post_processing_pb2 import PostProcessing
from osis_document import channel, conf
from osis_document.enums import DocumentExpirationPolicy
from osis_document.services import primary, uploads
from osis_document_client import Client, ServiceError, Unavailable

from .client import Backend, FakeClient
from .jobs import Outcome
from .store import DELETED


class FakeDocuments:
    """The documents of a test: a service in memory, to put files in, to look at, and to have things go wrong with."""

    def __init__(self) -> None:
        self._backend = Backend()

    def __len__(self) -> int:
        """How many documents there are, unconfirmed and deleted ones too."""
        return len(self._backend.store.documents)

    def client(self) -> Client:
        """The client that the app has."""
        return channel.client()

    def upload(self, content: bytes = b"A note.", name: str = "note.txt", **metadata: Any) -> str:
        """Uploads a file, as a browser does, and answers the write token that a form is submitted with."""
        return uploads.save(io.BytesIO(content), name, metadata=metadata or None).token

    def store(self, content: bytes = b"A note.", name: str = "note.txt", *, path: str = "", **metadata: Any) -> UUID:
        """Uploads and confirms a file, and answers the document's UUID."""
        [document] = self.client().confirm([self.upload(content, name, **metadata)], path=path)
        return UUID(document.id)

    def document(self, document_id: UUID | str) -> Document:
        """What the service says of a document.

        Raises:
            osis_document_client.DocumentNotFound: there is none.
        """
        copy = Document()
        copy.CopyFrom(self._backend.store.find(str(document_id)).document)
        return copy

    def content(self, document_id: UUID | str) -> bytes:
        """The bytes of a document, deleted ones too.

        Raises:
            osis_document_client.DocumentNotFound: there is none.
        """
        return self._backend.store.find(str(document_id)).content

    def is_deleted(self, document_id: UUID | str) -> bool:
        """Whether a document is deleted, or gone."""
        found = self._backend.store.documents.get(str(document_id))
        return found is None or found.document.status == DELETED

    def is_held(self, document_id: UUID | str) -> bool:
        """Whether a document still waits to be made final."""
        return self.document(document_id).HasField("hold_expire_time")

    def declare_infected(self, document_id: UUID | str) -> None:
        """Has a virus scanner find something."""
        self.client().declare_infected(str(document_id))

    def declare_corrupt(self, document_id: UUID | str) -> None:
        """Has stored bytes be damaged."""
        self._backend.store.find(str(document_id)).document.corrupt = True

    def advance(self, duration: timedelta) -> None:
        """Lets time pass for the service: tokens expire, and what nobody confirmed or finalised is removed."""
        self._backend.store.passed += duration
        with self._backend.store.lock:
            self._backend.store.sweep()

    @property
    def post_processing(self) -> Outcome:
        """What becomes of post-processings when they are started: `"done"` (by default), `"pending"` or `"failed"`."""
        return self._backend.post_processings.outcome

    @post_processing.setter
    def post_processing(self, outcome: Outcome) -> None:
        self._backend.post_processings.outcome = outcome

    @property
    def jobs(self) -> list[PostProcessing]:
        """The post-processings that were started, oldest first."""
        return list(self._backend.store.jobs.values())

    def finish(self, job_id: str) -> None:
        """Ends a pending post-processing with its outputs."""
        with self._backend.store.lock:
            self._backend.post_processings.finish(self._backend.post_processings.find(job_id))

    def fail(self, job_id: str, reason: str = "DOCUMENT_UNREADABLE") -> None:
        """Ends a pending post-processing without; the reason is one of the contract's `ErrorReason`."""
        with self._backend.store.lock:
            self._backend.post_processings.fail(self._backend.post_processings.find(job_id), reason)

    @contextmanager
    def refusing(self, error: ServiceError | None = None) -> Iterator[None]:
        """Has every call refused in a block, by default as if no service answered."""
        self._backend.refusal = error or Unavailable("no service answers: the test has it so")
        try:
            yield
        finally:
            self._backend.refusal = None

    @property
    def calls(self) -> list[str]:
        """The names of the rpcs that were called, in order: `GetDocument` …; clear it before what is to be counted."""
        return self._backend.calls


@contextmanager
def fake_documents() -> Iterator[FakeDocuments]:
    """Gives the app a service in memory for a block, or as a decorator for a function. Nothing leaves the process.

    Settings without which the app cannot work are set where the project's tests have none.
    """
    from django.test import override_settings

    documents = FakeDocuments()
    missing = {name: example for name, example in conf.REQUIRED.items() if not conf.is_set(name)}
    with ExitStack() as stack:
        stack.enter_context(override_settings(**missing))
        channel.close()
        stack.callback(channel.close)
        stack.enter_context(patch.object(channel, "Client", partial(FakeClient, backend=documents._backend)))
        stack.enter_context(patch.object(primary, "confirm", _confirm_as_primary))
        yield documents


def _confirm_as_primary(
    token: str,
    *,
    related_model: Mapping[str, Any],
    policy: DocumentExpirationPolicy | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> str:
    """Confirms for a model that is not installed here, whose `upload_to` nobody knows: the path is that of the field."""
    folder = "/".join(str(related_model[key]) for key in ("app", "model", "field"))
    return uploads.confirm(token, upload_to=f"{folder}/", document_expiration_policy=policy, metadata=metadata)


class FakeDocumentsMixin:
    """Gives each test of a `django.test.TestCase` a service in memory, as `self.documents`. It comes first among the bases."""

    documents: FakeDocuments

    def setUp(self) -> None:
        """Begins with no document at all."""
        test = cast("unittest.TestCase", self)
        faked = fake_documents()
        self.documents = faked.__enter__()
        test.addCleanup(faked.__exit__, None, None, None)
        super().setUp()  # type: ignore[misc]  # that of the test case
