"""Small files that unpack to very much: refused for what they are, soon, and without the machine's memory."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

pytestmark = pytest.mark.slow

GIB = 1024**3
MIB = 1024**2
_SECONDS = 10
_MEMORY_BYTES = 512 * MIB

#: Runs one engine in a process below this one, and prints what came of it, and the memory of the largest process.
_SCRIPT = """
import json, resource, sys
from pathlib import Path
from osis_document_workers import engines
operation, source, scratch = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
target, reason = scratch / "target", ""
try:
    if operation == "merge":
        inputs = [engines.MergeInput(source, "bomb")] * 2
        engines.merge(inputs, target, options=engines.MergeOptions(paper_size=engines.PaperSize.A4), scratch=scratch)
    elif operation == "edit":
        engines.edit(source, target, rotations={0: 90}, scratch=scratch)
    elif operation == "rotate":
        engines.rotate(source, target, mime_type=sys.argv[4], degrees=90, scratch=scratch)
    else:
        engines.convert(source, target, mime_type=sys.argv[4], scratch=scratch)
except engines.EngineError as exc:
    reason = exc.reason
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(json.dumps({"reason": reason, "peak_bytes": peak}))
"""


def _zeros(size_bytes: int) -> bytes:
    """So many zeros, compressed; never all in memory."""
    compressor = zlib.compressobj(9)
    parts = [compressor.compress(bytes(MIB)) for _ in range(size_bytes // MIB)]
    return b"".join([*parts, compressor.flush()])


def _office_bomb(name: str, members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        with archive.open(name, "w", force_zip64=True) as member:
            for _ in range(GIB // MIB):
                member.write(b" " * MIB)
    return file.getvalue()


def _docx() -> bytes:
    types = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    return _office_bomb("word/document.xml", {"[Content_Types].xml": types})


def _odt() -> bytes:
    return _office_bomb("content.xml", {"mimetype": b"application/vnd.oasis.opendocument.text"})


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", _zeros(GIB)) + chunk(b"IEND", b"")


def _jpeg() -> bytes:
    frame = struct.pack(">BHHBBBB", 8, 65_500, 65_500, 1, 1, 0x11, 0)
    scan = struct.pack(">BBBBBB", 1, 1, 0, 0, 63, 0)
    return (
        b"\xff\xd8"
        + (b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame)
        + (b"\xff\xda" + struct.pack(">H", len(scan) + 2) + scan)
        + b"\x00" * 1000
        + b"\xff\xd9"
    )


def _pdf() -> bytes:
    document, file = pikepdf.new(), io.BytesIO()
    document.add_blank_page()
    content = document.make_stream(_zeros(GIB))
    content.stream_dict.Filter = pikepdf.Name.FlateDecode
    document.pages[0].Contents = content
    document.save(file, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return file.getvalue()


@pytest.mark.parametrize(
    ("operation", "make", "mime_type"),
    [
        pytest.param("convert", _docx, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", id="docx"),
        pytest.param("convert", _odt, "application/vnd.oasis.opendocument.text", id="odt"),
        pytest.param("convert", _png, "image/png", id="png"),
        pytest.param("convert", _jpeg, "image/jpeg", id="jpeg"),
        pytest.param("rotate", _png, "image/png", id="rotated-png"),
        pytest.param("merge", _pdf, "", id="merged-pdf"),
        pytest.param("edit", _pdf, "", id="edited-pdf"),
    ],
)
def test_a_bomb_is_told_as_what_it_is_or_never_unpacked(
    operation: str, make: Callable[[], bytes], mime_type: str, tmp_path: Path, scratch: Path
) -> None:
    bomb = tmp_path / "bomb"
    bomb.write_bytes(make())
    assert bomb.stat().st_size < 4 * MIB

    ended = subprocess.run(
        [sys.executable, "-c", _SCRIPT, operation, str(bomb), str(scratch), mime_type],
        capture_output=True,
        text=True,
        timeout=6 * _SECONDS,  # many times what it takes, as the machine may be busy
        check=True,
    )

    outcome = json.loads(ended.stdout)
    assert outcome["peak_bytes"] < _MEMORY_BYTES
    if operation in {"merge", "edit"}:  # pages go through as they are
        assert outcome["reason"] in {"", "PROCESSING_TOO_LARGE"}
    else:
        assert outcome["reason"] == "PROCESSING_TOO_LARGE"
