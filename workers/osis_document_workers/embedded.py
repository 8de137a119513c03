"""A worker inside the server's process: the embedded default. It speaks to the server as any other worker does."""

import dramatiq

from osis_document_client import Client, ClientConfig
from osis_document_workers.worker import RootEnginesError, RunningWorker

__all__ = ["RootEnginesError", "RunningWorker", "start"]


def start(
    broker: dramatiq.Broker, *, target: str, api_key: str, slots: int, interactive_slots: int, allow_root: bool = False
) -> RunningWorker:
    """Starts a worker in this process.

    Args:
        broker: the server's own in-process broker.
        target: where the server listens.
        api_key: a worker's key.
        slots: how many tasks run side by side.
        interactive_slots: how many of those that somebody waits for, beside the others.
        allow_root: whether engines may run as root if the host permits nothing else.

    Raises:
        RootEnginesError: they would, and may not.
    """
    return RunningWorker(
        broker,
        Client(ClientConfig(target=target, api_key=api_key)),
        slots=slots,
        interactive_slots=interactive_slots,
        allow_root=allow_root,
    )
