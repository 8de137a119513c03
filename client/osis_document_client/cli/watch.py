"""`osis-document watch`."""

from __future__ import annotations

import click

from osis.document.v1.post_processing_pb2 import PostProcessing

from .jobs import follow
from .settings import Settings, common_options, pass_settings
from .values import IdType


@click.command()
@click.argument("job", metavar="JOB", type=IdType("job"))
@common_options(hidden=True)
@pass_settings
def watch(settings: Settings, *, job: str) -> None:
    """Follows a job to its end and prints what it made.

    \b
    Example:
      osis-document watch "$(osis-document convert --no-wait --json ID | jq -r .id)"
    """
    with settings.open_client() as client:
        follow(client, PostProcessing(id=job), settings=settings, label="watch")
