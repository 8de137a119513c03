"""CONVERT: one document becomes a PDF."""

from pathlib import Path

from osis.document.v1 import post_processing_pb2
from osis_document_workers import engines
from osis_document_workers.processing import Work


def run(work: Work) -> Path:
    """Converts the task's document."""
    [source] = work.inputs
    asked = work.task.convert
    try:
        options = engines.ConvertOptions(
            title=asked.title,
            page_ranges=asked.page_range,
            pdf_a=asked.pdf_profile == post_processing_pb2.PDF_PROFILE_PDF_A_2B,
        )
    except ValueError as exc:
        raise engines.EngineError(engines.Reason.DOCUMENT_UNREADABLE, str(exc)) from exc
    output = work.output("pdf")
    engines.convert(
        source.path,
        output,
        mime_type=source.message.document.mime_type,
        options=options,
        scratch=work.folder,
        spare=work.spare,
        cancelled=work.cancelled,
        office=work.office,
    )
    return output
