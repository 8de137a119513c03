"""Finds out what kind of file a file is, by looking at all of it, and whether its name agrees.

libmagic first, on the whole file; then a look inside the two kinds of container that libmagic often names only as containers: zip
(docx, odt) and OLE (doc). Nothing more of a user's file is parsed here; that is the workers' part.
"""

import re
import threading
import zipfile
from pathlib import Path

import olefile
import pylibmagic  # noqa: F401

# isort: split
import magic  # after pylibmagic, which points it to the libmagic that it brings; a system's own would not read its database

from osis_document_server.domain import content
from osis_document_server.errors import MimeMismatch

#: How a zip file (APPNOTE.TXT, 4.3.7) and an OLE file ([MS-CFB], 2.2) begin.
_ZIP_SIGNATURE = b"PK\x03\x04"
_OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Encrypted Office documents of the zip kind are OLE files with this stream ([MS-OFFCRYPTO], 2.3.4).
_ENCRYPTED_PACKAGE = "EncryptedPackage"
_WORD_STREAM = "WordDocument"
_TINY_BYTES = 4
#: How much of a file browsers look at to tell what it is, at most (mimesniff.spec.whatwg.org, 5.2: 1445 bytes).
_BEGINNING_BYTES = 1445
#: What makes them take it for a page (7.1 there; comments and single letters, which PDFs contain by chance, left out).
_HTML = re.compile(rb"<(!doctype\s+html|html|head|script|iframe|body|svg|style|title|table)[\s>]", re.IGNORECASE)
#: Members of a zip that are looked at; no real document has as many.
_MEMBER_LIMIT = 100_000


class ContentTypes:
    """Detects media types.

    Args:
        magic_file: a libmagic database of the operator's own, instead of the one that comes with pylibmagic.
    """

    def __init__(self, magic_file: Path | None = None) -> None:
        self._magic = magic.Magic(mime=True, magic_file=str(magic_file) if magic_file else None)
        # libmagic's handles are not for sharing between threads; a look takes milliseconds, so one handle and a lock will do.
        self._lock = threading.Lock()

    def detect(self, path: Path, *, extension: str) -> str:
        """Returns the media type of the file at ``path``.

        Args:
            path: the file; its own name does not matter.
            extension: what the document's name ends in. It only ever narrows a detected type: plain text of any sort is
                ``text/plain`` in a ``.txt``, and an encrypted office document is of the kind that its name says.
        """
        with self._lock:
            detected = str(self._magic.from_file(str(path)))
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING_BYTES)
        if detected == content.PDF and _HTML.search(beginning):
            return "text/html"  # two things at once: a browser that looks for itself may take it for a page
        signature = beginning[: len(_OLE_SIGNATURE)]
        if signature.startswith(_ZIP_SIGNATURE):
            return _type_of_zip(path) or detected
        if signature == _OLE_SIGNATURE:
            return _type_of_ole(path, extension=extension) or detected
        if extension == "txt" and (_is_text(detected) or _is_tiny_text(path)):
            return content.TEXT
        return detected


def require_agreement(name: str, *, extension: str, detected: str) -> None:
    """Raises ``MimeMismatch`` when a file called ``name`` cannot be of the type ``detected``."""
    expected = content.TYPE_BY_EXTENSION.get(extension)
    if expected is not None and detected != expected:
        raise MimeMismatch(
            f"{name!r} looks like {detected}, not like .{extension} ({expected}). Give it the extension of what it is, or save "
            "it anew in the program that it comes from.",
            extension=extension,
            detected=detected,
        )


def _is_text(detected: str) -> bool:
    return detected.startswith("text/") or detected in {"application/json", "application/javascript", "application/csv"}


def _is_tiny_text(path: Path) -> bool:
    """libmagic does not judge files of a byte or two."""
    if path.stat().st_size > _TINY_BYTES:
        return False
    return all(byte >= 0x20 or byte in b"\t\n\f\r" for byte in path.read_bytes())


def _type_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist()[:_MEMBER_LIMIT])
            if "[Content_Types].xml" in names and any(name.startswith("word/") for name in names):
                return content.DOCX
            if "mimetype" in names and archive.getinfo("mimetype").file_size <= 256:
                return archive.read("mimetype").decode("ascii", errors="replace").strip()
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError, ValueError):
        return ""
    return ""


def _type_of_ole(path: Path, *, extension: str) -> str:
    try:
        with olefile.OleFileIO(str(path)) as archive:
            streams = {"/".join(parts).lower() for parts in archive.listdir()}
    except (OSError, ValueError, IndexError):
        return ""
    if _WORD_STREAM.lower() in streams:
        return content.DOC
    if _ENCRYPTED_PACKAGE.lower() in streams and extension == "docx":
        return content.DOCX
    return ""
