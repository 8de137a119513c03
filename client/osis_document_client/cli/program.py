"""The program: its commands, and what is done about errors that a command does not handle."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

import click

from .. import OsisDocumentError
from .advice import FALLBACK_ADVICE
from .cancel import cancel
from .cancel_upload import cancel_upload
from .completion import completion
from .confirm import confirm
from .convert import convert
from .delete import delete
from .download import download
from .duplicate import duplicate
from .export import export
from .faults import Fault, fault_of
from .finalize import finalize
from .infected import infected
from .inspect import inspect
from .interrupts import exit_code_of
from .list import list_documents
from .merge import merge
from .metadata import metadata
from .output import discard_output
from .rotate import rotate
from .settings import common_options
from .show import show
from .token import token
from .undelete import undelete
from .upload import upload
from .watch import watch


class Program(click.Group):
    """A group whose errors are two lines on stderr (or JSON) and an exit code that says what kind they are of."""

    def __init__(self, name: str | None = None, *, sections: Mapping[str, Sequence[click.Command]], **options: Any) -> None:
        """Makes a group of the commands of all sections, which its help keeps apart."""
        commands = [command for section in sections.values() for command in section]
        super().__init__(name, commands=commands, **options)
        self.sections = sections

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Writes the commands' names and first sentences into the help."""
        width = max(len(name) for name in self.commands)
        for title, commands in self.sections.items():
            with formatter.section(title):
                limit = formatter.width - 6 - width
                formatter.write_dl([(f"{command.name:<{width}}", command.get_short_help_str(limit)) for command in commands])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002
        **extra: Any,
    ) -> NoReturn:
        """Runs the program and exits, whatever `standalone_mode` says: there is one way to report errors."""
        as_json = "--json" in (sys.argv[1:] if args is None else args)  # errors may come before it is parsed
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.UsageError as exc:
            if as_json:
                Fault(exit_code=exc.exit_code, message=exc.format_message(), advice=FALLBACK_ADVICE, reason="USAGE").report(
                    as_json=True
                )
            else:
                exc.show()
            sys.exit(exc.exit_code)
        except click.ClickException as exc:
            exc.show()
            sys.exit(exc.exit_code)
        except click.Abort as exc:
            sys.exit(exit_code_of(exc.__cause__))
        except (OsisDocumentError, OSError) as exc:
            fault = fault_of(exc)
            fault.report(as_json=as_json)
            sys.exit(fault.exit_code)
        sys.exit(code if isinstance(code, int) else 0)

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Parses; that nobody reads the help to its end is no error."""
        with _no_reader_is_no_error():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; that nobody reads its output to the end is no error."""
        with _no_reader_is_no_error():
            return super().invoke(ctx)


@contextmanager
def _no_reader_is_no_error() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as exc:
        discard_output()
        raise click.exceptions.Exit(0) from exc


def _version() -> str:
    try:
        return version("osis-document")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"


#: In the order of the help.
_COMMANDS = {
    "Documents in": [upload, confirm, finalize, cancel_upload],
    "Documents found and read": [list_documents, show, token, inspect, download, export],
    "Documents changed": [metadata, rotate, duplicate, delete, undelete, infected],
    "Jobs": [convert, merge, watch, cancel],
    "This program": [completion],
}


@click.group(
    cls=Program,
    sections=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(_version(), prog_name="osis-document")
@common_options(hidden=False)
def program() -> None:
    """Sends documents to a document service, and gets, converts and merges them.

    The service is found by OSIS_DOCUMENT_TARGET and OSIS_DOCUMENT_API_KEY (with OSIS_DOCUMENT_CLIENT_TLS_CA, _CERT and _KEY for
    TLS); without them, in ./var/client.json, which a service started in this folder writes.

    \b
    Example:
      osis-document upload id-card.pdf --path admission/2026/

    \b
    Exit codes:
      0    done
      1    refused by the service
      2    wrong usage or configuration
      3    the service cannot be reached, or not in time
      4    not allowed: the API key or the token
      5    a local file cannot be read or written
      130  interrupted (143: told to end)
    """
