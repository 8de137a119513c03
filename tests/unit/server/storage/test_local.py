"""Blobs on a local disk."""

import stat
from collections.abc import Callable
from pathlib import Path

from osis_document_server.storage.local import LocalStorage

KEY = "0123456789abcdef0123456789abcdef"


def test_nobody_can_write_to_a_blob(new_source: Callable[[bytes], Path], tmp_path: Path) -> None:
    LocalStorage(tmp_path / "blobs").put(KEY, new_source(b"content"))

    assert stat.S_IMODE((tmp_path / "blobs" / "01" / KEY).stat().st_mode) == 0o400


def test_files_that_are_no_blobs_are_not_listed(new_source: Callable[[bytes], Path], tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "blobs")
    storage.put(KEY, new_source(b"content"))
    (tmp_path / "blobs" / "01" / "README").write_text("put here by somebody")

    assert [blob.key for blob in storage.stored()] == [KEY]
