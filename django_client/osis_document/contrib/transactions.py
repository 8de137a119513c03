"""What follows the commit of the host's transaction: documents become final, are processed, or are deleted."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connections, models, transaction

from ..exceptions import ConversionError, OsisDocumentException
from ..services import documents, post_processing

if TYPE_CHECKING:
    from .fields import FileField

logger = logging.getLogger(__name__)

#: Names in `instance._state`.
_HELD, _REQUEST_ID = "osis_document_held", "osis_document_request_id"


@dataclass(eq=False)
class Change:
    """What became of one field of one instance when it was saved."""

    field: FileField
    instance: models.Model
    value: tuple[UUID, ...]
    stored: tuple[UUID, ...]
    """What the row had before."""

    followed: bool = False
    """Whether it is known to what follows the transaction."""

    @property
    def needs_post_processing(self) -> bool:
        """Whether there is something new to be processed."""
        return bool(self.field.post_processing and self.value and self.value != self.stored)


class AfterCommit:
    """Everything that is to be done after a commit, in as few calls as it takes. Called once, by the database connection."""

    def __init__(self) -> None:
        self._held: dict[UUID, set[UUID] | None] = {}
        self._jobs: dict[tuple[int, str], Change] = {}
        self._removed: dict[UUID, None] = {}
        self._rows: list[Change | tuple[str, object]] = []

    def save(self, change: Change) -> None:
        """Has the documents of a change made final, and processed if they are others than before."""
        held = held_by(change.instance)
        self.finalize(held.intersection(change.value), known_to=held)
        key = (id(change.instance), change.field.attname)
        if change.needs_post_processing:
            self._jobs[key] = change
        self._rows.append(change)
        change.followed = True

    def take(self, changes: Iterable[Change], *, replaced: Iterable[UUID]) -> None:
        """Has changes followed, and what they replaced deleted."""
        for change in changes:
            self.save(change)
        self.remove(replaced)

    def finalize(self, ids: Iterable[UUID], *, known_to: set[UUID] | None = None) -> None:
        """Has documents made final, and taken out of the set that knows that they are held."""
        self._held.update(dict.fromkeys(ids, known_to))

    def remove(self, ids: Iterable[UUID], *, with_row: tuple[str, object] | None = None) -> None:
        """Has documents deleted, unless another row was saved with them in the same transaction.

        Args:
            ids: the documents.
            with_row: the label of the model and the primary key of the row that was deleted, if one was.
        """
        self._removed.update(dict.fromkeys(ids))
        if with_row is not None:
            self._rows.append(with_row)

    def __call__(self) -> None:
        """Does it. The rows are there, so nothing is raised: what fails is logged, and the rest is done all the same."""
        if self._held:
            _attempt(
                "held documents could not be made final; `manage.py osis_document_reconcile` does it before they expire",
                self._finalize,
            )
        for change in self._jobs.values():
            _attempt("the post-processing of saved documents failed", partial(_process, change))
        if self._removed:
            _attempt("documents that no row names any more could not be deleted", self._remove)

    def _finalize(self) -> None:
        documents.finalize([str(each) for each in self._held])
        for each, known_to in self._held.items():
            if known_to is not None:
                known_to.discard(each)

    def _remove(self) -> None:
        in_use = self._in_use()
        documents.delete([str(each) for each in self._removed if each not in in_use])

    def _in_use(self) -> set[UUID]:
        """The documents of rows as they were last saved: what was taken from one row may have been given to another one."""
        rows: dict[tuple[str, object], dict[str, tuple[UUID, ...]]] = {}
        for event in self._rows:
            if isinstance(event, tuple):
                rows.pop(event, None)
            elif event.instance.pk is not None:  # else it was deleted
                row = (event.field.model._meta.label, event.instance.pk)
                rows.setdefault(row, {})[event.field.attname] = event.value
        return {each for values in rows.values() for value in values.values() for each in value}


def after_commit(using: str) -> AfterCommit:
    """What follows the present transaction of a database; without a transaction there is none to collect for (see `follow`).

    Registrations that come one after the other are collected in one, so that a thousand rows need one call.
    """
    connection = connections[using]
    registered = connection.run_on_commit[-1] if connection.run_on_commit else None
    if registered is not None and registered[0] == set(connection.savepoint_ids) and isinstance(registered[1], AfterCommit):
        return registered[1]
    following = AfterCommit()
    transaction.on_commit(following, using=using, robust=True)
    return following


def follow(using: str, tell: Callable[[AfterCommit], None]) -> None:
    """Tells what is to follow the present transaction of a database; without one it is done at once.

    Args:
        using: the alias of the database.
        tell: called with what collects it.
    """
    if connections[using].in_atomic_block:
        tell(after_commit(using))
    else:
        following = AfterCommit()
        tell(following)
        transaction.on_commit(following, using=using, robust=True)


def held_by(instance: models.Model) -> set[UUID]:
    """The documents that were confirmed for an instance and not made final yet. It outlasts a rollback, so that saving the same
    instance again makes them final all the same."""
    held: set[UUID] = instance._state.__dict__.setdefault(_HELD, set())
    return held


@contextmanager
def confirming(instance: models.Model) -> Iterator[str]:
    """The request id to confirm documents of an instance with. After a failure the instance keeps it: the service may have
    confirmed, and nobody heard of it; saving the same instance again is then answered as the first time."""
    state = instance._state.__dict__
    request_id: str = state.setdefault(_REQUEST_ID, str(uuid.uuid4()))
    yield request_id
    state.pop(_REQUEST_ID, None)


def _process(change: Change) -> None:
    post_processing.launch(
        [str(each) for each in change.value],
        list(change.field.post_processing),
        params=change.field.post_process_params,
        asynchronous=change.field.async_post_processing,
    )


def _attempt(what_failed: str, do: Callable[[], None]) -> None:
    try:
        do()
    except ConversionError as exc:  # a document's own fault, which who asks for its token is told
        logger.warning("%s: %s", what_failed, exc.reason or type(exc).__name__)
    except OsisDocumentException as exc:
        logger.error("%s: %s", what_failed, exc.reason or type(exc).__name__)  # noqa: TRY400 - causes may carry ids and addresses
    except Exception:
        logger.exception("%s", what_failed)
