"""``osis-document-server``: serve, migrate, sweep, scrub, adopt-storage, keys, detect.

What commands work with is imported by each of them: it takes seconds to load, and a setting that cannot be used is told before.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import structlog

from osis_document_server.errors import ServiceError
from osis_document_server.operation.addresses import AddressUnavailableError
from osis_document_server.operation.failing import fail
from osis_document_server.operation.logs import configure_logs
from osis_document_server.operation.memory import keep_freed_memory
from osis_document_server.operation.open_files import allow_many_open_files
from osis_document_server.operation.processes import Supervisor
from osis_document_server.operation.stopping import StopRequest
from osis_document_server.operation.variables import unknown_variables
from osis_document_server.settings import Settings, SettingsError

if TYPE_CHECKING:
    from osis_document_server.usecases.scrubbing import ScrubReport
    from osis_document_server.usecases.service import Service

_log = structlog.get_logger(__name__)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="osis-document")
def cli() -> None:
    """The document service.

    Settings are environment variables that begin with OSIS_DOCUMENT_. With none of them set, everything is kept under ./var and
    runs in this one process.
    """


@cli.command()
def serve() -> None:
    """Serve until SIGTERM or Ctrl-C; a second one stops at once, without waiting for calls under way."""
    settings = _settings()
    allow_many_open_files()
    stop = StopRequest()
    stop.obey_signals()
    try:
        if settings.processes > 1:
            sys.exit(0 if Supervisor(settings, stop, announce=_announce).run() else 1)
        from osis_document_server import app

        keep_freed_memory()
        with app.Server(settings, is_hurried=stop.is_hurried) as server:
            _announce(server.target)
            stop.wait()
            click.echo("stopping: calls under way may end first", err=True)
    except (AddressUnavailableError, SettingsError) as exc:
        fail(exc)


@cli.command()
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if migrations are missing.")
def migrate(check: bool) -> None:
    """Bring the database to the schema of this version (serve does so by itself)."""
    settings = _settings()
    from osis_document_server import app
    from osis_document_server.models.migrate import pending

    try:
        if not check:
            app.open_prepared_database(settings)
            return
        missing = pending(app.open_configured_database(settings))
    except SettingsError as exc:
        fail(exc)
    for name in missing:
        click.echo(name)
    sys.exit(1 if missing else 0)


@cli.command()
@click.option("--dry-run", is_flag=True, help="Change nothing; list what is due.")
def sweep(dry_run: bool) -> None:
    """Remove what is past its time: a running server does so by itself, every few seconds.

    That is: uploads not finished or not confirmed, held documents that nobody made final, expired ones, deleted ones whose
    retention time is over, and bytes that nothing refers to any more.
    """
    service = _service()
    from osis_document_server.usecases.sweeping import Sweeper

    sweeper = Sweeper(service)
    if dry_run:
        for due in sweeper.due():
            click.echo(f"{due.kind:<8}  {due.id}  {due.why}")
        return
    total = 0
    while removed := sweeper.remove_due():
        total += removed
    click.echo(f"{total} removed", err=True)


@cli.command()
@click.option("--rate", type=click.IntRange(min=1), metavar="BYTES", help="Bytes a second to read at most. As fast as it goes.")
@click.option("--repaired", is_flag=True, help="Read marked blobs only, and take the mark off those that are sound again.")
def scrub(rate: int | None, repaired: bool) -> None:
    """Read all stored bytes again and compare them with what they were; exit with 1 if any are damaged or missing.

    A running server does so by itself, slowly. Damaged documents are marked, and refuse to be read until their bytes are
    restored. Prints a line for each stray: damaged, missing (a row without bytes), orphan (bytes without a row, left behind by
    a crash).
    """
    service = _service()
    from osis_document_server.usecases.scrubbing import Scrubber

    scrubber = Scrubber(service, bytes_per_second=rate)
    try:
        report = (
            scrubber.recheck(progress=_show_scrubbed)
            if repaired
            else scrubber.scrub(not_since=service.now(), progress=_show_scrubbed)
        )
    except ServiceError as exc:
        raise click.ClickException(exc.message) from exc
    assert report is not None, "nobody else is asked"
    if sys.stderr.isatty():
        click.echo(err=True)
    for kind, blobs in (
        ("damaged", report.damaged),
        ("missing", report.missing),
        ("repaired", report.repaired),
        ("orphan", report.orphans),
    ):
        for key in blobs:
            click.echo(f"{kind:<8}  {key}")
    click.echo(
        f"{report.blobs_read} blobs read, {report.bytes_read} bytes; {len(report.damaged)} damaged, "
        f"{len(report.missing)} missing, {len(report.orphans)} orphans",
        err=True,
    )
    if report.marked:
        click.echo(
            f"{report.marked} marked as damaged, and refused to readers; `osis-document-server scrub --repaired` takes the mark "
            "off those that are sound",
            err=True,
        )
    sys.exit(0 if report.is_sound else 1)


@cli.command()
@click.option("--force", is_flag=True, help="Do not look whether the oldest of the database's blobs is there.")
def adopt_storage(force: bool) -> None:
    """Make the storage the database's: after it was moved, or restored from a backup without its file storage-id.

    A server starts only with the storage that has the id that the database knows. This command writes that id into a storage
    that has none; where it has one, the database takes that. Nothing else is changed. Run scrub after it.
    """
    settings = _settings()
    from osis_document_server import app, storages

    try:
        identity = storages.adopt_storage(settings, app.open_prepared_database(settings), without_looking=force)
    except SettingsError as exc:
        fail(exc)
    click.echo(f"adopted: storage-id {identity}", err=True)


@cli.command()
def keys() -> None:
    """Show the generated keys of the embedded default, for clients on other hosts or in other languages."""
    settings = _settings()
    from osis_document_server import app

    try:
        api_keys = app.Keys.from_settings(settings).api_keys
    except SettingsError as exc:
        fail(exc)
    for key in api_keys:
        click.echo(f"{key.caller.name}:{key.secret}:{key.caller.role}")


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def detect(files: tuple[Path, ...]) -> None:
    """Show what kind of file each of FILES is found to be; exit with 1 if one is not what its extension says.

    Uploads of such files are refused unless OSIS_DOCUMENT_ENABLE_MIMETYPE_VALIDATION is false.
    """
    settings = _settings()
    from osis_document_server import app
    from osis_document_server.domain import content
    from osis_document_server.domain.names import extension_of

    try:
        content_types = app.open_content_types(settings)
    except SettingsError as exc:
        fail(exc)
    differing = False
    for file in files:
        extension = extension_of(file.name)
        detected = content_types.detect(file, extension=extension)
        agrees = content.TYPE_BY_EXTENSION.get(extension, detected) == detected
        differing |= not agrees
        click.echo(f"{'agrees' if agrees else 'differs':<7}  {detected}  {file}")
    sys.exit(1 if differing else 0)


def main() -> None:
    """Runs the command line."""
    cli()


def _announce(target: str) -> None:
    click.echo(f"osis-document-server is serving on {target}", err=True)


def _settings() -> Settings:
    try:
        settings = Settings.load()
    except SettingsError as exc:
        fail(exc)
    configure_logs(settings.log_format)
    for name, nearest in unknown_variables(os.environ).items():
        _log.warning("a variable is set that nobody reads", variable=name, **({"meant": nearest} if nearest else {}))
    return settings


def _service() -> "Service":
    """Puts together what commands beside a running server work with."""
    settings = _settings()
    from osis_document_server import app

    try:
        return app.build_service(settings, app.Keys.from_settings(settings), app.open_prepared_database(settings))
    except SettingsError as exc:
        fail(exc)


def _show_scrubbed(report: "ScrubReport") -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{report.blobs_read} blobs, {report.bytes_read / 1e6:.0f} MB", nl=False, err=True)
