"""A worker inside the server's process: the embedded default. It speaks to the server as any other worker does."""

import dramatiq

from osis_document_client import Client, ClientConfig
from osis_document_workers.worker import RunningWorker


def start(broker: dramatiq.Broker, *, target: str, api_key: str, slots: int, interactive_slots: int) -> RunningWorker:
    """Starts a worker in this process.

    Args:
        broker: the server's own in-process broker.
        target: where the server listens.
        api_key: a worker's key.
        slots: how many tasks run side by side.
        interactive_slots: how many of those that somebody waits for, beside the others.
    """
    return RunningWorker(
        broker, Client(ClientConfig(target=target, api_key=api_key)), slots=slots, interactive_slots=interactive_slots
    )
