"""`osis-document convert`."""

from __future__ import annotations

import click

from osis.document.v1.post_processing_pb2 import PdfProfile

from .. import convert as convert_action
from .jobs import follow, print_job
from .settings import Settings, common_options, pass_settings
from .values import IdType


@click.command()
@click.argument("document_ids", nargs=-1, required=True, metavar="ID...", type=IdType())
@click.option("--output-filename", default="", metavar="NAME", help="Name of the PDFs; numbered where there are several.")
@click.option("--pages", default="", metavar="RANGE", help="Keep these pages alone, counted from 1: 1-3,5.")
@click.option("--pdf-a", is_flag=True, help="Write PDF/A-2b, for archives; office documents and text only.")
@click.option("--title", default="", help="The title in the PDFs' own metadata; by default the documents' own.")
@click.option("--wait/--no-wait", default=True, help="Wait for the result (default), or print the job and leave.")
@common_options(hidden=True)
@pass_settings
def convert(
    settings: Settings,
    *,
    document_ids: tuple[str, ...],
    output_filename: str,
    pages: str,
    pdf_a: bool,
    title: str,
    wait: bool,
) -> None:
    """Makes a PDF of each document.

    \b
    Example:
      osis-document convert 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10 --output-filename letter.pdf
    """
    profile = PdfProfile.PDF_PROFILE_PDF_A_2B if pdf_a else PdfProfile.PDF_PROFILE_UNSPECIFIED
    action = convert_action(output_filename, pdf_profile=profile, page_range=pages, title=title)
    with settings.open_client() as client:
        job = client.start(document_ids, [action])
        if wait:
            follow(client, job, settings=settings, label="convert")
        else:
            print_job(job, settings=settings)
