"""`osis-document cancel`."""

from __future__ import annotations

import click

from .jobs import print_job
from .settings import Settings, common_options, pass_settings
from .values import IdType


@click.command()
@click.argument("job", metavar="JOB", type=IdType("job"))
@common_options(hidden=True)
@pass_settings
def cancel(settings: Settings, *, job: str) -> None:
    """Cancels a job.

    What runs is stopped, and nothing more is begun. A job that has ended stays as it is.

    \b
    Example:
      osis-document cancel 77aa0c1e-54f4-4a2e-9d7e-5f3a8a3c2b10
    """
    with settings.open_client() as client:
        print_job(client.cancel(job), settings=settings)
