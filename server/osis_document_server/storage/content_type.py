"""Finds out what kind of file a file is, by looking at all of it, and whether its name agrees.

libmagic first, on the file itself; then a closer look at what libmagic names by its shell alone, or not rightly: containers
(docx, odt, doc), texts of all sorts, PDFs that begin late, and files that are two things at once. Nothing more of a user's file
is parsed here; that is the workers' part. However large or crafted a file is, a look takes well below a second and a few
megabytes.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from osis_document_server.domain import content
from osis_document_server.errors import MimeMismatch
from osis_document_server.storage import libmagic, ole_content, polyglots, text_content, zip_content

#: Texts are judged by so much of their beginning, as libmagic does.
_TEXT_BYTES = 1024 * 1024

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_SIGNATURE = b"\xff\xd8\xff"
#: JPEG-LS, another format, begins with a segment of its own after that (ITU-T T.87, C.1.2).
_JPEG_LS_SIGNATURE = b"\xff\xd8\xff\xf7"

#: Readers accept a header after up to 1,024 foreign bytes (PDF 1.7, Annex H, implementation notes 13 and 14), and that of old
#: Acrobat Distillers.
_PDF_HEADER = re.compile(rb"(?:%PDF-|%!PS-Adobe-\d\.\d PDF-)\d")
_PDF_HEADER_BYTES = 1024 + 32
#: What libmagic says of a PDF that begins late, by what it begins with. Anything else is another file with a PDF in it.
_BEFORE_PDF = frozenset(
    {
        content.UNKNOWN,
        content.TEXT,
        "application/postscript",  # a line %!PS
        "message/rfc822",
        "application/x-macbinary",
        "application/vnd.hp-pcl",
        "application/vnd.hp-jlyt",
    }
)

#: Word processors save Rich Text as .doc too, Word and WordPad among them; whoever has such a file cannot tell.
_RTF_SIGNATURE = b"{\\rtf"
#: How Word documents from before OLE begin: Word for Windows 1 and 2, for DOS, and for the Macintosh.
_OLD_WORD_SIGNATURES = (b"\x9b\xa5\x21\0", b"\xdb\xa5\x2d\0", b"\x31\xbe\0\0\0\xab", b"\xfe\x37\x00\x1c", b"\xfe\x37\x00\x23")

#: Types of containers; whatever does not begin like one is none.
_CONTAINED = frozenset({content.DOC, content.DOCX, content.ODT})

#: What libmagic says of texts, beside "text/…" and nothing at all.
_TEXT_TYPES = frozenset(
    {
        content.UNKNOWN,
        "application/csv",
        "application/javascript",
        "application/json",
        "application/x-ndjson",
        "application/mbox",
        "inode/x-empty",
        "message/news",
        "message/rfc822",
    }
)
#: Files that can consist of letters alone, and are no texts all the same.
_LETTERS_ALONE = (b"%PDF-", b"GIF87a", b"GIF89a")


@dataclass(frozen=True)
class _File:
    """A file and its first and last bytes."""

    path: Path
    beginning: bytes
    end: bytes


class ContentTypes:
    """Detects media types.

    Args:
        magic_file: a libmagic database of the operator's own, asked before the one that comes with the service. Where it says
            of a file that it is what its extension says, it is believed; unless the file is something else besides.

    Raises:
        libmagic.UnusableMagicError: that database cannot be read.
    """

    def __init__(self, magic_file: Path | None = None) -> None:
        self._own = libmagic.open_database(magic_file) if magic_file else None
        self._bundled = libmagic.BundledDatabase()

    def detect(self, path: Path, *, extension: str) -> str:
        """Returns the media type of the file at ``path``.

        Args:
            path: the file; its own name does not matter.
            extension: what the document's name ends in. It only ever narrows a detected type: plain text of any sort is
                ``text/plain`` in a ``.txt``, Rich Text is what word processors write in a ``.doc``, and an encrypted office
                document is of the kind that its name says.

        Raises:
            OSError: the file cannot be read.
        """
        with path.open("rb") as stream:
            beginning = stream.read(_TEXT_BYTES)
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - polyglots.END_BYTES))
            file = _File(path, beginning, stream.read())
        found = self._first_nature(file, extension=extension)
        if found not in polyglots.TYPES or beginning.startswith(ole_content.SIGNATURE):
            return found
        return polyglots.other_nature(found, beginning=beginning[: polyglots.BEGINNING_BYTES], end=file.end) or found

    def _first_nature(self, file: _File, *, extension: str) -> str:
        own = self._own.type_of(file.path) if self._own else content.UNKNOWN
        named = self._bundled.type_of(file.path) if own == content.UNKNOWN else own
        is_vouched_for = own == content.TYPE_BY_EXTENSION.get(extension)
        if file.beginning.startswith(zip_content.SIGNATURE):
            return zip_content.type_of(file.path) or (own if is_vouched_for else _of_shell(named, content.ZIP))
        if file.beginning.startswith(ole_content.SIGNATURE):
            return _of_ole(file.path, extension=extension) or (own if is_vouched_for else _of_shell(named, content.OLE))
        return named if is_vouched_for else _looked_at(file, named, extension=extension)


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


def _of_shell(named: str, shell: str) -> str:
    """What a container is inside which no document was found: what libmagic says, unless that it is a document."""
    return shell if named == content.UNKNOWN or named in content.TYPE_BY_EXTENSION.values() else named


def _of_ole(path: Path, *, extension: str) -> str:
    detected = ole_content.type_of(path)
    return content.DOCX if detected == ole_content.ENCRYPTED and extension == "docx" else detected


def _looked_at(file: _File, named: str, *, extension: str) -> str:
    """Corrects libmagic where it knows less than can be known."""
    beginning = file.beginning
    if extension == "txt" and _is_text(file, named):
        return content.TEXT
    if extension == "doc" and beginning.startswith((_RTF_SIGNATURE, *_OLD_WORD_SIGNATURES)):
        return content.DOC
    if extension == "pdf" and named in _BEFORE_PDF and _PDF_HEADER.search(beginning[:_PDF_HEADER_BYTES]):
        return content.PDF
    if beginning.startswith(_JPEG_SIGNATURE):
        return "image/jls" if beginning.startswith(_JPEG_LS_SIGNATURE) else content.JPEG
    if beginning.startswith(_PNG_SIGNATURE) and named.startswith("image/"):  # animated ones have got names of their own
        return content.PNG
    return content.UNKNOWN if named in _CONTAINED else named


def _is_text(file: _File, named: str) -> bool:
    """True for plain text, and for text of any other sort. What libmagic takes for no text has to be one beyond doubt."""
    if file.beginning.startswith(_LETTERS_ALONE):
        return False
    if named.startswith("text/") or named in _TEXT_TYPES:
        return text_content.is_text(file.beginning)
    return text_content.is_clean_text(file.beginning)
