"""The documents that post-processing makes."""

from datetime import datetime
from pathlib import PurePosixPath
from uuid import uuid4

from osis_document_server.domain import content
from osis_document_server.domain.documents import Document, Status
from osis_document_server.domain.jobs import Action, State, TaskType
from osis_document_server.domain.names import extension_of, with_extension
from osis_document_server.models.tables import DocumentRow, TaskOutputRow, TaskRow

_MERGED = "merged.pdf"


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
    """Returns an output's logical path: in the folder of what it was made from."""
    return (PurePosixPath(source_path).parent / name).as_posix()


def pass_through(task: TaskRow, document: Document, action: Action, *, count: int, client: str, now: datetime) -> None:
    """Finishes the conversion of a PDF at once: its output is a document of its own that shares the bytes."""
    name = name_of(action, source_name=document.name, position=task.position, count=count)
    output = DocumentRow.create(
        id=uuid4(),
        name=name,
        mime_type=content.PDF,
        blob=document.blob.key,
        status=Status.UPLOADED,
        path=path_of(name, source_path=document.path),
        client=client,
        uploaded_at=now,
        updated_at=now,
    )
    finish(task, output, now=now)


def finish(task: TaskRow, output: DocumentRow, *, now: datetime) -> None:
    """Records a task as done, with its output."""
    TaskOutputRow.create(task=task.id, position=0, document=output.id)
    task.state = State.DONE
    task.updated_at = now
    task.save()
