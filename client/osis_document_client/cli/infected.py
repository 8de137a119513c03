"""`osis-document infected`."""

from __future__ import annotations

import sys

import click

from .. import Client
from .output import print_changed
from .settings import Settings, common_options, pass_settings
from .text import visible
from .values import IdType


@click.command()
@click.argument("document_id", required=False, metavar="[ID]", type=IdType())
@click.option("--path", metavar="PATH", help="Instead of an id: every document with exactly this logical path.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@common_options(hidden=True)
@pass_settings
def infected(settings: Settings, *, document_id: str | None, path: str | None, yes: bool) -> None:
    """Declares documents infected, for good.

    Nobody can read them any more, and this cannot be taken back. It concerns the documents named, all that share their content,
    and everything that was made of them.

    \b
    Examples:
      osis-document infected 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10
      osis-document infected --path admission/2026/letter.docx --yes
    """
    if (document_id is None) == (path is None):
        raise click.UsageError("name either a document by its id, or a path with --path")
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("nobody is there to be asked, and this cannot be taken back; add --yes")
    with settings.open_client() as client:
        if not yes:
            named = (
                _named(client, document_id) if document_id is not None else f"every document with the path {visible(path or '')}"
            )
            click.confirm(f"Declare {named} infected? This cannot be taken back.", abort=True, err=True)
        documents = client.declare_infected(document_id, path=path)
        print_changed("infected", documents, as_json=settings.json)


def _named(client: Client, document_id: str) -> str:
    document = client.get_document(document_id)
    return f"{visible(document.name)} ({visible(document.path or 'no path')})"
