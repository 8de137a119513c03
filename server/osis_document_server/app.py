"""The composition root: makes all parts from the settings, puts them together, runs them and stops them in order."""

import fcntl
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import dramatiq
import structlog
from peewee import Database

from osis_document_server.domain.access import ApiKey, ApiKeys, Role
from osis_document_server.domain.tokens import TokenSigner
from osis_document_server.generated_keys import GeneratedKeys, write_private
from osis_document_server.jobs.broker import TaskQueue, open_broker
from osis_document_server.models.database import open_database, weakness_of_sqlite
from osis_document_server.models.migrate import migrate
from osis_document_server.rpc.admission import Capacity
from osis_document_server.rpc.document_service import DocumentServicer
from osis_document_server.rpc.download_service import DownloadServicer
from osis_document_server.rpc.post_processing_service import PostProcessingServicer
from osis_document_server.rpc.server import RpcServer, Servicers
from osis_document_server.rpc.token_service import TokenServicer
from osis_document_server.rpc.upload_service import UploadServicer
from osis_document_server.rpc.worker_service import WorkerServicer
from osis_document_server.settings import PREFIX, Settings, SettingsError, parse_api_keys, parse_signing_keys
from osis_document_server.storage.content_type import ContentTypes
from osis_document_server.storage.local import LocalStorage
from osis_document_server.storage.spool import Spool
from osis_document_server.usecases.confirmation import ConfirmUploads
from osis_document_server.usecases.dispatch import Dispatcher
from osis_document_server.usecases.documents import Documents
from osis_document_server.usecases.downloads import Downloads
from osis_document_server.usecases.finalizing import FinalizeDocuments
from osis_document_server.usecases.limits import Limits
from osis_document_server.usecases.post_processing import PostProcessings
from osis_document_server.usecases.service import Service
from osis_document_server.usecases.sweeping import Sweeper
from osis_document_server.usecases.tasks import Tasks
from osis_document_server.usecases.tokens import Tokens
from osis_document_server.usecases.uploads import Uploads
from osis_document_server.usecases.watching import Watching

_log = structlog.get_logger(__name__)


class EmbeddedWorker(Protocol):
    """The worker inside the server, as far as the server knows it."""

    def stop(self) -> None:
        """Finishes or gives back its tasks, then returns."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Whom the server serves, and what it signs with."""

    api_keys: list[ApiKey]
    signing_keys: dict[str, bytes]

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Takes the keys that are set, and generates the others where the server runs on its embedded default.

        Raises:
            SettingsError: a key cannot be read, or one that is needed is missing.
        """
        api_keys = settings.api_shared_secret.get_secret_value()
        signing_keys = settings.token_signing_keys.get_secret_value()
        generated = None if api_keys and signing_keys else GeneratedKeys(settings.data_dir)
        keys = parse_api_keys(api_keys) if api_keys or generated is None else generated.api_keys
        if settings.is_embedded and not any(key.caller.role is Role.WORKER for key in keys):
            # The worker inside needs a key too; nobody else ever sees this one.
            keys = [*keys, *(key for key in GeneratedKeys(settings.data_dir).api_keys if key.caller.role is Role.WORKER)]
        return cls(
            api_keys=keys,
            signing_keys=parse_signing_keys(signing_keys) if signing_keys or generated is None else generated.signing_keys,
        )

    def secret_of(self, role: Role) -> str | None:
        """Returns the first key with this role."""
        return next((key.secret for key in self.api_keys if key.caller.role is role), None)


class Server:
    """A whole server, running from ``__enter__`` to ``__exit__``.

    Raises (on entering):
        SettingsError: a setting cannot be used.
        AddressUnavailableError: it cannot listen where it should.
    """

    def __init__(self, settings: Settings, *, capacity: Capacity | None = None) -> None:
        self._settings = settings
        self._capacity = capacity or Capacity()
        self._stop_steps: list[Callable[[], None]] = []
        #: Where it listens, as a gRPC target.
        self.target = ""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._stop()

    def _start(self) -> None:
        settings = self._settings
        if settings.is_embedded:
            self._stop_steps.append(_lock_folder(settings.data_dir))
        keys = Keys.from_settings(settings)
        database = open_prepared_database(settings)
        broker = _open_broker(settings)
        service = build_service(settings, keys, database)
        dispatcher = Dispatcher(service, TaskQueue(broker))
        post_processings = PostProcessings(service, dispatcher)
        watching = Watching(service, post_processings)
        rpc = RpcServer(
            Servicers(
                uploads=UploadServicer(Uploads(service)),
                downloads=DownloadServicer(Downloads(service)),
                tokens=TokenServicer(Tokens(service)),
                documents=DocumentServicer(Documents(service), ConfirmUploads(service), FinalizeDocuments(service)),
                post_processings=PostProcessingServicer(post_processings, watching),
                workers=WorkerServicer(Tasks(service, dispatcher)),
            ),
            keys=ApiKeys(keys.api_keys),
            capacity=self._capacity,
            idle_seconds=settings.stream_idle_seconds,
        )
        # Stopped in the opposite order: watchers end before the calls that they are.
        self._stop_steps.append(lambda: rpc.stop(grace_seconds=settings.stop_grace_seconds))
        self._stop_steps.append(watching.stop)
        port = rpc.listen(settings.listen)
        self.target = settings.listen if settings.listen.startswith("unix:") else f"{settings.listen.rpartition(':')[0]}:{port}"
        rpc.start()
        sweeper = Sweeper(service, dispatcher)
        if settings.is_embedded:
            worker = _start_embedded_worker(settings, broker, target=self.target, api_key=keys.secret_of(Role.WORKER) or "")
            self._stop_steps.append(worker.stop)
            sweeper.restart()
            self._stop_steps.append(_tell_clients(settings.data_dir, target=self.target, api_key=keys.secret_of(Role.CLIENT)))
        self._stop_steps.append(_start_sweeping(sweeper, every_seconds=settings.sweep_seconds))
        rpc.report_healthy()
        self._stop_steps.append(rpc.report_stopping)
        _log.info("serving", target=self.target, database=settings.database.partition("@")[2] or settings.database)

    def _stop(self) -> None:
        """Takes back what was started, last first: health is refused before the worker drains, and that before calls end."""
        while self._stop_steps:
            step = self._stop_steps.pop()
            try:
                step()
            except Exception:  # noqa: BLE001 - the other steps are to be done all the same
                _log.exception("stopping goes on after a failed step")


def open_prepared_database(settings: Settings) -> Database:
    """Opens the database and brings it to this version's schema.

    Raises:
        SettingsError: ``DATABASE_URL`` cannot be used.
    """
    try:
        database = open_database(settings.database)
    except ValueError as exc:
        raise SettingsError(f"{PREFIX}DATABASE_URL: {exc}") from exc
    if warning := weakness_of_sqlite():
        _log.warning(warning)
    for name in migrate(database):
        _log.info("database migrated", migration=name)
    return database


def build_service(settings: Settings, keys: Keys, database: Database) -> Service:
    """Returns what all use cases work with."""
    return Service(
        database=database,
        storage=LocalStorage(settings.blobs),
        # Beside the blobs, so that a finished upload is renamed, not copied.
        spool=Spool(settings.blobs / "spool", floor_bytes=settings.disk_floor),
        content_types=ContentTypes(settings.magic_file),
        signer=TokenSigner(keys.signing_keys),
        limits=Limits(
            token_max_age=settings.seconds("token_max_age"),
            token_max_ttl=settings.seconds("token_max_ttl"),
            temp_upload_max_age=settings.seconds("temp_upload_max_age"),
            export_max_age=settings.seconds("export_expiration_policy_age"),
            job_max_age=settings.seconds("job_max_age"),
            lease_duration=settings.seconds("lease_seconds"),
            resend_after=settings.seconds("resend_seconds"),
            max_upload_size=settings.max_upload_size,
            allowed_extensions=settings.allowed_extensions,
            validate_types=settings.enable_mimetype_validation,
        ),
    )


def _open_broker(settings: Settings) -> dramatiq.Broker:
    try:
        return open_broker(settings.broker_url)
    except ValueError as exc:
        raise SettingsError(f"{PREFIX}BROKER_URL: {exc}") from exc


def _start_embedded_worker(settings: Settings, broker: dramatiq.Broker, *, target: str, api_key: str) -> EmbeddedWorker:
    try:
        from osis_document_workers import embedded
    except ImportError as exc:
        raise SettingsError(
            f"{PREFIX}BROKER_URL=memory:// runs a worker inside the server, which is not installed: "
            f"pip install 'osis-document[workers]', or set {PREFIX}BROKER_URL=redis://… ({exc})"
        ) from exc
    return embedded.start(broker, target=target, api_key=api_key, slots=settings.embedded_slots or os.cpu_count() or 1)


def _lock_folder(folder: Path) -> Callable[[], None]:
    """Makes sure that one server alone uses the data folder; returns how to let it go."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "server.lock").open("w")
    except OSError as exc:
        raise SettingsError(f"{PREFIX}DATA_DIR={folder}: {exc.strerror}. Name a folder that can be written.") from exc
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise SettingsError(
            f"{PREFIX}DATA_DIR={folder}: another server is using this folder. Stop it, or give this one a folder of its own."
        ) from None
    return file.close


def _tell_clients(folder: Path, *, target: str, api_key: str | None) -> Callable[[], None]:
    """Writes where the server is and a key for it, for clients on this machine; returns how to take that back."""
    file = folder / "client.json"
    write_private(file, {"target": target, "api_key": api_key or ""})
    return lambda: file.unlink(missing_ok=True)


def _start_sweeping(sweeper: Sweeper, *, every_seconds: float) -> Callable[[], None]:
    """Runs the sweeper in a thread; returns how to stop it."""
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(every_seconds):
            try:
                sweeper.sweep()
            except Exception:  # noqa: BLE001 - a thread that ended here would end for good
                _log.exception("the sweeper tries again in the next round")

    thread = threading.Thread(target=run, name="sweeper", daemon=True)
    thread.start()

    def stop() -> None:
        stopped.set()
        thread.join()

    return stop
