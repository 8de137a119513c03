from __future__ import annotations

import os
from pathlib import Path

import pytest

from osis_document_workers.engines.errors import EngineError, Reason
from osis_document_workers.engines.workspace import workspace


def test_a_source_is_copied_once_and_given_as_often_as_asked(scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    with workspace(scratch) as space:
        copies = space.add([tmp_path / "b", tmp_path / "a", tmp_path / "b"])
        assert [copy.read_bytes() for copy in copies] == [b"b", b"a", b"b"]
        assert copies[0] == copies[2]
    assert list(scratch.iterdir()) == []


def test_a_source_that_nobody_writes_any_more_is_there_without_a_copy(scratch: Path, tmp_path: Path) -> None:
    finished, open_to_changes, elsewhere = tmp_path / "finished", tmp_path / "open", tmp_path / "elsewhere"
    finished.write_bytes(b"finished")
    finished.chmod(0o444)
    open_to_changes.write_bytes(b"open")
    elsewhere.symlink_to(finished)
    with workspace(scratch) as space:
        placed = space.add([finished, open_to_changes, elsewhere])
        assert [path.read_bytes() for path in placed] == [b"finished", b"open", b"finished"]
        assert [path.samefile(finished) for path in placed] == [True, False, False]
        assert {path.lstat().st_mode & 0o777 for path in placed} == {0o444}
        space.clear()
    assert finished.read_bytes() == b"finished"
    assert open_to_changes.stat().st_mode & 0o200


@pytest.mark.parametrize("kind", ["symbolic link", "hard link", "pipe", "folder", "empty file", "nothing"])
def test_nothing_but_a_regular_file_is_published(kind: str, scratch: Path, tmp_path: Path) -> None:
    secret, target = tmp_path / "secret", tmp_path / "target"
    secret.write_bytes(b"secret")
    with workspace(scratch) as space:
        match kind:
            case "symbolic link":
                space.result.symlink_to(secret)
            case "hard link":
                space.result.hardlink_to(secret)
            case "pipe":
                os.mkfifo(space.result)
            case "folder":
                space.result.mkdir()
            case "empty file":
                space.result.touch()
        with pytest.raises(EngineError) as failure:
            space.publish(target)
    assert failure.value.reason == Reason.ENGINE_CRASHED
    assert not target.exists()
