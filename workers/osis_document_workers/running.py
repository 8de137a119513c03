"""A worker as a process: made from its settings, and run until it is told to stop."""

import atexit
import os
import signal
from collections.abc import Callable

import click

from osis_document_client import AuthenticationError, Client, ClientConfig, ConfigurationError, OsisDocumentError
from osis_document_workers import reachability, telemetry
from osis_document_workers.actors import QUEUES
from osis_document_workers.engines import registry
from osis_document_workers.health import UnhealthyError
from osis_document_workers.heartbeat import Heartbeat, WatchedBroker
from osis_document_workers.logs import configure_logs
from osis_document_workers.scratch import ScratchFolder
from osis_document_workers.settings import PREFIX, Settings, SettingsError
from osis_document_workers.worker import RootEnginesError, RunningWorker

_NAME = "osis-document-worker"


class CannotStartError(Exception):
    """The worker cannot start. The message says why, and what to do."""


def wanted_queues(queues: str) -> set[str]:
    """Reads names of queues, comma-separated; none means all.

    Raises:
        ValueError: there is no such queue.
    """
    wanted = {name.strip() for name in queues.split(",") if name.strip()}
    if unknown := wanted - set(QUEUES):
        raise ValueError(f"there is no queue {', '.join(sorted(unknown))}; there are {', '.join(QUEUES)}")
    return wanted or set(QUEUES)


def run(*, slots: int | None, interactive_slots: int | None, queues: set[str]) -> None:
    """Takes tasks until SIGTERM or SIGINT.

    Args:
        slots, interactive_slots: how many tasks of either kind run side by side; None: as the settings say.
        queues: where to take tasks from.

    Raises:
        CannotStartError: a setting cannot be used, Redis does not answer, the key is no worker's, or engines would run as root.
    """
    try:
        settings = Settings.load()
        configure_logs(settings.log_format)
        client = Client(ClientConfig.from_environment())
        sign_of_life = ScratchFolder(settings.worker_scratch)
        atexit.register(sign_of_life.remove)  # whether the worker starts or not
        broker = WatchedBroker(url=settings.broker_url, heartbeat=Heartbeat(sign_of_life.path))
        reachability.require_queue(settings)
        _require_worker_key(client)
        if settings.metrics_address:
            _serve_metrics(broker, *settings.metrics_address)
    except (SettingsError, ConfigurationError, AuthenticationError, UnhealthyError) as exc:
        raise CannotStartError(str(exc)) from exc
    registry.installed()  # so that what is wrong with a converter is told now, and not to the first document
    wait_for_signal = _catch_signals()
    try:
        worker = RunningWorker(
            broker,
            client,
            slots=slots or settings.worker_slots,
            interactive_slots=interactive_slots or settings.worker_interactive_slots,
            queues=queues,
            scratch=settings.worker_scratch,
            allow_root=settings.allow_root_engines,
        )
    except RootEnginesError as exc:
        raise CannotStartError(str(exc)) from exc
    click.echo(f"{_NAME} is taking tasks", err=True)
    wait_for_signal()
    click.echo("stopping: tasks that run are given back", err=True)
    worker.stop()


def _catch_signals() -> Callable[[], None]:
    """Has SIGTERM and SIGINT kept from now on; returns how to wait for one.

    Whichever thread the system hands a signal to writes to a pipe. Handlers run in the main thread alone, which would not wake
    for a signal that another thread got, as happens to a process that was stopped and goes on.
    """
    caught, written = os.pipe()
    os.set_blocking(written, False)
    signal.set_wakeup_fd(written, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def wait() -> None:
        os.read(caught, 1)

    return wait


def _require_worker_key(client: Client) -> None:
    """Raises ``AuthenticationError`` when the service does not take the key for a worker's. One that is away may come back."""
    try:
        reachability.ask_service(client)
    except AuthenticationError:
        raise
    except OsisDocumentError as exc:
        click.echo(f"{_NAME}: {exc} Tasks are taken once it answers.", err=True)


def _serve_metrics(broker: WatchedBroker, host: str, port: int) -> None:
    try:
        from osis_document_workers import metrics
    except ImportError as exc:
        raise SettingsError(
            f"{PREFIX}WORKER_METRICS needs prometheus-client, which is missing: pip install 'osis-document[workers]' ({exc})"
        ) from exc
    registry = metrics.make_registry()
    telemetry.collect_with(metrics.TaskMetrics(registry))
    broker.add_middleware(metrics.QueueTime(registry))
    try:
        chosen = metrics.serve(registry, host, port)
    except OSError as exc:
        raise SettingsError(f"{PREFIX}WORKER_METRICS={host}:{port}: {exc.strerror}. Name another address, or none.") from exc
    click.echo(f"{_NAME} answers Prometheus at http://{host}:{chosen}/metrics", err=True)
