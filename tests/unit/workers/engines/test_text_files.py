from __future__ import annotations

from pathlib import Path

import pytest

from osis_document_workers.engines import text_files

TEXT = "Élève “Noël” – 5 €\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_comes_out_right_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(TEXT.encode(encoding))
    text_files.rewrite_as_utf8(tmp_path / "in", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == TEXT.encode()


def test_a_big_endian_mark_is_understood(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"\xfe\xff" + TEXT.encode("utf-16-be"))
    assert text_files.encoding_of(tmp_path / "in") == "utf-16"


def test_a_character_across_two_reads_does_not_change_the_encoding(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"a" * (text_files.CHUNK_BYTES - 1) + "é".encode())
    assert text_files.encoding_of(tmp_path / "in") == "utf-8"


def test_a_character_cut_off_at_the_end_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes("é".encode()[:1])
    assert text_files.encoding_of(tmp_path / "in") == "cp1252"
