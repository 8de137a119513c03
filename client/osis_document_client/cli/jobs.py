"""What the commands that start or follow a job have in common."""

from __future__ import annotations

import click

from osis.document.v1.post_processing_pb2 import PostProcessing

from .. import Client
from .output import as_dict, document_lines, echo, job_lines, output_ids, print_json, print_lines
from .progress import job_bar
from .settings import Settings


def follow(client: Client, job: PostProcessing, *, settings: Settings, label: str) -> None:
    """Waits for a job with a progress bar, and prints it and the documents that it made.

    Raises:
        PostProcessingFailed: it failed or was cancelled.
    """
    try:
        with job_bar(label) as progress:
            job = client.wait(job.id, timeout=settings.timeout, progress=progress)
    except KeyboardInterrupt:
        click.echo(f"\nthe job goes on; follow it with `osis-document watch {job.id}`", err=True)
        raise
    if settings.json:
        print_json(as_dict(job))
        return
    echo(f"job  {job.id}")
    for document_id in output_ids(job):
        echo()
        print_lines(document_lines(client.get_document(document_id)))


def print_job(job: PostProcessing, *, settings: Settings) -> None:
    """Prints how a job stands."""
    if settings.json:
        print_json(as_dict(job))
    else:
        print_lines(job_lines(job))
