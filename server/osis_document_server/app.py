"""The composition root: makes all parts from the settings, puts them together, runs them and stops them in order."""

import fcntl
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import dramatiq
import grpc
import structlog
from peewee import DatabaseError

from osis_document_server.domain import content
from osis_document_server.domain.access import ApiKey, ApiKeys, Role
from osis_document_server.domain.tokens import TokenSigner
from osis_document_server.jobs.broker import TaskQueue, open_broker
from osis_document_server.models.database import (
    ServiceDatabase,
    UnusableDatabaseError,
    open_database,
    without_password,
)
from osis_document_server.models.migrate import migrate
from osis_document_server.operation.addresses import Reservation
from osis_document_server.operation.generated_keys import GeneratedKeys
from osis_document_server.operation.memory import collect_rarely
from osis_document_server.operation.private_files import make_private_file, make_private_folder, write_private
from osis_document_server.operation.repeating import repeat
from osis_document_server.rpc.admission import Capacity
from osis_document_server.rpc.certificates import CertificateError, CertificateFiles
from osis_document_server.rpc.document_service import DocumentServicer
from osis_document_server.rpc.download_service import DownloadServicer
from osis_document_server.rpc.post_processing_service import PostProcessingServicer
from osis_document_server.rpc.server import RpcServer, Servicers
from osis_document_server.rpc.token_service import TokenServicer
from osis_document_server.rpc.upload_service import UploadServicer
from osis_document_server.rpc.worker_service import WorkerServicer
from osis_document_server.settings import PREFIX, Settings, SettingsError, parse_api_keys, parse_signing_keys
from osis_document_server.storage.content_type import ContentTypes
from osis_document_server.storage.libmagic import UnusableMagicError
from osis_document_server.storages import open_own_storage, open_spool, unwritable_data_folder
from osis_document_server.usecases.confirmation import ConfirmUploads
from osis_document_server.usecases.content_changes import ContentChanges
from osis_document_server.usecases.dispatch import Dispatcher
from osis_document_server.usecases.documents import Documents
from osis_document_server.usecases.downloads import Downloads
from osis_document_server.usecases.duplication import DuplicateDocuments
from osis_document_server.usecases.finalizing import FinalizeDocuments
from osis_document_server.usecases.job_imports import ImportJobs
from osis_document_server.usecases.job_listing import ListJobs
from osis_document_server.usecases.lifecycle import Lifecycle
from osis_document_server.usecases.limits import Limits
from osis_document_server.usecases.listing import ListDocuments
from osis_document_server.usecases.metadata import UpdateMetadata
from osis_document_server.usecases.post_processing import PostProcessings
from osis_document_server.usecases.scrubbing import LEASE_LASTS, Scrubber
from osis_document_server.usecases.service import Service
from osis_document_server.usecases.service_leases import ServiceLease
from osis_document_server.usecases.sweeping import Sweeper
from osis_document_server.usecases.task_inputs import TaskInputs
from osis_document_server.usecases.tasks import Tasks
from osis_document_server.usecases.tokens import Tokens
from osis_document_server.usecases.uploads import Uploads
from osis_document_server.usecases.watching import Watching

if TYPE_CHECKING:
    from osis_document_server.usecases.upload_limit import UploadLimit

_log = structlog.get_logger(__name__)

#: In how many rounds everything is scrubbed once.
_SCRUB_ROUNDS = 30


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

    Args:
        settings: what it is made from.
        capacity: how many calls it serves at once.
        shares_port: whether other processes listen on the same port.
        is_hurried: asked while it stops: whether calls under way are to be broken off.

    Raises (on entering):
        SettingsError: a setting cannot be used.
        AddressUnavailableError: it cannot listen where it should.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        capacity: Capacity | None = None,
        shares_port: bool = False,
        is_hurried: Callable[[], bool] = lambda: False,
    ) -> None:
        self._settings = settings
        self._capacity = capacity or Capacity(
            streams=settings.max_streams, waiters=settings.max_waiters, calls=settings.max_calls
        )
        self._shares_port = shares_port
        self._is_hurried = is_hurried
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
        # First of all: a start that is refused leaves nothing behind.
        credentials = read_credentials(settings)
        if not self._shares_port:
            with Reservation(settings.listen):
                pass
        if settings.is_embedded:
            self._stop_steps.append(_lock_folder(settings.data_dir))
        keys = Keys.from_settings(settings)
        database = open_prepared_database(settings)
        self._stop_steps.append(database.close_all)
        broker = _open_broker(settings)
        service = build_service(settings, keys, database)
        dispatcher = Dispatcher(service, TaskQueue(broker))
        convertible = content.CONVERTIBLE.union(settings.convertible_types)
        post_processings = PostProcessings(service, dispatcher, convertible=convertible)
        watching = Watching(service, post_processings)
        downloads = Downloads(service)
        rpc = RpcServer(
            Servicers(
                uploads=UploadServicer(Uploads(service, _upload_limit(settings))),
                downloads=DownloadServicer(downloads),
                tokens=TokenServicer(Tokens(service)),
                documents=DocumentServicer(
                    documents=Documents(service),
                    listing=ListDocuments(service),
                    confirmation=ConfirmUploads(service),
                    finalizing=FinalizeDocuments(service),
                    metadata=UpdateMetadata(service),
                    changes=ContentChanges(service, dispatcher, watching),
                    duplication=DuplicateDocuments(service),
                    lifecycle=Lifecycle(service),
                ),
                post_processings=PostProcessingServicer(
                    post_processings, ImportJobs(service, post_processings), ListJobs(service), watching
                ),
                workers=WorkerServicer(Tasks(service, dispatcher, watching), TaskInputs(service), downloads),
            ),
            keys=ApiKeys(keys.api_keys),
            capacity=self._capacity,
            idle_seconds=settings.stream_idle_seconds,
            shares_port=self._shares_port,
        )
        local_folder = tempfile.TemporaryDirectory(prefix="osis-document-") if settings.is_embedded and credentials else None
        if local_folder is not None:
            self._stop_steps.append(local_folder.cleanup)
        # Stopped in the opposite order: watchers end before the calls that they are.
        self._stop_steps.append(lambda: rpc.stop(grace_seconds=settings.stop_grace_seconds, is_hurried=self._is_hurried))
        self._stop_steps.append(watching.stop)
        self.target = local_target = rpc.listen(settings.listen, credentials=credentials)
        if local_folder is not None:
            # The worker inside and clients of the same user cannot know which authority to trust. Nobody else can reach this one.
            local_target = rpc.listen(f"unix:{local_folder.name}/server.sock")
        rpc.start()
        sweeper = Sweeper(service, dispatcher)
        if settings.is_embedded:
            worker = _start_embedded_worker(settings, broker, target=local_target, api_key=keys.secret_of(Role.WORKER) or "")
            self._stop_steps.append(worker.stop)
            sweeper.restart()
            self._stop_steps.append(_tell_clients(settings.data_dir, target=local_target, api_key=keys.secret_of(Role.CLIENT)))
        self._stop_steps.append(sweeper.stop)
        self._stop_steps.append(repeat(sweeper.sweep, name="sweeper", every_seconds=settings.sweep_seconds))
        if settings.scrub_seconds:
            self._stop_steps.append(_start_scrubbing(service, settings))
        collect_rarely()
        rpc.report_healthy()
        self._stop_steps.append(rpc.report_stopping)
        _log.info("serving", target=self.target, database=without_password(settings.database))

    def _stop(self) -> None:
        """Takes back what was started, last first: health is refused before the worker drains, and that before calls end."""
        while self._stop_steps:
            step = self._stop_steps.pop()
            try:
                step()
            except Exception:  # noqa: BLE001 - the other steps are to be done all the same
                _log.exception("stopping goes on after a failed step")


def read_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """Returns what TLS needs; None: it is not wanted.

    Raises:
        SettingsError: a file cannot be used.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    files = CertificateFiles(certificate=settings.tls_certificate, key=settings.tls_key, client_ca=settings.tls_client_ca)
    try:
        return files.credentials()
    except CertificateError as exc:
        raise SettingsError(f"{PREFIX}TLS_{exc.file.upper()}={getattr(files, exc.file)}: {exc}") from exc


def open_prepared_database(settings: Settings) -> ServiceDatabase:
    """Opens the database and brings it to this version's schema.

    Raises:
        SettingsError: ``DATABASE_URL`` cannot be used, or what it names cannot be brought there.
    """
    database = open_configured_database(settings)
    try:
        names = migrate(database)
    except DatabaseError as exc:
        database.close_all()
        raise SettingsError(
            f"{PREFIX}DATABASE_URL: the tables cannot be brought to this version's: {' '.join(str(exc).split())}. "
            "The user needs the right to create and change them: make it the owner of the database."
        ) from exc
    for name in names:
        _log.info("database migrated", migration=name)
    return database


def open_configured_database(settings: Settings) -> ServiceDatabase:
    """Opens the database as it is.

    Raises:
        SettingsError: ``DATABASE_URL`` cannot be used.
    """
    try:
        return open_database(settings.database)
    except UnusableDatabaseError as exc:
        raise SettingsError(f"{PREFIX}DATABASE_URL: {exc}") from exc


def build_service(settings: Settings, keys: Keys, database: ServiceDatabase) -> Service:
    """Returns what all use cases work with.

    Raises:
        SettingsError: a setting cannot be used, or the storage is not the one that belongs to the database.
    """
    storage = open_own_storage(settings, database)
    return Service(
        database=database,
        storage=storage,
        spool=open_spool(settings, storage),
        content_types=open_content_types(settings),
        signer=TokenSigner(keys.signing_keys),
        limits=Limits(
            token_max_age=settings.seconds("token_max_age"),
            token_max_ttl=settings.seconds("token_max_ttl"),
            temp_upload_max_age=settings.seconds("temp_upload_max_age"),
            export_max_age=settings.seconds("export_expiration_policy_age"),
            deleted_max_age=settings.seconds("deleted_upload_max_age"),
            blob_grace=settings.seconds("blob_grace_seconds"),
            job_max_age=settings.seconds("job_max_age"),
            lease_duration=settings.seconds("lease_seconds"),
            resend_after=settings.seconds("resend_seconds"),
            max_upload_size=settings.max_upload_size,
            allowed_extensions=settings.allowed_extensions,
            validate_types=settings.enable_mimetype_validation,
        ),
    )


def open_content_types(settings: Settings) -> ContentTypes:
    """Returns what tells the types of files.

    Raises:
        SettingsError: ``MAGIC_FILE`` cannot be used.
    """
    try:
        return ContentTypes(settings.magic_file)
    except UnusableMagicError as exc:
        raise SettingsError(f"{PREFIX}MAGIC_FILE={settings.magic_file}: {exc}.") from exc


def _upload_limit(settings: Settings) -> "UploadLimit | None":
    if settings.client_upload_limit is None:
        return None
    # With Redis' library it takes half a second to import.
    from osis_document_server.usecases.upload_limit import UploadLimit

    return UploadLimit(settings.client_upload_limit, redis_url=None if settings.is_embedded else settings.broker_url)


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
    try:
        return embedded.start(
            broker,
            target=target,
            api_key=api_key,
            slots=settings.embedded_slots or os.cpu_count() or 1,
            interactive_slots=settings.embedded_interactive_slots,
            allow_root=settings.root_engines_allowed,
        )
    except embedded.RootEnginesError as exc:
        raise SettingsError(str(exc)) from exc


def _lock_folder(folder: Path) -> Callable[[], None]:
    """Makes sure that one server alone uses the data folder; returns how to let it go."""
    try:
        make_private_folder(folder)
        make_private_file(folder / "server.lock")
        file = (folder / "server.lock").open("w")
    except OSError as exc:
        raise unwritable_data_folder(folder, exc) from exc
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


def _start_scrubbing(service: Service, settings: Settings) -> Callable[[], None]:
    """Has everything read again from time to time; returns how to stop that."""
    lease = ServiceLease(service, "scrub", lasts=LEASE_LASTS)
    scrubber = Scrubber(service, bytes_per_second=settings.scrub_bytes_per_second, lease=lease)
    # In many small rounds: what is due then is a small part of everything.
    stop = repeat(
        lambda: scrubber.scrub(not_since=service.now() - settings.seconds("scrub_seconds")),
        name="scrubber",
        every_seconds=settings.scrub_seconds / _SCRUB_ROUNDS,
    )

    def stop_all() -> None:
        scrubber.stop()
        stop()

    return stop_all
