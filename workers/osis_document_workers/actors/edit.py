"""EDIT: pages of one PDF are rotated."""

from pathlib import Path

from osis_document_workers import engines
from osis_document_workers.processing import Work


def run(work: Work) -> Path:
    """Rotates pages of the task's PDF."""
    [source] = work.inputs
    output = work.output("pdf")
    engines.edit(
        source.path,
        output,
        rotations=dict(work.task.edit.rotations),
        scratch=work.folder,
        spare=work.spare,
        cancelled=work.cancelled,
    )
    return output
