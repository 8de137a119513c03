"""A pool of warm LibreOffice instances."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from . import libreoffice
from .errors import EngineCancelledError, EngineError
from .limits import Limits
from .office_channel import CANCEL_POLL_SECONDS, Patience, WarmFailureError
from .office_instance import Instance
from .office_kit import library
from .options import ConvertOptions

logger = logging.getLogger(__name__)

#: Documents per instance. Measured with LibreOffice 7.4: 237 MiB after 13 small documents, 314 MiB after 221, so 0.4 MiB each,
#: which are not given back; a start takes as long as fifteen of them. And whoever took an instance over is to lose it again.
DOCUMENTS_PER_INSTANCE = 100
#: An instance that had nothing to do for so long is ended: it holds 165 MiB of its own at least.
IDLE_SECONDS = 300.0
#: After a start that failed, documents are converted in the cold way for so long before the next try.
RETRY_SECONDS = 60.0
#: How long `stop` waits for conversions that run; they are cancelled by then.
_STOP_SECONDS = 10.0


@dataclass(eq=False)
class _Slot:
    """A place for an instance. It is either free, or some thread has it."""

    instance: Instance | None = None
    #: When it was last given back, in monotonic seconds.
    used: float = 0.0
    #: Whether an instance that was ended is to be followed by another one before a document comes.
    wanted: bool = False


class OfficePool:
    """Converts office documents, in as many LibreOffice instances as there are slots.

    An instance is started for the first document that finds none, and kept for the next. One that failed, hung, was cancelled
    or has died is ended and replaced, without a document waiting for it if possible.

    Args:
        slots: how many documents are converted side by side; more than that wait.
        scratch: an existing folder for the instances' folders.
        limits: memory and file size of the instances. A document with other limits is converted in the cold way.
        soffice: LibreOffice's program; empty looks for `soffice` in PATH.
        documents_per_instance, idle_seconds, patience: see the constants and `Patience`.
    """

    def __init__(
        self,
        *,
        slots: int,
        scratch: Path,
        limits: Limits | None = None,
        soffice: str = "",
        documents_per_instance: int = DOCUMENTS_PER_INSTANCE,
        idle_seconds: float = IDLE_SECONDS,
        patience: Patience | None = None,
    ) -> None:
        self._scratch = scratch
        self._limits = limits or Limits()
        self._soffice = soffice
        self._documents = documents_per_instance
        self._idle_seconds = idle_seconds
        self._patience = patience or Patience()
        self._slots = [_Slot() for _ in range(slots)]
        #: The one used last is at the end, and taken first.
        self._free = list(self._slots)
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._no_start_before = float("-inf")
        self._keeper: threading.Thread | None = None

    def convert(
        self,
        source: Path,
        target: Path,
        *,
        mime_type: str,
        options: ConvertOptions,
        limits: Limits,
        cancelled: threading.Event | None = None,
    ) -> bool:
        """Converts one document; see `engines.convert` for the arguments.

        Returns:
            False if the document was not converted and the cold way is to be tried.

        Raises:
            EngineError, EngineCancelledError: as `Instance.convert`.
        """
        if (limits.memory_bytes, limits.output_bytes) != (self._limits.memory_bytes, self._limits.output_bytes):
            return False
        program = libreoffice.find(self._soffice)
        if library(Path(program).resolve().parent) is None:
            return False
        slot = self._take(cancelled)
        if slot is None:
            return False
        try:
            instance = self._instance(slot, program, cancelled)
            instance.convert(source, target, mime_type=mime_type, options=options, limits=limits, cancelled=cancelled)
        except WarmFailureError as exc:
            logger.info("a document is converted by a LibreOffice of its own: %s", exc)
            return False
        else:
            return True
        finally:
            self._give_back(slot)

    def stop(self) -> None:
        """Ends all instances. Documents that come later are not converted; those under way should have been cancelled."""
        deadline = time.monotonic() + _STOP_SECONDS
        with self._changed:
            self._stopping.set()
            self._changed.notify_all()
            self._changed.wait_for(lambda: len(self._free) == len(self._slots), timeout=deadline - time.monotonic())
            slots, self._free = self._free, []
        for slot in slots:
            _end(slot)
        if self._keeper is not None:
            self._keeper.join()

    def _take(self, cancelled: threading.Event | None) -> _Slot | None:
        """A slot that nobody has; waits for one. None if there is none to come."""
        with self._changed:
            while not self._stopping.is_set():
                if cancelled is not None and cancelled.is_set():
                    raise EngineCancelledError("cancelled before the start")
                if self._free:
                    return self._free.pop()
                self._changed.wait(CANCEL_POLL_SECONDS)
        return None

    def _give_back(self, slot: _Slot) -> None:
        if slot.instance is not None and (self._stopping.is_set() or not slot.instance.documents_left):
            _end(slot)
            slot.wanted = True
        slot.used = time.monotonic()
        with self._changed:
            self._free.append(slot)
            if self._keeper is None and not self._stopping.is_set():
                self._keeper = threading.Thread(target=self._keep, name="office-pool", daemon=True)
                self._keeper.start()
            self._changed.notify_all()

    def _instance(self, slot: _Slot, program: str, cancelled: threading.Event | None) -> Instance:
        """The slot's instance; started if there is none, or if it died."""
        if slot.instance is not None and not slot.instance.is_alive:
            logger.warning("a warm LibreOffice has died; it is replaced")
            _end(slot)
        if slot.instance is None:
            slot.instance = self._started(program, cancelled)
        return slot.instance

    def _started(self, program: str, cancelled: threading.Event | None) -> Instance:
        if time.monotonic() < self._no_start_before:
            raise WarmFailureError("the last start failed, and the next one is not tried yet")
        try:
            return Instance(
                program=program,
                limits=self._limits,
                documents=self._documents,
                scratch=self._scratch,
                patience=self._patience,
                cancelled=cancelled,
            )
        except (WarmFailureError, OSError) as exc:
            self._no_start_before = time.monotonic() + RETRY_SECONDS
            logger.warning("there is no warm LibreOffice: %s", exc)
            raise WarmFailureError("it does not start") from exc

    def _keep(self) -> None:
        """Starts instances that are wanted and ends those that are idle, until the pool stops."""
        while (slot := self._take_to_tend()) is not None:
            if slot.wanted:
                slot.wanted = False
                with contextlib.suppress(WarmFailureError, EngineError, EngineCancelledError):
                    self._instance(slot, libreoffice.find(self._soffice), self._stopping)
            else:
                _end(slot)
            self._give_back(slot)

    def _take_to_tend(self) -> _Slot | None:
        """Waits for a free slot whose instance is to be started or ended; None once the pool stops."""
        with self._changed:
            while not self._stopping.is_set():
                idle_since = time.monotonic() - self._idle_seconds
                for slot in self._free:
                    if slot.wanted or (slot.instance is not None and slot.used <= idle_since):
                        self._free.remove(slot)
                        return slot
                used = [slot.used for slot in self._free if slot.instance is not None]
                self._changed.wait(min(used) - idle_since if used else None)
        return None


def _end(slot: _Slot) -> None:
    if slot.instance is not None:
        slot.instance.close()
        slot.instance = None
