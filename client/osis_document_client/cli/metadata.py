"""`osis-document metadata`."""

from __future__ import annotations

from typing import Any

import click

from .. import to_struct
from .output import as_dict, document_details, print_json, print_lines
from .settings import Settings, common_options, pass_settings
from .token import token_for
from .values import MetadataType, Reference, ReferenceType


@click.group()
def metadata() -> None:
    """Changes the name and the keys of a document.

    \b
    Example:
      osis-document metadata set 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10 author=Ada year:=2026
    """


@metadata.command("set")
@click.argument("document", metavar="ID|TOKEN", type=ReferenceType())
@click.argument("values", nargs=-1, metavar="[K=TEXT|K:=JSON]...", type=MetadataType())
@click.option("--remove", multiple=True, metavar="KEY", help="A key to remove. May be repeated.")
@click.option("--name", help="The new name; its extension must still fit the content.")
@common_options(hidden=True)
@pass_settings
def set_metadata(
    settings: Settings,
    *,
    document: Reference,
    values: tuple[tuple[str, Any], ...],
    remove: tuple[str, ...],
    name: str | None,
) -> None:
    """Sets and removes keys of a document, and renames it.

    Keys that are not named stay as they are.

    \b
    Examples:
      osis-document metadata set 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10 author=Ada year:=2026 'tags:=["a", "b"]'
      osis-document metadata set 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10 --remove year --name letter.pdf
    """
    if not values and not remove and name is None:
        raise click.UsageError("there is nothing to change; give KEY=TEXT, KEY:=JSON, --remove KEY or --name NAME")
    try:
        keys = to_struct(dict(values))
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="K:=JSON") from exc
    if both := sorted({key for key, _ in values} & set(remove)):
        raise click.UsageError(f"{', '.join(both)} cannot be set and removed at once")
    with settings.open_client() as client:
        token = token_for(client, document, write=True)
        changed = client.update_metadata(token, name=name, metadata=keys, remove_keys=remove)
    if settings.json:
        print_json(as_dict(changed))
    else:
        print_lines(document_details(changed))
