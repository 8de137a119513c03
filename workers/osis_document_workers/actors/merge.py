"""MERGE: PDFs become one."""

from pathlib import Path

from osis.document.v1 import post_processing_pb2
from osis_document_workers import engines
from osis_document_workers.processing import Work


def run(work: Work) -> Path:
    """Merges the task's documents, in order."""
    asked = work.task.merge
    paper_size = None
    if asked.paper_size != post_processing_pb2.PAPER_SIZE_UNSPECIFIED:
        paper_size = engines.PaperSize[post_processing_pb2.PaperSize.Name(asked.paper_size).removeprefix("PAPER_SIZE_")]
    output = work.output("pdf")
    engines.merge(
        [engines.MergeInput(source.path, source.message.display_name) for source in work.inputs],
        output,
        options=engines.MergeOptions(paper_size=paper_size, title=asked.title),
        scratch=work.folder,
        spare=work.spare,
        cancelled=work.cancelled,
    )
    return output
