"""`osis-document delete`."""

from __future__ import annotations

import click

from .failures import Failures, change_each
from .output import print_changed
from .settings import Settings, common_options, pass_settings
from .values import IdType


@click.command()
@click.argument("document_ids", nargs=-1, required=True, metavar="ID...", type=IdType())
@common_options(hidden=True)
@pass_settings
def delete(settings: Settings, *, document_ids: tuple[str, ...]) -> None:
    """Deletes documents, with what was made of them by jobs.

    `osis-document undelete` takes it back, as long as the service's retention time (15 days by default) lasts.

    \b
    Examples:
      osis-document delete 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10
      osis-document list --path tests/ --json | jq -r .id | xargs osis-document delete
    """
    failures = Failures(as_json=settings.json, kind="document_id", plural="documents")
    with settings.open_client() as client:
        print_changed("deleted", change_each(client.delete, document_ids, failures=failures), as_json=settings.json)
    failures.exit(of=len(document_ids))
