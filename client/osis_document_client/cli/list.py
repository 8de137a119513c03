"""`osis-document list`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from osis.document.v1.document_pb2 import Document, DocumentStatus
from osis.document.v1.document_service_pb2 import DocumentOrder

from .filters import filter_options
from .output import as_dict
from .settings import Settings, common_options, pass_settings
from .text import visible

_STATUSES = {
    "requested": DocumentStatus.DOCUMENT_STATUS_REQUESTED,
    "uploaded": DocumentStatus.DOCUMENT_STATUS_UPLOADED,
    "deleted": DocumentStatus.DOCUMENT_STATUS_DELETED,
    "infected": DocumentStatus.DOCUMENT_STATUS_INFECTED,
}
_ORDERS = {
    "newest": DocumentOrder.DOCUMENT_ORDER_UPLOAD_TIME_DESC,
    "oldest": DocumentOrder.DOCUMENT_ORDER_UPLOAD_TIME_ASC,
    "path": DocumentOrder.DOCUMENT_ORDER_PATH_ASC,
}

#: Few enough for the first ones to come at once.
_PAGE = 100


@click.command("list")
@filter_options
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([*_STATUSES, "any"]),
    default=["uploaded"],
    help="Only those that stand so (uploaded: those that were confirmed). May be repeated.",
)
@click.option("--held/--not-held", default=None, help="Only those that are held for a time, or only those that are not.")
@click.option("--corrupt/--sound", default=None, help="Only those with damaged content, or only sound ones.")
@click.option("--order", type=click.Choice(list(_ORDERS)), default="newest", help="What comes first (newest), or by path.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="So many at most.")
@common_options(hidden=True, json_help="Print one JSON document to a line, and errors as JSON too.")
@pass_settings
def list_documents(settings: Settings, /, *, statuses: tuple[str, ...], order: str, limit: int | None, **filters: Any) -> None:
    """Lists documents, page after page, however many there are.

    On a terminal they are a table; elsewhere there is one to a line, with tabs between id, size in bytes, time of the upload,
    status and path.

    \b
    Examples:
      osis-document list --path admission/2026/ --order path
      osis-document list --type application/pdf --since 7d --limit 20
      osis-document list --json --status any | jq -r 'select(.corrupt) | .id'
    """
    with settings.open_client() as client:
        documents = client.list_documents(
            statuses=[] if "any" in statuses else [_STATUSES[status] for status in statuses],
            order=_ORDERS[order],
            page_size=min(limit, _PAGE) if limit else _PAGE,
            **filters,
        )
        _print(islice(documents, limit), as_json=settings.json, statuses_differ=len(statuses) > 1 or "any" in statuses)


def _print(documents: Iterator[Document], *, as_json: bool, statuses_differ: bool) -> None:
    if as_json:
        for document in documents:
            click.echo(json.dumps(as_dict(document)))
    elif sys.stdout.isatty():
        from rich.console import Console

        from .table import print_table

        print_table(documents, console=Console(highlight=False, markup=False, emoji=False), statuses_differ=statuses_differ)
    else:
        for document in documents:
            click.echo(_line(document))


def _line(document: Document) -> str:
    status = DocumentStatus.Name(document.status).removeprefix("DOCUMENT_STATUS_")
    cells = (document.id, str(document.size_bytes), document.upload_time.ToJsonString(), status, document.path or document.name)
    return "\t".join(visible(cell) for cell in cells)
