"""Folders of workers: kept while their worker lives, removed by the next one once it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from osis_document_workers.scratch import ScratchFolder

_HOLD = """
import sys, subprocess
from pathlib import Path
from osis_document_workers.scratch import ScratchFolder
folder = ScratchFolder(Path(sys.argv[1]))
(folder.path / "task-1").mkdir()
(folder.path / "task-1" / "input-0").write_text("a document")
child = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
print(folder.path, child.pid, flush=True)
sys.stdin.read()
folder.remove()
"""


class Holder:
    """A process that holds a folder, with a document in it and a child as engines are."""

    def __init__(self, parent: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        path, child = self.process.stdout.readline().split()
        self.path, self.child = Path(path), int(child)

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> None:
        self.process.communicate(timeout=30)

    def end_child(self) -> None:
        os.kill(self.child, signal.SIGKILL)


@pytest.fixture
def holder(tmp_path: Path):
    holder = Holder(tmp_path)
    yield holder
    if holder.process.poll() is None:
        holder.kill()
    holder.end_child()


def folders(parent: Path) -> list[Path]:
    return sorted(parent.iterdir())


def test_a_folder_goes_with_its_worker(tmp_path: Path) -> None:
    folder = ScratchFolder(tmp_path)
    (folder.path / "task-1").mkdir()
    assert folders(tmp_path) == [folder.path]
    folder.remove()
    assert folders(tmp_path) == []


def test_a_folder_is_made_in_the_folder_for_temporary_files_by_default() -> None:
    import tempfile

    folder = ScratchFolder()
    assert folder.path.parent == Path(tempfile.gettempdir())
    folder.remove()
    assert not folder.path.exists()


def test_the_folder_of_a_living_worker_is_left_alone(holder: Holder, tmp_path: Path) -> None:
    mine = ScratchFolder(tmp_path)
    assert folders(tmp_path) == sorted([mine.path, holder.path])
    assert (holder.path / "task-1" / "input-0").read_text() == "a document"
    holder.end()
    assert folders(tmp_path) == [mine.path]
    mine.remove()


def test_the_folder_of_a_killed_worker_is_removed_by_the_next_even_while_its_engines_still_live(
    holder: Holder, tmp_path: Path
) -> None:
    holder.kill()
    assert folders(tmp_path) == [holder.path]
    mine = ScratchFolder(tmp_path)
    assert folders(tmp_path) == [mine.path]
    mine.remove()


def test_a_folder_that_was_never_locked_is_removed(tmp_path: Path) -> None:
    (tmp_path / "osis-document-worker-killed").mkdir()
    mine = ScratchFolder(tmp_path)
    assert folders(tmp_path) == [mine.path]
    mine.remove()


def test_nothing_else_is_removed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    parent = tmp_path / "parent"
    parent.mkdir()
    (parent / "somebody's").mkdir()
    (parent / "osis-document-worker-link").symlink_to(elsewhere)
    (parent / "osis-document-worker-file").touch()
    tricky = parent / "osis-document-worker-tricky"
    tricky.mkdir()
    (tricky / "lock").symlink_to(elsewhere / "made-through-a-link")
    before = folders(parent)
    mine = ScratchFolder(parent)
    mine.remove()
    assert folders(parent) == before
    assert folders(elsewhere) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make folders of other users")
def test_the_folder_of_another_user_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "osis-document-worker-other"
    other.mkdir()
    os.chown(other, 65534, 65534)
    ScratchFolder(tmp_path).remove()
    assert folders(tmp_path) == [other]


def test_workers_that_start_at_the_same_moment_do_not_take_each_others_folders(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        for _ in range(20):
            made = list(threads.map(ScratchFolder, [tmp_path] * 8))
            assert folders(tmp_path) == sorted(folder.path for folder in made)
            list(threads.map(ScratchFolder.remove, made))
            assert folders(tmp_path) == []


def test_an_engine_that_runs_as_another_user_can_get_through(tmp_path: Path) -> None:
    folder = ScratchFolder(tmp_path)
    assert folder.path.stat().st_mode & 0o777 == 0o711
    folder.remove()
