"""`osis-document finalize`."""

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
def finalize(settings: Settings, *, document_ids: tuple[str, ...]) -> None:
    """Makes held documents final, so that they stay.

    \b
    Examples:
      osis-document finalize 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10
      osis-document list --held
    """
    failures = Failures(as_json=settings.json, kind="document_id", plural="documents")
    with settings.open_client() as client:
        print_changed("final", change_each(client.finalize, document_ids, failures=failures), as_json=settings.json)
    failures.exit(of=len(document_ids))
