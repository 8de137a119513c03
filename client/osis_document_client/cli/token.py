"""`osis-document token`."""

from __future__ import annotations

import click

from osis.document.v1.token_service_pb2 import Token

from .. import Client, PostProcessingFailed
from .faults import Pending
from .output import as_dict, echo, print_json
from .settings import Settings, common_options, pass_settings
from .values import WANTED, DurationType, IdType, Reference

wanted_type = click.Choice(list(WANTED))


def ask_for_token(
    client: Client,
    document_id: str,
    *,
    wanted: str,
    write: bool = False,
    ttl_seconds: float | None = None,
    modified: bool = False,
) -> Token:
    """Creates a token.

    Raises:
        Pending: what is wanted is still being made.
        PostProcessingFailed: what is wanted could not be made.
    """
    answer = client.create_token(
        document_id, write=write, ttl_seconds=ttl_seconds, wanted_post_process=WANTED[wanted], for_modified=modified
    )
    match answer.WhichOneof("outcome"):
        case "pending":
            job = answer.pending
            raise Pending(
                f"post-processing {job.id} has done {job.tasks_done} of {job.tasks_total} tasks", post_processing_id=job.id
            )
        case "failed":
            raise PostProcessingFailed(answer.failed)
        case _:
            return answer.token


def token_for(client: Client, document: Reference, *, write: bool = False, wanted: str = "original") -> str:
    """Answers the token that a document was named by, or makes one if it was named by its id.

    Raises:
        Pending, PostProcessingFailed: as `ask_for_token`.
    """
    return document.token or ask_for_token(client, document.document_id, wanted=wanted, write=write).token


@click.command()
@click.argument("document_id", metavar="ID", type=IdType())
@click.option("--write", is_flag=True, help="A token that may change the document too.")
@click.option("--ttl", type=DurationType(), help="How long it is good for: 90s, 15m, 2h, 7d. By default as the service has it.")
@click.option(
    "--wanted",
    type=wanted_type,
    default="newest",
    help="What it opens: the newest job's result (default; the document itself if there was no job), that of the conversion or "
    "of the merge, or the document itself, whatever was made of it.",
)
@click.option("--modified", is_flag=True, help="A token for the modified copy.")
@common_options(hidden=True)
@pass_settings
def token(settings: Settings, *, document_id: str, write: bool, ttl: float | None, wanted: str, modified: bool) -> None:
    """Prints a short-lived token for a document.

    Whoever has it can read the document without an API key, and with --write change it.

    \b
    Examples:
      osis-document token 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10 --ttl 15m
      osis-document token 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10 --wanted original
    """
    with settings.open_client() as client:
        made = ask_for_token(client, document_id, wanted=wanted, write=write, ttl_seconds=ttl, modified=modified)
    if settings.json:
        print_json(as_dict(made))
    else:
        echo(made.token)
