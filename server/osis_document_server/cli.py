"""``osis-document-server``: serve, migrate, sweep, keys."""

import signal
import sys
import threading
from typing import NoReturn

import click

from osis_document_server import app
from osis_document_server.logs import configure_logs
from osis_document_server.memory import keep_freed_memory
from osis_document_server.models.database import open_database
from osis_document_server.models.migrate import pending
from osis_document_server.rpc.server import AddressUnavailableError
from osis_document_server.settings import PREFIX, Settings, SettingsError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="osis-document")
def cli() -> None:
    """The document service.

    Settings are environment variables that begin with OSIS_DOCUMENT_. With none of them set, everything is kept under ./var and
    runs in this one process.
    """


@cli.command()
def serve() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    settings = _settings()
    keep_freed_memory()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        with app.Server(settings) as server:
            click.echo(f"osis-document-server is serving on {server.target}", err=True)
            stopping.wait()
            click.echo("stopping: calls under way may end first", err=True)
    except AddressUnavailableError as exc:
        _fail(f"{exc}.", f"Set {PREFIX}LISTEN to another address, for example 127.0.0.1:50052.")
    except SettingsError as exc:
        _fail(str(exc), "See docs/reference/configuration.md for what can be set.")


@cli.command()
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if migrations are missing.")
def migrate(check: bool) -> None:
    """Bring the database to the schema of this version (serve does so by itself)."""
    settings = _settings()
    if check:
        missing = pending(open_database(settings.database))
        for name in missing:
            click.echo(name)
        sys.exit(1 if missing else 0)
    app.open_prepared_database(settings)


@cli.command()
def keys() -> None:
    """Show the generated keys of the embedded default, for clients on other hosts or in other languages."""
    settings = _settings()
    for key in app.Keys.from_settings(settings).api_keys:
        click.echo(f"{key.caller.name}:{key.secret}:{key.caller.role}")


def main() -> None:
    """Runs the command line."""
    cli()


def _settings() -> Settings:
    try:
        settings = Settings.load()
    except SettingsError as exc:
        _fail(str(exc), "See docs/reference/configuration.md for what can be set.")
    configure_logs(settings.log_format)
    return settings


def _fail(what: str, remedy: str) -> NoReturn:
    click.echo(f"osis-document-server: {what}", err=True)
    click.echo(remedy, err=True)
    sys.exit(1)
