"""The options that say which documents are meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from .values import MomentType

_F = TypeVar("_F", bound=Callable[..., Any])


def filter_options(command: _F) -> _F:
    """Adds the filters, as keyword arguments that `Client.list_documents` takes."""
    for option in (
        click.option(
            "--before", "uploaded_before", type=MomentType(), metavar="MOMENT", help="Only those uploaded before that moment."
        ),
        click.option(
            "--since",
            "uploaded_from",
            type=MomentType(),
            metavar="MOMENT",
            help="Only those uploaded since: 2026-01-31, 2026-01-31T12:00, or 7d for seven days ago.",
        ),
        click.option(
            "--type",
            "mime_types",
            multiple=True,
            metavar="TYPE",
            help="Only those of this media type (application/pdf). May be repeated.",
        ),
        click.option(
            "--name",
            "name_contains",
            default="",
            metavar="TEXT",
            help="Only those with this text in the name, whatever its case.",
        ),
        click.option("--path", "path_prefix", default="", metavar="PREFIX", help="Only those whose logical path begins so."),
    ):
        command = option(command)
    return command
