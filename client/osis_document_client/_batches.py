"""Batches: any number of items in calls of at most 1,000 each, and what became of every item."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar, overload

from osis.document.v1.document_pb2 import Document, DocumentResult
from osis.document.v1.document_service_pb2 import GetDocumentResult
from osis.document.v1.token_service_pb2 import CreateTokenResponse, TokenResult

from ._errors import BatchFailed, ServiceError, error_for_item

#: The service takes no more in one call.
MAX_ITEMS = 1_000

#: Of what is answered with whole documents less is asked for at once: each may have 64 KiB of keys of its own.
MAX_DOCUMENTS = 250

_A = TypeVar("_A")
_R = TypeVar("_R")
_T = TypeVar("_T")


class Results(Sequence["_T | ServiceError"], Generic[_T]):
    """What became of each item of a batch, in request order: what was asked for, or the error that a lone call would have raised.

    results = client.get_documents(document_ids)
    for found in results:
        if isinstance(found, ServiceError): …
    documents = results.require_all()  # or raises BatchFailed
    """

    def __init__(self, items: Iterable[_T | ServiceError]) -> None:
        self._items = tuple(items)

    @overload
    def __getitem__(self, index: int) -> _T | ServiceError: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[_T | ServiceError]: ...

    def __getitem__(self, index: int | slice) -> _T | ServiceError | Sequence[_T | ServiceError]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"Results({list(self._items)!r})"

    @property
    def errors(self) -> dict[int, ServiceError]:
        """The refusals, by place in the request."""
        return {place: item for place, item in enumerate(self._items) if isinstance(item, ServiceError)}

    @property
    def succeeded(self) -> list[_T]:
        """What was not refused, in request order."""
        return [item for item in self._items if not isinstance(item, ServiceError)]

    def require_all(self) -> list[_T]:
        """Answers what was asked for, where nothing was refused.

        Raises:
            BatchFailed: something was; it has these results.
        """
        errors = self.errors
        if errors:
            first = next(iter(errors.values()))
            raise BatchFailed(
                f"{len(errors)} of {len(self)} items were refused, the first because: {first.message}", results=self
            ) from first
        return self.succeeded


def in_batches(items: Iterable[_A], call: Callable[[list[_A]], Iterable[_R]], *, size: int) -> Iterator[_R]:
    """Makes one call for every `size` items and yields what they answer; no call where there is nothing to ask."""
    if isinstance(items, str):
        raise TypeError("one text was given; give a list")
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield from call(batch)


def document_or_error(result: DocumentResult | GetDocumentResult) -> Document | ServiceError:
    """Makes of one result of a batch the document, or the error that it was refused with."""
    return error_for_item(result.error) if result.WhichOneof("result") == "error" else result.document


def token_or_error(result: TokenResult) -> CreateTokenResponse | ServiceError:
    """Makes of one result of a batch what a lone call would have answered, or the error that it was refused with."""
    match result.WhichOneof("outcome"):
        case "error":
            return error_for_item(result.error)
        case "pending":
            return CreateTokenResponse(pending=result.pending)
        case "failed":
            return CreateTokenResponse(failed=result.failed)
        case _:
            return CreateTokenResponse(token=result.token)
