"""The documents that post-processing makes."""

from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from osis_document_server.domain import content
from osis_document_server.domain.documents import Document, Status
from osis_document_server.domain.jobs import Action, State, TaskType
from osis_document_server.domain.names import PATH_LIMIT, extension_of, with_extension
from osis_document_server.models.tables import BlobRow, DocumentRow, JobRow, TaskInputRow, TaskOutputRow, TaskRow

_MERGED = "merged.pdf"
#: How many earlier conversions of the same bytes are looked at.
_EARLIER_LIMIT = 20


def name_of(action: Action, *, source_name: str, position: int, count: int) -> str:
    """Returns what an output is called.

    Args:
        action: what makes it.
        source_name: name of the document that it is made from.
        position: which of the action's outputs it is, from 0.
        count: how many outputs the action has.
    """
    wanted = action.output_filename
    if not wanted:
        return _MERGED if action.type is TaskType.MERGE else with_extension(source_name, "pdf")
    stem = wanted[:-4] if extension_of(wanted) == "pdf" else wanted
    return with_extension(f"{stem}-{position + 1}.pdf" if count > 1 else f"{stem}.pdf", "pdf")


def path_of(name: str, *, source_path: str) -> str:
    """Returns an output's logical path: in the folder of what it was made from, or in none where that would be too long."""
    path = (PurePosixPath(source_path).parent / name).as_posix()
    return path if len(path) <= PATH_LIMIT else name


def made_already(document: Document, action: Action) -> str | None:
    """Returns the key of the PDF that a conversion is to make, if it is there: a PDF itself, or what was made in the same way."""
    if document.mime_type == content.PDF and not action.asks_for_more:
        return document.blob.key
    return converted_before(document, action)


def converted_before(document: Document, action: Action) -> str | None:
    """Returns the key of the PDF that the same bytes became in the same way before, as long as it is to be had."""
    earlier: Any = (
        TaskOutputRow.select(TaskRow.action_index, JobRow.actions, DocumentRow.blob)
        .join(TaskRow)
        .join(JobRow)
        .switch(TaskOutputRow)
        .join(DocumentRow)
        .join(BlobRow, on=(DocumentRow.blob == BlobRow.key))
        .switch(TaskRow)
        .join(TaskInputRow, on=(TaskInputRow.task == TaskRow.id))
        .where(
            TaskInputRow.blob_key == document.blob.key,
            TaskRow.type == TaskType.CONVERT,
            TaskRow.state == State.DONE,
            DocumentRow.status == Status.UPLOADED,
            ~BlobRow.corrupt,
        )
        .limit(_EARLIER_LIMIT)
        .dicts()
    )
    for row in earlier:
        if _makes_the_same(Action.from_json(row["actions"][row["action_index"]]), action):
            return str(row["blob"])
    return None


def _makes_the_same(one: Action, other: Action) -> bool:
    return replace(one, output_filename="") == replace(other, output_filename="")


def finish(task: TaskRow, document_id: UUID, *, now: datetime) -> None:
    """Records a task as done, with its output."""
    TaskOutputRow.create(task=task.id, position=0, document=document_id)
    task.state = State.DONE
    task.updated_at = now
    task.save()
