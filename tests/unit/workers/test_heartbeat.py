"""The sign of life of a worker."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from osis_document_workers import heartbeat, scratch
from osis_document_workers.health import UnhealthyError, require_living_workers
from osis_document_workers.heartbeat import Heartbeat
from osis_document_workers.scratch import ScratchFolder


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the file follow each look at a queue."""
    monkeypatch.setattr(heartbeat, "_WRITE_SECONDS", 0.0)


def age_of(folder: Path) -> float:
    return time.time() - (folder / scratch.HEARTBEAT).stat().st_mtime


def test_the_file_follows_the_queue_that_was_not_looked_at_for_the_longest_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beating = Heartbeat(tmp_path)
    started = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: started + 10)
    beating.beat("convert")
    beating.beat("merge")
    assert age_of(tmp_path) == pytest.approx(0, abs=1)

    monkeypatch.setattr(time, "monotonic", lambda: started + 70)
    beating.beat("merge")
    assert age_of(tmp_path) == pytest.approx(60, abs=1)

    beating.beat("convert")
    assert age_of(tmp_path) == pytest.approx(0, abs=1)


def test_a_file_that_somebody_removed_stops_no_worker(tmp_path: Path) -> None:
    beating = Heartbeat(tmp_path)
    (tmp_path / scratch.HEARTBEAT).unlink()
    beating.beat("convert")


def test_a_folder_is_in_use_until_it_is_removed(tmp_path: Path) -> None:
    first, second = ScratchFolder(tmp_path), ScratchFolder(tmp_path)
    assert set(scratch.folders_in_use(tmp_path)) == {first.path, second.path}
    first.remove()
    assert scratch.folders_in_use(tmp_path) == [second.path]
    second.remove()
    assert scratch.folders_in_use(tmp_path) == []


def test_a_folder_without_a_sign_of_life_is_that_of_no_worker(tmp_path: Path) -> None:
    folder = ScratchFolder(tmp_path)  # as the worker inside a server has one
    with pytest.raises(UnhealthyError, match="no worker of this user"):
        require_living_workers(tmp_path, max_age_seconds=30)
    Heartbeat(folder.path)
    assert require_living_workers(tmp_path, max_age_seconds=30) == 1
    folder.remove()


def test_what_a_killed_worker_left_behind_is_no_sign_of_life(tmp_path: Path) -> None:
    left = tmp_path / "osis-document-worker-left"
    left.mkdir()
    (left / "lock").touch()
    Heartbeat(left)
    with pytest.raises(UnhealthyError, match="no worker of this user"):
        require_living_workers(tmp_path, max_age_seconds=30)
