"""``osis-document-worker``: takes tasks from Redis until it is told to stop."""

import logging
import signal
import sys
import threading
from uuid import uuid4

import click
import redis
from dramatiq.brokers.redis import RedisBroker

from osis.document.v1 import worker_service_pb2
from osis_document_client import AuthenticationError, Client, ClientConfig, ConfigurationError, OsisDocumentError
from osis_document_workers.actors import QUEUES
from osis_document_workers.settings import Settings, SettingsError
from osis_document_workers.worker import RunningWorker


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--slots", type=click.IntRange(min=1), help="Tasks that run side by side; by default one per core.")
@click.option("--interactive-slots", type=click.IntRange(min=1), help="Rotations and edits beside those; by default one.")
@click.option("--queues", default="", help=f"Queues to take tasks from, comma-separated; by default all: {','.join(QUEUES)}.")
@click.version_option(package_name="osis-document")
def cli(slots: int | None, interactive_slots: int | None, queues: str) -> None:
    """Convert, merge, rotate and edit documents for the service.

    Needs the service's address and a worker's key (OSIS_DOCUMENT_TARGET, OSIS_DOCUMENT_API_KEY) and the queue
    (OSIS_DOCUMENT_BROKER_URL=redis://…), and nothing else: no database, no shared disk.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    wanted = {name.strip() for name in queues.split(",") if name.strip()}
    if unknown := wanted - set(QUEUES):
        raise click.BadParameter(
            f"there is no queue {', '.join(sorted(unknown))}; there are {', '.join(QUEUES)}", param_hint="--queues"
        )
    try:
        settings = Settings.load()
        client = Client(ClientConfig.from_environment())
        broker = RedisBroker(url=settings.broker_url, middleware=[])  # type: ignore[no-untyped-call]
        broker.client.ping()
        _require_worker_key(client)
    except (SettingsError, ConfigurationError, AuthenticationError, redis.RedisError) as exc:
        click.echo(f"osis-document-worker: {exc}", err=True)
        sys.exit(2)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    worker = RunningWorker(
        broker,
        client,
        slots=slots or settings.worker_slots,
        interactive_slots=interactive_slots or settings.worker_interactive_slots,
        queues=wanted or QUEUES,
        scratch=settings.worker_scratch,
    )
    click.echo("osis-document-worker is taking tasks", err=True)
    stopping.wait()
    click.echo("stopping: tasks that run are given back", err=True)
    worker.stop()


def _require_worker_key(client: Client) -> None:
    """Raises ``AuthenticationError`` when the service does not take the key for a worker's. One that is away may come back."""
    nothing = worker_service_pb2.ClaimTaskRequest(task_id=str(uuid4()), lease_id=str(uuid4()), worker="start")
    try:
        client.workers.ClaimTask(nothing, timeout=5)
    except AuthenticationError:
        raise
    except OsisDocumentError as exc:
        click.echo(f"osis-document-worker: {exc} Tasks are taken once it answers.", err=True)


def main() -> None:
    """Runs the command line."""
    cli()
