"""One warm LibreOffice, as the process that uses it sees it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import launcher, libreoffice, operations
from .errors import EngineError, Reason
from .limits import Limits
from .office_channel import Channel, Patience, WarmFailureError
from .options import ConvertOptions
from .workspace import Workspace, workspace


class Instance:
    """A LibreOffice that has been started and waits for documents; for one thread at a time.

    Args:
        program: LibreOffice's program, as `libreoffice.find` gives it.
        limits: memory and file size of the process, and processor time per document.
        documents: how many documents it will be given at most.
        scratch: an existing folder for the instance's own, which is removed with it.
        patience: how long it may be silent.
        cancelled: ends the start when set.

    Raises:
        WarmFailureError: it does not start.
        EngineCancelledError: `cancelled` was set.
    """

    def __init__(
        self,
        *,
        program: str,
        limits: Limits,
        documents: int,
        scratch: Path,
        patience: Patience,
        cancelled: threading.Event | None = None,
    ) -> None:
        self._patience = patience
        #: How many more documents it can be given; 0 once it is to be closed.
        self.documents_left = documents
        with contextlib.ExitStack() as stack:
            self._space = stack.enter_context(workspace(scratch))
            ours, theirs = socket.socketpair()
            self._channel = Channel(stack.enter_context(ours))
            with theirs:
                # The kernel counts the processor time of its whole life; the process itself allows less per document.
                whole_life = replace(limits, cpu_seconds=limits.cpu_seconds * (documents + 1))
                process = _started(self._space, program=program, limits=whole_life, stdin=theirs.fileno())
                self._process = stack.enter_context(process)
            self._await_start(cancelled)
            self._own_files = set(_files(self._space.work))
            self._resources = stack.pop_all()

    @property
    def is_alive(self) -> bool:
        """Whether its process still runs."""
        return not self._process.has_ended

    def close(self) -> None:
        """Ends LibreOffice, at once, and removes its folder."""
        self.documents_left = 0
        self._resources.close()

    def convert(
        self,
        source: Path,
        target: Path,
        *,
        mime_type: str,
        options: ConvertOptions,
        limits: Limits,
        cancelled: threading.Event | None = None,
    ) -> None:
        """Converts one document; see `engines.convert` for the arguments.

        Raises:
            WarmFailureError: it was not converted; the cold way may do it.
            EngineError: PASSWORD_REQUIRED, DOCUMENT_UNREADABLE, PROCESSING_TIMED_OUT, PROCESSING_TOO_LARGE, ENGINE_CRASHED.
            EngineCancelledError: `cancelled` was set.
        """
        left, self.documents_left = self.documents_left - 1, 0  # until it is known that all went well
        [copy] = self._space.add([source])
        self._channel.send(
            {
                **operations.convert_request(
                    copy, self._space.result, mime_type=mime_type, options=options, work=self._space.work, program=""
                ),
                "cpu_seconds": limits.cpu_seconds,
            }
        )
        answer = self._answer(limits, cancelled)
        if "refused" in answer:
            raise WarmFailureError(f"LibreOffice refused: {answer['refused']}")
        error = None if "done" in answer else _document_error(answer)
        if error is None:
            self._publish(target)
        self._space.clear()
        if self._own_files.issuperset(_files(self._space.work)):  # nothing of the document is left for the next one
            self.documents_left = left
        if error is not None:
            raise error

    def _publish(self, target: Path) -> None:
        try:
            self._space.publish(target)
        except EngineError as exc:
            raise WarmFailureError(exc.message) from exc

    def _answer(self, limits: Limits, cancelled: threading.Event | None) -> dict[str, Any]:
        try:
            return self._channel.receive(
                deadline=time.monotonic() + limits.wall_seconds,
                answer_seconds=self._patience.answer,
                stall_seconds=self._patience.stall,
                cancelled=cancelled,
            )
        except TimeoutError:
            raise launcher.timed_out(limits) from None
        except EOFError:
            raise self._end_error(limits) from None

    def _await_start(self, cancelled: threading.Event | None) -> None:
        deadline = time.monotonic() + self._patience.start
        try:
            answer = self._channel.receive(
                deadline=deadline, answer_seconds=self._patience.start, stall_seconds=self._patience.start, cancelled=cancelled
            )
        except TimeoutError:
            raise WarmFailureError(f"LibreOffice is not ready after {self._patience.start:g} seconds") from None
        except EOFError:
            raise WarmFailureError(f"LibreOffice does not start: {self._end()}") from None
        if "ready" not in answer:
            raise WarmFailureError("LibreOffice does not start as it should")

    def _end_error(self, limits: Limits) -> Exception:
        """What to raise when the process has ended during a document: at a limit that holds in the cold way too, or otherwise."""
        ended = self._end()
        if isinstance(ended, launcher.Completed) and ended.exit_code in {-signal.SIGXCPU, -signal.SIGXFSZ}:
            try:
                launcher.check_limits(ended, limits)
            except EngineError as exc:
                return exc
        return WarmFailureError(f"LibreOffice ended: {ended}")

    def _end(self) -> launcher.Completed | str:
        """How the process ended, or why nobody knows."""
        report = self._process.report(deadline=time.monotonic() + launcher.END_SECONDS)
        try:
            return self._process.completed(report or b"")
        except EngineError as exc:
            return exc.message


def _started(space: Workspace, *, program: str, limits: Limits, stdin: int) -> launcher.Process:
    space.write_request(operations.serve_request(work=space.work, program=program))
    return launcher.Process(
        launcher.engine_command(space.request),
        limits=limits,
        cwd=space.work,
        read_only=[launcher.ENGINES, space.inputs, libreoffice.installation(program)],
        stdin=stdin,
    )


def _files(folder: Path) -> Iterator[str]:
    """Every file and folder below `folder`; links are not followed."""
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield str(Path(parent, name))


def _document_error(answer: dict[str, Any]) -> EngineError:
    """The document's own fault, as the process tells it."""
    try:
        return EngineError(Reason(answer["reason"]), str(answer["message"]))
    except (KeyError, ValueError) as exc:
        raise WarmFailureError("the process sends what nobody asked for") from exc
