"""What fails of several things that were asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

from osis.document.v1.document_pb2 import Document

from .. import (
    AuthenticationError,
    BatchFailed,
    OsisDocumentError,
    ServiceError,
    Unavailable,
    UploadInterrupted,
    UploadLimitReached,
)
from .faults import fault_of
from .text import visible

#: No other item of the same kind would fare better.
_CONCERN_ALL = (Unavailable, AuthenticationError, UploadLimitReached)


class Failures:
    """Reports what fails of several things, lets the others go on, and says at the end what was not done.

    Attributes:
        hopeless: what failed last would fail with all others too.
    """

    def __init__(self, *, as_json: bool, kind: str, plural: str) -> None:
        """Begins without a failure.

        Args:
            as_json: reports are for programs.
            kind: what each thing is, for programs (`file`, `document_id`).
            plural: what several are, for people (`files`).
        """
        self.hopeless = False
        self._as_json = as_json
        self._kind = kind
        self._plural = plural
        self._failed: list[str] = []
        self._not_tried: list[str] = []
        self._exit_code = 0

    @contextmanager
    def caught(self, subject: str, *, advice: str = "") -> Iterator[None]:
        """Reports an error that the block raises, as one about `subject`; `advice` says how to go on after an interruption."""
        try:
            yield
        except (OsisDocumentError, OSError, ValueError) as exc:
            self.note(exc, subject=subject, advice=advice)

    def note(self, error: OsisDocumentError | OSError | ValueError, *, subject: str, advice: str = "") -> None:
        """Reports an error about `subject`."""
        fault = fault_of(error, subject=subject, kind=self._kind, advice=advice)
        fault.report(as_json=self._as_json)
        cause = error.__cause__ if isinstance(error, UploadInterrupted) else error
        self.hopeless = isinstance(cause, _CONCERN_ALL)
        self._failed.append(subject)
        self._exit_code = self._exit_code or fault.exit_code

    def not_tried(self, subjects: Sequence[str]) -> None:
        """Notes what was given up without a try."""
        self._not_tried += subjects

    def exit(self, *, of: int) -> None:
        """Ends the command with the exit code of the first failure, if there was one.

        Args:
            of: how many things were asked for. Where there are several, what was not done is listed.
        """
        if not self._exit_code:
            return
        undone = len(self._failed) + len(self._not_tried)
        if self._as_json:
            for subject in self._not_tried:
                error = {
                    "reason": "NOT_TRIED",
                    "code": "",
                    "message": "given up before its turn",
                    "metadata": {self._kind: subject},
                }
                click.echo(json.dumps({"error": error}), err=True)
        elif of > 1:
            click.echo(f"\n{undone} of {of} {self._plural} not done:", err=True)
            for subject in self._failed:
                click.echo(f"  {visible(subject)}", err=True)
            for subject in self._not_tried:
                click.echo(f"  {visible(subject)} (not tried)", err=True)
        sys.exit(self._exit_code)


def change_each(
    change: Callable[[Sequence[str]], list[Document]], document_ids: Sequence[str], *, failures: Failures
) -> list[Document]:
    """Makes a change to several documents and reports those that were refused.

    Args:
        change: makes it; raises `BatchFailed` with what became of each.
        document_ids: the documents.
        failures: what is told of the refusals.

    Returns:
        The documents that were changed, in order.
    """
    try:
        return change(document_ids)
    except BatchFailed as exc:
        changed = []
        for document_id, result in zip(document_ids, exc.results, strict=True):
            if isinstance(result, ServiceError):
                failures.note(result, subject=document_id)
            elif isinstance(result, Document):
                changed.append(result)
        return changed
