"""The encoding of plain text."""

from __future__ import annotations

import codecs
from pathlib import Path

CHUNK_BYTES = 1024 * 1024

_MARKS = (
    # UTF-32 first: its little-endian mark begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(path: Path) -> str:
    """The encoding's Python name: what a byte order mark says, else UTF-8 if it is that throughout, else Windows-1252.

    No statistics: text in Windows-1252 is hardly ever valid UTF-8 by chance, and for the few other 8-bit encodings a
    guess would be wrong more often than right.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        start = stream.read(4)
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                return encoding
        stream.seek(0)
        try:
            while chunk := stream.read(CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def rewrite_as_utf8(source: Path, target: Path) -> None:
    """Writes the text of `source` as UTF-8 without a mark; what its encoding cannot explain becomes U+FFFD."""
    with (
        source.open(encoding=encoding_of(source), errors="replace", newline="") as reader,
        target.open("w", encoding="utf-8", newline="") as writer,
    ):
        while text := reader.read(CHUNK_BYTES):
            writer.write(text.replace("\0", ""))
