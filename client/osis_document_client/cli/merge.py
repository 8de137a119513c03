"""`osis-document merge`."""

from __future__ import annotations

import click

from osis.document.v1.post_processing_pb2 import PaperSize

from .. import convert as convert_action
from .. import merge as merge_action
from .._actions import paper_size_names
from .jobs import follow, print_job
from .settings import Settings, common_options, pass_settings
from .values import IdType


@click.command()
@click.argument("document_ids", nargs=-1, required=True, metavar="ID...", type=IdType())
@click.option(
    "--paper",
    type=click.Choice(paper_size_names(), case_sensitive=False),
    default=None,
    help="Fit every page to this size. By default pages keep their own.",
)
@click.option("--output-filename", default="", metavar="NAME", help="Name of the PDF (merged.pdf).")
@click.option("--title", default="", help="The title in the PDF's own metadata; by default none.")
@click.option("--convert", "convert_first", is_flag=True, help="Make PDFs of the documents that are none first.")
@click.option("--wait/--no-wait", default=True, help="Wait for the result (default), or print the job and leave.")
@common_options(hidden=True)
@pass_settings
def merge(
    settings: Settings,
    *,
    document_ids: tuple[str, ...],
    paper: str | None,
    output_filename: str,
    title: str,
    convert_first: bool,
    wait: bool,
) -> None:
    """Joins documents, in the order given, to one PDF.

    \b
    Example:
      osis-document merge --convert --paper A4 --output-filename file.pdf ID1 ID2 ID3
    """
    actions = [convert_action()] if convert_first else []
    actions.append(merge_action(output_filename, paper_size=paper or PaperSize.PAPER_SIZE_UNSPECIFIED, title=title))
    with settings.open_client() as client:
        job = client.start(document_ids, actions)
        if wait:
            follow(client, job, settings=settings, label="merge")
        else:
            print_job(job, settings=settings)
