"""`osis-document upload`."""

from __future__ import annotations

import json
import shlex
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from google.protobuf.struct_pb2 import Struct

from osis.document.v1.document_pb2 import Document
from osis.document.v1.upload_service_pb2 import UploadResult

from .. import Client, to_struct
from .failures import Failures
from .output import as_dict, document_lines, echo, print_json_of, print_lines
from .progress import transfer_bar
from .settings import Settings, common_options, pass_settings
from .text import visible
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
    upload_id: uuid.UUID | None,
) -> None:
    """Uploads files, and confirms them so that they are kept.

    Several files are sent one after the other; one that is refused does not stop the others, and what was not done is listed
    at the end. A lost connection is replaced; after an interruption, --upload-id goes on where the upload was.

    \b
    Examples:
      osis-document upload id-card.pdf
      osis-document upload *.pdf --path admission/2026/ --metadata year:=2026 --metadata author=Ada
      osis-document upload --upload-id 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10 film.pdf
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
    failures = Failures(as_json=settings.json, kind="file", plural="files")
    with settings.open_client() as client:
        uploading = _Uploading(
            client, confirm=confirm, path=path, metadata=metadata, keys=keys, name=name, settings=settings, failures=failures
        )
        try:
            for number, file in enumerate(files):
                if failures.hopeless:
                    failures.not_tried([str(each) for each in files[number:]])
                    break
                uploading.send(file, upload_id=upload_id, behind=files[number + 1 :])
        finally:  # also of an interruption: what is done is told
            if settings.json:
                print_json_of(uploading.results, single=len(files) == 1)
    failures.exit(of=len(files))


class _Uploading:
    """Sends one file after the other, in the same way.

    Attributes:
        results: what came of those that were sent, for programs.
    """

    def __init__(
        self,
        client: Client,
        *,
        confirm: bool,
        path: str,
        metadata: tuple[tuple[str, Any], ...],
        keys: Struct,
        name: str | None,
        settings: Settings,
        failures: Failures,
    ) -> None:
        self.results: list[dict[str, Any]] = []
        self._client = client
        self._confirm = confirm
        self._path = path
        self._metadata = metadata
        self._keys = keys
        self._name = name
        self._settings = settings
        self._failures = failures

    def send(self, file: Path, *, upload_id: uuid.UUID | None, behind: Sequence[Path]) -> None:
        """Uploads a file, confirms it if that is wanted, and prints the result; reports it if that fails.

        Args:
            file: the file.
            upload_id: the upload to go on with, if it is one.
            behind: the files that are to follow.
        """
        chosen = str(upload_id or uuid.uuid4())  # known here, so that an interruption can be gone on with
        command = self._command(file, chosen)
        try:
            with self._failures.caught(str(file), advice=f"go on with `{command}`"):
                with transfer_bar(file.name) as progress:
                    result = self._client.upload(
                        file,
                        name=self._name,
                        upload_id=chosen,
                        resume=upload_id is not None,
                        metadata=self._keys,
                        progress=progress,
                        timeout=self._settings.timeout,
                    )
                document = result.document
                # No token: an upload that was repeated, and is confirmed already.
                if self._confirm and result.write_token:
                    [document] = self._client.confirm([result], path=self._path)
                self._tell(result, document)
        except KeyboardInterrupt:
            self._tell_how_to_go_on(file, chosen, command, behind=behind)
            raise

    def _command(self, file: Path, upload_id: str) -> str:
        """The command that goes on with an upload."""
        words = ["osis-document", "upload", "--upload-id", upload_id]
        words += ["--path", self._path] if self._path else []
        words += [] if self._confirm else ["--no-confirm"]
        words += ["--name", self._name] if self._name is not None else []
        for key, value in self._metadata:
            words += ["--metadata", f"{key}={value}" if isinstance(value, str) else f"{key}:={json.dumps(value)}"]
        return shlex.join([*words, str(file)])

    def _tell(self, result: UploadResult, document: Document) -> None:
        if not self._settings.json:
            if self.results:
                echo()
            token = [] if self._confirm else [("token", result.write_token)]
            print_lines(document_lines(document) + token)
        self.results.append(as_dict(document if self._confirm else result))

    def _tell_how_to_go_on(self, file: Path, upload_id: str, command: str, *, behind: Sequence[Path]) -> None:
        names = [str(each) for each in behind]
        if self._settings.json:
            metadata = {"file": str(file), "upload_id": upload_id, "not_tried": names}
            error = {"reason": "INTERRUPTED", "code": "", "message": f"interrupted; go on with `{command}`", "metadata": metadata}
            click.echo(json.dumps({"error": error}), err=True)
            return
        click.echo(
            f"\n{visible(str(file))} is not there as a whole; what has arrived is kept for some minutes. To go on:", err=True
        )
        click.echo(f"  {visible(command)}", err=True)
        if names:
            click.echo(f"not sent yet: {visible(shlex.join(names))}", err=True)
