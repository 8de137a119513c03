"""From a task's message to an engine and the result's name."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import click
import pytest
from PIL import Image, ImageOps
from pypdf import PdfReader

from osis.document.v1 import document_pb2, worker_service_pb2
from osis_document_workers import actors, engines
from osis_document_workers.actors import edit, rotate
from osis_document_workers.cli import cli
from osis_document_workers.inputs import Input
from osis_document_workers.processing import Work
from tests.support import files


def work(folder: Path, content: bytes, mime_type: str, **action: object) -> Work:
    """A task over one document, as it is after its download."""
    path = folder / "input-0"
    path.write_bytes(content)
    item = worker_service_pb2.TaskInput(document=document_pb2.Document(mime_type=mime_type), display_name="its name")
    task = worker_service_pb2.Task(inputs=[item], **action)  # type: ignore[arg-type]
    return Work(task=task, inputs=[Input(message=item, path=path)], folder=folder, cancelled=threading.Event())


@pytest.mark.parametrize(
    ("content", "mime_type", "name"),
    [(files.turned_jpeg(), "image/jpeg", "output.jpg"), (files.png(), "image/png", "output.png")],
)
@pytest.mark.parametrize(("degrees", "method"), [(90, Image.Transpose.ROTATE_270), (180, Image.Transpose.ROTATE_180)])
def test_a_picture_is_rotated_clockwise_and_named_after_its_type(
    content: bytes, mime_type: str, name: str, degrees: int, method: Image.Transpose, tmp_path: Path
) -> None:
    output = rotate.run(work(tmp_path, content, mime_type, rotate=worker_service_pb2.RotateTask(degrees=degrees)))
    assert output == tmp_path / name
    with Image.open(io.BytesIO(content)) as before, Image.open(output) as after:
        assert after.format == before.format
        assert ImageOps.exif_transpose(after).tobytes() == ImageOps.exif_transpose(before).transpose(method).tobytes()


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    task = worker_service_pb2.RotateTask(degrees=90)
    with pytest.raises(engines.EngineError) as failure:
        rotate.run(work(tmp_path, files.pdf("text"), "application/pdf", rotate=task))
    assert failure.value.reason == engines.Reason.NOT_AN_IMAGE


def test_pages_are_rotated_by_their_numbers(tmp_path: Path) -> None:
    task = worker_service_pb2.EditTask(rotations={0: 90, 2: 180})
    output = edit.run(work(tmp_path, files.pdf("one", "two", "three"), "application/pdf", edit=task))
    assert output == tmp_path / "output.pdf"
    assert [page.rotation for page in PdfReader(output).pages] == [90, 0, 180]


def test_a_cancelled_edit_stops(tmp_path: Path) -> None:
    cancelled = work(tmp_path, files.pdf("one"), "application/pdf", edit=worker_service_pb2.EditTask(rotations={0: 90}))
    cancelled.cancelled.set()
    with pytest.raises(engines.EngineCancelledError):
        edit.run(cancelled)
    assert not (tmp_path / "output.pdf").exists()


def test_the_command_line_names_every_queue() -> None:
    [option] = [each for each in cli.params if each.name == "queues"]
    assert isinstance(option, click.Option)
    assert (option.help or "").endswith(f": {','.join(actors.QUEUES)}.")
