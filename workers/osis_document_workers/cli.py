"""``osis-document-worker``: takes tasks from Redis until it is told to stop, and tells whether it does."""

import sys
from typing import Never

import click

from osis_document_workers.settings import Settings, SettingsError

_NAME = "osis-document-worker"


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--slots", type=click.IntRange(min=1), help="Tasks that run side by side; by default one per core.")
@click.option("--interactive-slots", type=click.IntRange(min=1), help="Rotations and edits beside those; by default one.")
@click.option(
    "--queues", default="", help="Queues to take tasks from, comma-separated; by default all: convert,merge,interactive."
)
@click.version_option(package_name="osis-document")
@click.pass_context
def cli(context: click.Context, slots: int | None, interactive_slots: int | None, queues: str) -> None:
    """Convert, merge, rotate and edit documents for the service.

    Needs the service's address and a worker's key (OSIS_DOCUMENT_TARGET, OSIS_DOCUMENT_API_KEY) and the queue
    (OSIS_DOCUMENT_BROKER_URL=redis://…), and nothing else: no database, no shared disk.
    """
    if context.invoked_subcommand is not None:
        return
    from osis_document_workers import running  # which takes a second, and is not needed to ask for a worker's health

    try:
        wanted = running.wanted_queues(queues)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--queues") from exc
    try:
        running.run(slots=slots, interactive_slots=interactive_slots, queues=wanted)
    except running.CannotStartError as exc:
        _fail(str(exc), status=2)


@cli.command("health")
@click.option("--alive", is_flag=True, help="Ask only whether the worker itself is alive, not what it depends on.")
@click.option(
    "--max-age",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds that a living worker may not have looked at its queues.",
)
def check_health(alive: bool, max_age: float) -> None:
    """Tell whether the worker that runs here is alive and reaches Redis and the service.

    Ends with 0 if so, else with 1 and a line that says what is wrong and what to do. Takes the worker's environment.
    """
    from osis_document_workers import health

    try:
        settings = Settings.load()
        count = health.require_living_workers(settings.worker_scratch, max_age_seconds=max_age)
        if not alive:
            from osis_document_workers import reachability

            reachability.require_queue(settings)
            reachability.require_service()
    except (health.UnhealthyError, SettingsError) as exc:
        _fail(" ".join(str(exc).split()), status=1)
    reached = "" if alive else "; Redis and the service answer"
    click.echo(f"{_NAME}: {count} {'worker is' if count == 1 else 'workers are'} alive{reached}")


def _fail(message: str, *, status: int) -> Never:
    click.echo(f"{_NAME}: {message}", err=True)
    sys.exit(status)


def main() -> None:
    """Runs the command line."""
    cli()
