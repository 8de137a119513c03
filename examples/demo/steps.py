"""What a program does with the service: send files, have one PDF made of them, fetch it."""

from pathlib import Path

from make_documents import Sample
from report import Report

from osis.document.v1.document_pb2 import Document
from osis.document.v1.post_processing_pb2 import PostProcessing, PostProcessingState
from osis_document_client import Client, PostProcessingFailed, convert, merge

#: Far more than a slow machine needs; a demo must not hang.
JOB_SECONDS = 180


def upload(client: Client, samples: list[Sample], report: Report) -> list[Document]:
    """Streams the documents in and confirms them, all or none."""
    uploads = []
    for sample in samples:
        with report.step(f"Upload {sample.path.name}", size_bytes=sample.path.stat().st_size) as advance:
            uploads.append(client.upload(sample.path, progress=advance))
    with report.step("Confirm"):
        return client.confirm(uploads, path="demo/")


def make_one_pdf(client: Client, documents: list[Document], report: Report) -> str:
    """Has the documents converted and merged, follows that live, and answers the id of what was made."""
    with report.step("Convert and merge to A4") as advance:
        started = client.start([document.id for document in documents], [convert(), merge(paper_size="A4")])
        for job in client.watch(started.id, timeout=JOB_SECONDS):
            advance(job.tasks_done, job.tasks_total)
            report.line(f"  {_short(job.state)}: {job.tasks_done} of {job.tasks_total} tasks done")
    if job.state != PostProcessingState.POST_PROCESSING_STATE_DONE:
        raise PostProcessingFailed(job)
    return _output_of_last_action(job)


def fetch(client: Client, document_id: str, target: Path, report: Report) -> Document:
    """Gets a read token for a document and streams it to ``target``."""
    document = client.get_document(document_id)
    token = client.create_token(document_id).token.token
    with report.step(f"Download {target.name}", size_bytes=document.size_bytes) as advance:
        client.download(token, target, progress=advance)
    return document


def _output_of_last_action(job: PostProcessing) -> str:
    [record] = job.actions[-1].records
    [document_id] = record.output_document_ids
    return document_id


def _short(state: PostProcessingState.ValueType) -> str:
    return PostProcessingState.Name(state).removeprefix("POST_PROCESSING_STATE_").lower()
