"""Results on stdout, for people or as JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from osis.document.v1.document_pb2 import Document, DocumentStatus
from osis.document.v1.post_processing_pb2 import PostProcessing, PostProcessingState

from .. import from_struct
from .text import visible


def as_dict(message: Message) -> dict[str, Any]:
    """Makes of a message what protobuf's JSON has for it (64-bit integers are text there), with the contract's field names."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def echo(text: str = "") -> None:
    """Prints a line. If nobody reads any more, what is being done goes on and the rest is printed to nobody."""
    try:
        click.echo(text)
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """Has all further output go nowhere, also what Python still holds and would complain about at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def print_json(content: Any) -> None:
    """Prints one JSON document in ASCII, so that no name can play tricks on a terminal."""
    echo(json.dumps(content, indent=2))


def print_json_of(items: Sequence[Any], *, single: bool) -> None:
    """Prints the one result of one thing asked for, or the list of results of several; nothing if the one failed."""
    if not single:
        print_json(list(items))
    elif items:
        print_json(items[0])


def print_lines(lines: Sequence[tuple[str, str]]) -> None:
    """Prints names and values in two columns."""
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        echo(f"{name:<{width}}  {visible(value)}")


def size_text(size_bytes: int) -> str:
    """Says how large something is: `2.5 MB (2500000 bytes)`."""
    from rich.filesize import decimal

    return f"{size_bytes} bytes" if size_bytes < 1000 else f"{decimal(size_bytes)} ({size_bytes} bytes)"


def document_lines(document: Document) -> list[tuple[str, str]]:
    """What tells one document from another."""
    return [
        ("id", document.id),
        ("name", document.name),
        ("size", size_text(document.size_bytes)),
        ("type", document.mime_type),
        ("sha256", document.sha256),
    ]


def print_documents(documents: Sequence[Document], *, as_json: bool, single: bool) -> None:
    """Prints what tells each of some documents from the others, or all of each as JSON."""
    if as_json:
        print_json_of([as_dict(document) for document in documents], single=single)
        return
    for number, document in enumerate(documents):
        if number:
            echo()
        print_lines(document_lines(document))


def print_changed(what: str, documents: Sequence[Document], *, as_json: bool) -> None:
    """Prints what was done to each of some documents, one to a line, or all of each as JSON."""
    if as_json:
        print_json([as_dict(document) for document in documents])
        return
    for document in documents:
        echo(f"{what}  {document.id}  {visible(document.name)}")


def document_details(document: Document) -> list[tuple[str, str]]:
    """All that is worth knowing of a document."""
    lines = document_lines(document)
    lines.append(("status", short_name(DocumentStatus.Name(document.status))))
    lines.append(("revision", str(document.revision)))
    if document.corrupt:
        lines.append(("corrupt", "yes: stored bytes were found damaged"))
    if document.path:
        lines.append(("path", document.path))
    for label, field in (
        ("uploaded", "upload_time"),
        ("changed", "update_time"),
        ("expires", "expire_time"),
        ("held until", "hold_expire_time"),
    ):
        if document.HasField(field):  # type: ignore[arg-type]  # the stub lists literals
            lines.append((label, getattr(document, field).ToJsonString()))
    if document.HasField("modified"):
        lines.append(("modified copy", f"{size_text(document.modified.size_bytes)}, sha256 {document.modified.sha256}"))
    lines += [
        (f"  {key}", json.dumps(value, ensure_ascii=False)) for key, value in sorted(from_struct(document.metadata).items())
    ]
    return lines


def job_lines(job: PostProcessing) -> list[tuple[str, str]]:
    """How a job stands."""
    lines = [
        ("job", job.id),
        ("state", short_name(PostProcessingState.Name(job.state))),
        ("tasks", f"{job.tasks_done} of {job.tasks_total}"),
    ]
    return lines + [("output", document_id) for document_id in output_ids(job)]


def output_ids(job: PostProcessing) -> list[str]:
    """The documents that the job's last action made."""
    return (
        [document_id for record in job.actions[-1].records for document_id in record.output_document_ids] if job.actions else []
    )


def short_name(name: str) -> str:
    """Cuts the prefix off the name of one of the contract's values: `UPLOADED`."""
    return name.rpartition("STATUS_")[2].rpartition("STATE_")[2].rpartition("PURPOSE_")[2]
