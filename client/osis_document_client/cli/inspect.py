"""`osis-document inspect`."""

from __future__ import annotations

import click

from osis.document.v1.token_service_pb2 import InspectTokenResponse, TokenPurpose

from .. import error_for_item
from .output import as_dict, print_json, print_lines, short_name
from .settings import Settings, common_options, pass_settings
from .values import TokenType


@click.command()
@click.argument("token", metavar="TOKEN", type=TokenType())
@common_options(hidden=True)
@pass_settings
def inspect(settings: Settings, *, token: str) -> None:
    """Tells what a token is, and whether it is good now.

    \b
    Example:
      osis-document inspect "$TOKEN"
    """
    with settings.open_client() as client:
        found = client.inspect_token(token)
    if settings.json:
        print_json(as_dict(found))
    else:
        print_lines(_lines(found))


def _lines(found: InspectTokenResponse) -> list[tuple[str, str]]:
    refusal = error_for_item(found.refusal) if found.HasField("refusal") else None
    return [
        ("good now", "yes" if refusal is None else f"no: {refusal.message} [{refusal.reason}]"),
        ("document", found.token.document_id),
        ("opens", "the modified copy" if found.token.for_modified else "the document itself"),
        ("purpose", short_name(TokenPurpose.Name(found.token.purpose))),
        ("made", found.issue_time.ToJsonString()),
        ("ends", found.token.expire_time.ToJsonString()),
        ("revision", str(found.revision)),
        ("signed with", found.key_id),
    ]
