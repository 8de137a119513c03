"""`osis-document duplicate`."""

from __future__ import annotations

from functools import partial

import click

from .failures import Failures, change_each
from .output import print_documents
from .settings import Settings, common_options, pass_settings
from .values import IdType


@click.command()
@click.argument("document_ids", nargs=-1, required=True, metavar="ID...", type=IdType())
@click.option("--path", default="", metavar="PATH", help="The duplicates' logical path; one that ends in / is a folder.")
@click.option("--modified", is_flag=True, help="Take the modified copies along, where there are any.")
@common_options(hidden=True)
@pass_settings
def duplicate(settings: Settings, *, document_ids: tuple[str, ...], path: str, modified: bool) -> None:
    """Makes independent documents of the same content.

    No bytes are copied.

    \b
    Example:
      osis-document duplicate 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10 --path archive/2026/
    """
    if len(document_ids) > 1 and path and not path.endswith("/"):
        raise click.UsageError("--path must end in / where there are several documents, or they would all have the same path")
    failures = Failures(as_json=settings.json, kind="document_id", plural="documents")
    with settings.open_client() as client:
        made = change_each(partial(client.duplicate, path=path, with_modified=modified), document_ids, failures=failures)
        print_documents(made, as_json=settings.json, single=len(document_ids) == 1)
    failures.exit(of=len(document_ids))
