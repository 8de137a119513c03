"""`osis-document convert`."""

from __future__ import annotations

import click

from .. import convert as convert_action
from .jobs import follow, print_job
from .settings import Settings, common_options, pass_settings
from .values import IdType


@click.command()
@click.argument("document_ids", nargs=-1, required=True, metavar="ID...", type=IdType())
@click.option("--output-filename", default="", metavar="NAME", help="Name of the PDFs; numbered where there are several.")
@click.option("--wait/--no-wait", default=True, help="Wait for the result (default), or print the job and leave.")
@common_options(hidden=True)
@pass_settings
def convert(settings: Settings, *, document_ids: tuple[str, ...], output_filename: str, wait: bool) -> None:
    """Makes a PDF of each document.

    \b
    Example:
      osis-document convert 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10 --output-filename letter.pdf
    """
    with settings.open_client() as client:
        job = client.start(document_ids, [convert_action(output_filename)])
        if wait:
            follow(client, job, settings=settings, label="convert")
        else:
            print_job(job, settings=settings)
