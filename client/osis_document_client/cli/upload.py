"""`osis-document upload`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .. import to_struct
from .faults import Failures
from .output import as_dict, document_lines, print_json_of, print_lines
from .progress import transfer_bar
from .settings import Settings, common_options, pass_settings
from .values import MetadataType


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--confirm/--no-confirm", default=True, help="Keep the documents at once (default), or print write tokens.")
@click.option("--path", default="", metavar="PATH", help="Logical path; one that ends in / is a folder for the file's name.")
@click.option("--metadata", multiple=True, type=MetadataType(), help="A key of your own: K=TEXT or K:=JSON. May be repeated.")
@click.option("--name", help="The document's name, if it is not the file's.")
@click.option("--upload-id", type=click.UUID, help="The id to give it; that of an interrupted upload goes on with it.")
@common_options(hidden=True)
@pass_settings
def upload(
    settings: Settings,
    *,
    files: tuple[Path, ...],
    confirm: bool,
    path: str,
    metadata: tuple[tuple[str, Any], ...],
    name: str | None,
    upload_id: object | None,
) -> None:
    """Uploads files and confirms them, so that the service keeps them.

    Several files are sent one after the other; one that is refused does not stop the others.

    \b
    Examples:
      osis-document upload id-card.pdf
      osis-document upload *.pdf --path admission/2026/ --metadata year:=2026 --metadata author=Ada
    """
    if len(files) > 1 and (name is not None or upload_id is not None):
        raise click.UsageError("--name and --upload-id belong to one file; there are several")
    if len(files) > 1 and path and not path.endswith("/"):
        raise click.UsageError("--path must end in / where there are several files, or they would all have the same path")
    if path and not confirm:
        raise click.UsageError("--path is given at the confirmation; leave it out, or leave --no-confirm out")
    try:
        keys = to_struct(dict(metadata))
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--metadata") from exc
    failures = Failures(as_json=settings.json)
    results: list[dict[str, Any]] = []
    with settings.open_client() as client:
        for file in files:
            with failures.caught(str(file)):
                with transfer_bar(file.name) as progress:
                    result = client.upload(
                        file,
                        name=name,
                        upload_id=str(upload_id) if upload_id is not None else None,
                        metadata=keys,
                        progress=progress,
                        timeout=settings.timeout,
                    )
                document = result.document
                # No token: an upload that was repeated, and is confirmed already.
                if confirm and result.write_token:
                    [document] = client.confirm([result], path=path)
                results.append(as_dict(document if confirm else result))
                if not settings.json:
                    lines = document_lines(document)
                    if not confirm:
                        lines.append(("token", result.write_token))
                    if len(results) > 1:
                        click.echo()
                    print_lines(lines)
    if settings.json:
        print_json_of(results, single=len(files) == 1)
    failures.exit()
