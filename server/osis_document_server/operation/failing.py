"""Ending a program that cannot do its work: what is wrong and what to do about it, on standard error."""

import sys
from typing import NoReturn

import click

from osis_document_server.operation.addresses import AddressUnavailableError
from osis_document_server.settings import PREFIX, SettingsError


def fail(error: AddressUnavailableError | SettingsError) -> NoReturn:
    """Says why, and exits with 1."""
    if isinstance(error, SettingsError):
        what, remedy = str(error), "See docs/reference/configuration.md for what can be set."
    else:
        what, remedy = f"{error}.", f"Set {PREFIX}LISTEN to another address, for example 127.0.0.1:50052."
    click.echo(f"osis-document-server: {what}", err=True)
    click.echo(remedy, err=True)
    sys.exit(1)
