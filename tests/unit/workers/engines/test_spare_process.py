"""A process that is ready for the next document."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import psutil
import pytest
from PIL import Image

from osis_document_workers import engines
from osis_document_workers.engines import EngineCancelledError, EngineError, Limits, Reason, SpareProcess
from tests.support.waiting import wait_until

from .conftest import pdf_bytes
from .processes import new_processes


@pytest.fixture
def spare(scratch: Path) -> Iterator[SpareProcess]:
    kept = SpareProcess(scratch=scratch)
    yield kept
    kept.stop()
    assert list(scratch.iterdir()) == []
    assert new_processes() == []


@pytest.fixture
def rotate(tmp_path: Path, scratch: Path, spare: SpareProcess):
    """Rotates a picture, and returns the size of the result."""
    source, target = tmp_path / "picture.png", tmp_path / "rotated.png"
    Image.new("RGB", (30, 20), "red").save(source)

    def run(**options: object) -> tuple[int, int]:
        target.unlink(missing_ok=True)
        arguments = {"limits": Limits(), "spare": spare, "mime_type": "image/png", "degrees": 90} | options
        engines.rotate(source, target, scratch=scratch, **arguments)
        return Image.open(BytesIO(target.read_bytes())).size

    return run


def _waiting() -> list[psutil.Process]:
    """The processes that wait for a document; launchers, which have the same words in their command lines, are none."""
    found = []
    for process in new_processes():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if words[-1:] == ["wait"] and not any(word.endswith("supervisor.py") for word in words) and "python" in words[0]:
            found.append(process)
    return found


def _one_that_waits() -> psutil.Process:
    wait_until(lambda: len(_waiting()) == 1, "a process waits for a document", seconds=20)
    return _waiting()[0]


@pytest.mark.parametrize("isolation", ["namespace", "plain"], indirect=True)
def test_a_document_is_done_by_the_process_that_waits_which_then_makes_room_for_another(isolation: str, rotate) -> None:
    assert rotate() == (20, 30)
    first = _one_that_waits()

    assert rotate() == (20, 30)

    assert not first.is_running()
    assert _one_that_waits() != first


def test_each_operation_can_be_done_by_a_process_that_waits(rotate, spare, tmp_path, scratch, picture) -> None:
    source, photo, target = tmp_path / "one.pdf", tmp_path / "photo.jpg", tmp_path / "target.pdf"
    source.write_bytes(pdf_bytes("one"))
    photo.write_bytes(picture)
    operations = [
        lambda: engines.merge([engines.MergeInput(source, "one")] * 2, target, scratch=scratch, spare=spare),
        lambda: engines.edit(source, target, rotations={0: 90}, scratch=scratch, spare=spare),
        lambda: engines.convert(photo, target, mime_type="image/jpeg", scratch=scratch, spare=spare),
    ]
    rotate()
    for operation in operations:
        waiting = _one_that_waits()

        operation()

        assert target.read_bytes().startswith(b"%PDF-")
        assert not waiting.is_running()


def test_a_process_that_died_while_it_waited_costs_no_document(rotate) -> None:
    rotate()
    waiting = _one_that_waits()
    waiting.kill()
    wait_until(lambda: not _waiting(), "it is gone", seconds=20)

    assert rotate() == (20, 30)
    assert _one_that_waits() != waiting


def test_what_an_engine_says_of_a_document_is_told_and_the_next_one_is_done(rotate, spare, tmp_path, scratch) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    rotate()
    _one_that_waits()

    with pytest.raises(EngineError) as refused:
        engines.rotate(broken, tmp_path / "x.png", mime_type="image/png", degrees=90, scratch=scratch, spare=spare)

    assert refused.value.reason in {Reason.NOT_AN_IMAGE, Reason.DOCUMENT_UNREADABLE}
    assert rotate() == (20, 30)


def test_limits_hold_for_a_process_that_waits(rotate, spare, tmp_path, scratch) -> None:
    rotate()
    waiting = _one_that_waits()

    assert rotate(limits=replace(Limits(), wall_seconds=20)) == (20, 30)

    assert waiting.is_running()  # it was started with other limits


def test_the_time_that_a_process_waits_is_not_the_documents(tmp_path, scratch) -> None:
    limits = replace(Limits(), wall_seconds=2.0)
    source, target = tmp_path / "picture.png", tmp_path / "rotated.png"
    Image.new("RGB", (30, 20), "red").save(source)
    kept = SpareProcess(scratch=scratch, limits=limits)
    try:
        engines.rotate(source, target, mime_type="image/png", degrees=90, scratch=scratch, spare=kept, limits=limits)
        waiting = _one_that_waits()
        threading.Event().wait(2.2)  # longer than a document may take
        engines.rotate(source, target, mime_type="image/png", degrees=90, scratch=scratch, spare=kept, limits=limits)
        assert not waiting.is_running()
    finally:
        kept.stop()


def test_a_cancelled_document_ends_the_process_that_it_was_given(rotate) -> None:
    cancelled = threading.Event()
    rotate()
    waiting = _one_that_waits()
    cancelled.set()

    with pytest.raises(EngineCancelledError):
        rotate(cancelled=cancelled)

    wait_until(lambda: not waiting.is_running(), "it is ended", seconds=20)


def test_a_process_that_nobody_wants_is_ended(tmp_path, scratch) -> None:
    source, target = tmp_path / "picture.png", tmp_path / "rotated.png"
    Image.new("RGB", (30, 20), "red").save(source)
    kept = SpareProcess(scratch=scratch, idle_seconds=0.5)
    try:
        engines.rotate(source, target, mime_type="image/png", degrees=90, scratch=scratch, spare=kept)
        waiting = _one_that_waits()
        wait_until(lambda: not waiting.is_running(), "it is ended", seconds=20)
        wait_until(lambda: list(scratch.iterdir()) == [], "its folder is gone", seconds=20)
    finally:
        kept.stop()
