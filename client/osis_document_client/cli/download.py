"""`osis-document download`."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import click

from osis.document.v1.download_service_pb2 import DownloadHeader

from .. import Client
from .output import as_dict, print_json, print_lines, size_text
from .progress import transfer_bar
from .settings import Settings, common_options, pass_settings
from .text import visible
from .token import token_for, wanted_type
from .values import Reference, ReferenceType


@click.command()
@click.argument("document", metavar="ID|TOKEN", type=ReferenceType())
@click.option(
    "-o", "--output", metavar="FILE|FOLDER|-", help="Where to write; - is stdout. By default the document's name, here."
)
@click.option("--force", is_flag=True, help="Replace a file that has the document's name.")
@click.option("--wanted", type=wanted_type, default="original", help="By id: which result of post-processing (the original).")
@common_options(hidden=True)
@pass_settings
def download(settings: Settings, *, document: Reference, output: str | None, force: bool, wanted: str) -> None:
    """Downloads a document.

    It is named by its id, which needs an API key, or by a token, which does not. The file gets its name when it is there as a
    whole and its checksums are right.

    \b
    Examples:
      osis-document download 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10 -o card.pdf
      osis-document download "$TOKEN" -o - | pdftotext - -
    """
    if output == "-" and settings.json:
        raise click.UsageError("--json and -o - both write to stdout; choose one")
    with settings.open_client() as client:
        token = token_for(client, document, wanted=wanted)
        if output == "-":
            _to_stdout(client, token, settings=settings)
            return
        target = _target(client, token, output=output, force=force)
        with transfer_bar(target.name) as progress:
            header = client.download(token, target, progress=progress, timeout=settings.timeout)
    _report(header, target, settings=settings)


def _to_stdout(client: Client, token: str, *, settings: Settings) -> None:
    stdout = sys.stdout.buffer
    with transfer_bar("stdout") as progress:
        client.download(token, stdout, progress=progress, timeout=settings.timeout)
    stdout.flush()


def _target(client: Client, token: str, *, output: str | None, force: bool) -> Path:
    """Decides which file to write.

    Raises:
        FileExistsError: the document's own name is taken, and that is not meant.
    """
    if output is not None and not Path(output).is_dir():
        return Path(output)
    # The name comes from elsewhere: it must not lead out of the folder, nor hide, nor upset a terminal.
    name = Path(visible(client.get_document(token=token).name)).name.lstrip(".") or "document"
    target = Path(output or ".") / name
    if target.exists() and not force:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    return target


def _report(header: DownloadHeader, target: Path, *, settings: Settings) -> None:
    if settings.json:
        print_json({"file": str(target)} | as_dict(header))
    else:
        size = header.range.complete_size
        print_lines(
            [("file", str(target)), ("size", size_text(size)), ("type", header.mime_type), ("sha256", header.sha256)],
        )
