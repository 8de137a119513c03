"""`osis-document confirm`."""

from __future__ import annotations

import click

from .output import as_dict, document_lines, print_json_of, print_lines
from .settings import Settings, common_options, pass_settings


@click.command()
@click.argument("tokens", nargs=-1, required=True, metavar="TOKEN...")
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
    if settings.json:
        print_json_of([as_dict(document) for document in documents], single=len(tokens) == 1)
        return
    for number, document in enumerate(documents):
        if number:
            click.echo()
        print_lines(document_lines(document))
