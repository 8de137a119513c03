"""`osis-document show`."""

from __future__ import annotations

import click

from .output import as_dict, document_details, print_json, print_lines
from .settings import Settings, common_options, pass_settings
from .values import Reference, ReferenceType


@click.command()
@click.argument("document", metavar="ID|TOKEN", type=ReferenceType())
@common_options(hidden=True)
@pass_settings
def show(settings: Settings, *, document: Reference) -> None:
    """Describes a document.

    It is named by its id, which needs an API key, or by a token, which does not.

    \b
    Example:
      osis-document show 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10
    """
    with settings.open_client() as client:
        found = client.get_document(token=document.token) if document.token else client.get_document(document.document_id)
    if settings.json:
        print_json(as_dict(found))
    else:
        print_lines(document_details(found))
