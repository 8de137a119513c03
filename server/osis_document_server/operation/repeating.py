"""Work that is done again and again as long as the process lives."""

import threading
from collections.abc import Callable

import structlog

from osis_document_server.errors import ServiceError

_log = structlog.get_logger(__name__)


def repeat(work: Callable[[], object], *, name: str, every_seconds: float) -> Callable[[], None]:
    """Does some work again and again in a thread of its own; a round that fails is logged, and the next one comes all the same.

    Args:
        work: one round.
        name: the thread's.
        every_seconds: from the end of a round to the next; the first comes after as long.

    Returns:
        What stops it: waits for the end of a round under way.
    """
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(every_seconds):
            try:
                work()
            except ServiceError as exc:
                _log.warning("trying again in the next round", thread=name, why=exc.message)
            except Exception:  # noqa: BLE001 - a thread that ended here would end for good
                _log.exception("trying again in the next round", thread=name)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()

    def stop() -> None:
        stopped.set()
        thread.join()

    return stop
