"""Comparing what the project's rows name with what the service keeps. A document is made final here, never deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from osis.document.v1.document_pb2 import Document, DocumentStatus
from osis.document.v1.document_service_pb2 import DocumentOrder
from osis.document.v1.post_processing_pb2 import PostProcessing, PostProcessingType
from osis_document_client import BatchFailed, ServiceError

from ..channel import client
from ..enums import FileStatus
from ..exceptions import translated
from ..services import times
from .named_documents import NamedDocuments, Place

#: How many documents are asked about, or made final, in one call.
BATCH_SIZE = 250
#: Why a document that was held a moment ago may be none to be made final now.
_GONE = {"DOCUMENT_NOT_FOUND", "DOCUMENT_DELETED", "DOCUMENT_INFECTED"}
#: The actions that make documents of their own.
_MAKING = (PostProcessingType.POST_PROCESSING_TYPE_CONVERT, PostProcessingType.POST_PROCESSING_TYPE_MERGE)


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A document that a row names and that cannot be used."""

    document_id: UUID
    place: Place
    row: str
    """The primary key."""

    why: str
    """`UNKNOWN`: the service has no such document; else its status: `DELETED`, `INFECTED` or `REQUESTED` (never confirmed)."""


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """The steps, each of which yields what it finds. The rows must have been read before."""

    named: NamedDocuments

    def finalize(self, *, dry_run: bool) -> Iterator[list[str]]:
        """Makes the held documents final that rows name; yields them batch by batch.

        Args:
            dry_run: they are only found.
        """
        with translated():
            held = client().list_documents(held=True, statuses=[DocumentStatus.DOCUMENT_STATUS_UPLOADED], page_size=BATCH_SIZE)
            while batch := [document.id for document in islice(held, BATCH_SIZE)]:
                wanted = self.named.among(batch)
                yield wanted if dry_run else _finalized(wanted)

    def missing(self) -> Iterator[list[Missing]]:
        """Looks up every document that a row names; yields those that cannot be used, batch by batch, also empty ones."""
        for batch in self.named.batches(BATCH_SIZE):
            with translated():
                results = client().get_documents([str(document_id) for document_id, _place, _row in batch])
            found = [
                Missing(document_id=document_id, place=place, row=row, why=why)
                for (document_id, place, row), result in zip(batch, results, strict=True)
                if (why := _why_missing(result))
            ]
            yield list(_still_named(found))

    def unnamed(self, *, unchanged_since: datetime) -> Iterator[list[Document]]:
        """Looks for final documents that no row names, and that are not the result of a post-processing the service remembers;
        yields them batch by batch, also empty ones. They may be another project's.

        Args:
            unchanged_since: what changed later is passed over; its row may have come after the rows were read.
        """
        with translated():
            for job in client().list_jobs(types=_MAKING):
                self.named.add_made(_made_by(job))
            kept = client().list_documents(
                held=False,
                statuses=[DocumentStatus.DOCUMENT_STATUS_UPLOADED],
                uploaded_before=unchanged_since,
                order=DocumentOrder.DOCUMENT_ORDER_UPLOAD_TIME_ASC,
                page_size=BATCH_SIZE,
            )
            while batch := list(islice(kept, BATCH_SIZE)):
                yield [
                    document
                    for document in batch
                    if times.moment(document.update_time) < unchanged_since and not self.named.is_accounted_for(document.id)
                ]


def _finalized(document_ids: list[str]) -> list[str]:
    """Makes documents final and answers those that are."""
    try:
        return [document.id for document in client().finalize(document_ids)]
    except BatchFailed as exc:
        for error in exc.errors.values():
            if error.reason not in _GONE:
                raise
        return [document_id for place, document_id in enumerate(document_ids) if place not in exc.errors]


def _why_missing(result: Document | ServiceError) -> str:
    """Empty for a document that can be used."""
    if isinstance(result, ServiceError):
        if result.reason != "DOCUMENT_NOT_FOUND":
            raise result
        return "UNKNOWN"
    status = FileStatus[DocumentStatus.Name(result.status).removeprefix("DOCUMENT_STATUS_")]
    return "" if status == FileStatus.UPLOADED else str(status.value)


def _still_named(found: list[Missing]) -> Iterator[Missing]:
    """Without those that rows stopped naming after they were read."""
    for place in dict.fromkeys(each.place for each in found):
        here = [each for each in found if each.place == place]
        if place.is_found_by_text:
            named = place.still_named([each.row for each in here])
            here = [each for each in here if each.document_id in named]
        yield from here


def _made_by(job: PostProcessing) -> Iterator[str]:
    for action in job.actions:
        for record in action.records:
            yield from (each for each in record.output_document_ids if each not in record.input_document_ids)
