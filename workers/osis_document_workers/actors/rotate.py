"""ROTATE: one picture is rotated."""

from pathlib import Path

from osis_document_workers import engines
from osis_document_workers.processing import Work


def run(work: Work) -> Path:
    """Rotates the task's picture."""
    [source] = work.inputs
    mime_type = source.message.document.mime_type
    output = work.output("png" if mime_type == "image/png" else "jpg")  # the engine takes no others
    engines.rotate(
        source.path,
        output,
        mime_type=mime_type,
        degrees=work.task.rotate.degrees,
        scratch=work.folder,
        spare=work.spare,
        cancelled=work.cancelled,
    )
    return output
