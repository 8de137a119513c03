"""`osis-document confirm`."""

from __future__ import annotations

import click

from .output import print_documents
from .settings import Settings, common_options, pass_settings
from .values import TokenType


@click.command()
@click.argument("tokens", nargs=-1, required=True, metavar="TOKEN...", type=TokenType())
@click.option("--path", default="", metavar="PATH", help="Logical path; one that ends in / is a folder for the documents' names.")
@common_options(hidden=True)
@pass_settings
def confirm(settings: Settings, *, tokens: tuple[str, ...], path: str) -> None:
    """Confirms uploads by their write tokens, all or none.

    \b
    Example:
      osis-document confirm "$(osis-document upload --no-confirm --json id-card.pdf | jq -r .write_token)"
    """
    with settings.open_client() as client:
        documents = client.confirm(tokens, path=path)
    print_documents(documents, as_json=settings.json, single=len(tokens) == 1)
