"""An engine's process as its caller sees it: one that is started for the document, or one that waits for it already.

Python and the libraries take 0.3 s to load, which is longer than most documents take. So a worker keeps one process ready. It has
seen no document, does one, and is gone, like those that are started for theirs.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import launcher
from .errors import EngineError, Reason
from .limits import Limits
from .workspace import Workspace, workspace

logger = logging.getLogger(__name__)

#: A process that nobody has wanted for so long is ended: it holds 45 MiB.
IDLE_SECONDS = 300.0


class EngineProcess:
    """A folder for one engine, and its process once it is to do something.

    Attributes:
        space: where its inputs go, and where its result appears.
    """

    def __init__(self, space: Workspace, *, limits: Limits) -> None:
        self.space = space
        self._limits = limits

    def perform(
        self, request: Mapping[str, Any], *, read_only: Sequence[Path] = (), cancelled: threading.Event | None = None
    ) -> None:
        """Has one operation done.

        Args:
            request: of `operations`.
            read_only: what the engine may read, beside the system and its own folders.
            cancelled: set it to end the process.

        Raises:
            EngineError: what the engine says, or what its launcher does.
            EngineCancelledError: `cancelled` was set.
        """
        self.space.write_request(request)
        completed = self._complete(read_only, cancelled)
        logger.debug(
            "%s took %.2f s, %.2f s of processor time, %d MiB",
            request["operation"],
            completed.wall_seconds,
            completed.cpu_seconds,
            completed.peak_memory_bytes >> 20,
        )
        if completed.exit_code != 0:
            raise _failure(completed, limits=self._limits, operation=request["operation"])

    def _complete(self, read_only: Sequence[Path], cancelled: threading.Event | None) -> launcher.Completed:
        return launcher.run(
            launcher.engine_command(self.space.request),
            limits=self._limits,
            cwd=self.space.work,
            read_only=[launcher.ENGINES, self.space.inputs, *read_only],
            cancelled=cancelled,
        )


class _WaitingProcess(EngineProcess):
    """A process that runs already, and waits for its request."""

    def __init__(self, space: Workspace, *, limits: Limits) -> None:
        super().__init__(space, limits=limits)
        hears, says = os.pipe()
        try:
            self._process = launcher.Process(
                launcher.engine_command(space.request, waits=True),
                limits=limits,
                cwd=space.work,
                read_only=[launcher.ENGINES, space.inputs],
                stdin=hears,
            )
        except BaseException:
            os.close(says)
            raise
        finally:
            os.close(hears)
        self._start = os.fdopen(says, "wb", buffering=0)

    @property
    def is_alive(self) -> bool:
        return not self._process.has_ended

    def close(self) -> None:
        self._start.close()
        self._process.close()

    def _complete(self, read_only: Sequence[Path], cancelled: threading.Event | None) -> launcher.Completed:
        assert not read_only, "what it may read was settled at its start"
        self._process.started = time.monotonic()  # what it waited is not the document's time
        try:
            self._start.write(b"\n")
        except BrokenPipeError:  # it has died just now, and seen nothing
            self._process.close()
            return super()._complete(read_only, cancelled)
        return launcher.await_end(self._process, limits=self._limits, cancelled=cancelled)


@contextlib.contextmanager
def new_process(scratch: Path, *, limits: Limits) -> Iterator[EngineProcess]:
    """Makes an engine's folder in `scratch`; its process starts when it has something to do."""
    with workspace(scratch) as space:
        yield EngineProcess(space, limits=limits)


class SpareProcess:
    """Keeps a process ready, from the first document on.

    Args:
        scratch: an existing folder for the engines' folders.
        limits: of the processes. A document with other limits has a process started for it.
        idle_seconds: see `IDLE_SECONDS`.
    """

    def __init__(self, *, scratch: Path, limits: Limits | None = None, idle_seconds: float = IDLE_SECONDS) -> None:
        self._scratch = scratch
        self._limits = limits or Limits()
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._ready: _WaitingProcess | None = None
        self._resources = contextlib.ExitStack()
        self._wanted = self._stopping = False
        self._keeper: threading.Thread | None = None

    @contextlib.contextmanager
    def process(self, *, limits: Limits) -> Iterator[EngineProcess]:
        """Gives away the process that is ready, or a new one; the next one is started when the caller is done with it."""
        with contextlib.ExitStack() as stack:
            with self._changed:
                ready, resources = self._taken() if limits == self._limits else (None, contextlib.ExitStack())
            stack.enter_context(resources)
            if ready is None or not ready.is_alive:
                yield stack.enter_context(new_process(self._scratch, limits=limits))
            else:
                yield ready
        with self._changed:
            self._wanted = True
            if self._keeper is None and not self._stopping:
                self._keeper = threading.Thread(target=self._keep, name="spare-engine", daemon=True)
                self._keeper.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """Ends the process that waits. Those that work should have been cancelled."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._keeper is not None:
            self._keeper.join()

    def _taken(self) -> tuple[_WaitingProcess | None, contextlib.ExitStack]:
        ready, self._ready = self._ready, None
        return ready, self._resources.pop_all()

    def _keep(self) -> None:
        """Starts processes when they are wanted, and ends them when nobody wants them."""
        while self._await_wish():
            try:
                ready, resources = self._started()
            except (OSError, EngineError) as exc:
                logger.warning("no engine is kept ready: %s", exc)
                continue
            with self._changed:
                self._ready, self._resources = ready, resources
                if not self._changed.wait_for(lambda: self._stopping or self._ready is None, timeout=self._idle_seconds):
                    self._wanted = False
                _, resources = self._taken()
            resources.close()

    def _await_wish(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._wanted)
            self._wanted = False
            return not self._stopping

    def _started(self) -> tuple[_WaitingProcess, contextlib.ExitStack]:
        with contextlib.ExitStack() as stack:
            process = _WaitingProcess(stack.enter_context(workspace(self._scratch)), limits=self._limits)
            stack.callback(process.close)
            return process, stack.pop_all()


def _failure(completed: launcher.Completed, *, limits: Limits, operation: str) -> EngineError:
    """What a process that failed says of it."""
    diagnosis = completed.stderr.decode(errors="replace").strip()
    if diagnosis:
        logger.warning("%s failed: %s", operation, diagnosis[-4000:])
    try:
        answer = json.loads(completed.stdout)
        reason, message = Reason(answer["reason"]), str(answer["message"])
        source = Path(answer["source"]) if answer.get("source") else None
    except (ValueError, KeyError, TypeError):
        reason, message, source = Reason.ENGINE_CRASHED, f"The engine ended with status {completed.exit_code}.", None
    if reason is Reason.PROCESSING_TOO_LARGE and not message:
        message = launcher.out_of_memory(limits)
    if reason is Reason.ENGINE_CRASHED:
        message = f"The processing was interrupted; it may succeed when tried again. {message}"
    return EngineError(reason, message, source=source)
