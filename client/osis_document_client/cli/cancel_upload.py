"""`osis-document cancel-upload`."""

from __future__ import annotations

import click

from .failures import Failures
from .output import echo, print_json
from .settings import Settings, common_options, pass_settings
from .values import IdType


@click.command("cancel-upload")
@click.argument("upload_ids", nargs=-1, required=True, metavar="ID...", type=IdType("upload"))
@common_options(hidden=True)
@pass_settings
def cancel_upload(settings: Settings, *, upload_ids: tuple[str, ...]) -> None:
    """Removes uploads that are unfinished or not confirmed.

    The service does so itself some time later.

    \b
    Example:
      osis-document cancel-upload 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10
    """
    failures = Failures(as_json=settings.json, kind="upload_id", plural="uploads")
    cancelled = []
    with settings.open_client() as client:
        for upload_id in upload_ids:
            with failures.caught(upload_id):
                client.cancel_upload(upload_id)
                cancelled.append(upload_id)
                if not settings.json:
                    echo(f"cancelled  {upload_id}")
    if settings.json:
        print_json([{"id": upload_id} for upload_id in cancelled])
    failures.exit(of=len(upload_ids))
