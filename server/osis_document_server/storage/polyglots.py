"""Files that are two things at once: a document or a picture that is also a page for a browser, a program, or an archive.

A genuine one shows no tags where a browser looks for them, and ends in its own way. What is in the middle is not searched: a PDF
may well have a page, or an archive, attached.
"""

import re

from osis_document_server.domain import content
from osis_document_server.storage.zip_content import END_SIGNATURE, SIGNATURE, ends_like_a_zip

#: How much of a file browsers look at to tell what it is, at most (mimesniff.spec.whatwg.org, 5.2: 1445 bytes).
BEGINNING_BYTES = 1445
#: How much of the end is looked at: what the last record of a zip file may take, and more.
END_BYTES = 128 * 1024

#: What makes browsers take a file for a page (7.1 there; comments and single letters, which PDFs contain by chance, left out).
_PDF_TAGS = re.compile(rb"<(!doctype\s+html|html|head|script|iframe|body|svg|style|title|table)[\s>/]", re.IGNORECASE)
#: Pictures have descriptions of their own in XML, or a drawing that they were made from.
_PICTURE_TAGS = re.compile(rb"<(!doctype\s+html|html|head|script|iframe|body)[\s>/]", re.IGNORECASE)
#: A text in a PDF's dictionary, such as /Title (All about <table>): nobody's page.
_PDF_TEXT = re.compile(rb"/\w+\s*\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)", re.DOTALL)
#: A file that is attached to a PDF, up to its end or that of what is looked at.
_PDF_ATTACHMENT = re.compile(rb"/EmbeddedFile\b.{0,300}?>>\s*stream\b.*?(?:endstream|\Z)", re.DOTALL)

_PDF_HEADER = re.compile(rb"%PDF-|%!PS-Adobe-\d\.\d PDF-")

#: How programs begin that run whatever follows: of Windows, Linux and shells.
_PROGRAM_SIGNATURES = (b"MZ", b"\x7fELF", b"#!")

#: After the last of these, a file of that kind is over.
_LAST_PARTS = {
    content.PDF: b"endobj",
    content.JPEG: b"\xff\xd9",
    content.PNG: b"IEND",
    content.DOCX: END_SIGNATURE,
    content.ODT: END_SIGNATURE,
}
#: The types that are looked at here.
TYPES = frozenset(_LAST_PARTS)


def other_nature(detected: str, *, beginning: bytes, end: bytes) -> str:
    """Returns the type that a file has besides; empty if it has none.

    Args:
        detected: what it is, one of ``TYPES``.
        beginning: its first ``BEGINNING_BYTES``.
        end: its last ``END_BYTES``.
    """
    tags = _PDF_TAGS if detected == content.PDF else _PICTURE_TAGS
    if tags.search(end[max(end.rfind(_LAST_PARTS[detected]), 0) :]):
        return content.HTML
    if beginning.startswith(SIGNATURE):
        return ""  # the parts of a package may well begin with a page, and it ends like an archive
    if detected == content.PDF:
        before = beginning[: header.start()] if (header := _PDF_HEADER.search(beginning)) else b""
        if before.startswith(_PROGRAM_SIGNATURES):
            return content.UNKNOWN
        if before.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            return content.HTML
        beginning = _PDF_ATTACHMENT.sub(b"", _PDF_TEXT.sub(b"", beginning))
    if tags.search(beginning):
        return content.HTML
    return content.ZIP if ends_like_a_zip(end) else ""
