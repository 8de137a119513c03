"""A look into zip files: which kind of document is packed there?

Only the packing is read: the list of members and the two or three small ones that say what the package is.
"""

import codecs
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote
from xml.parsers import expat

from osis_document_server.domain import content
from osis_document_server.storage.bounded_file import BoundedFile

#: How a zip file begins (APPNOTE.TXT, 4.3.7).
SIGNATURE = b"PK\x03\x04"
#: How its last record begins (4.3.16), that record's length, and the longest comment that may follow.
END_SIGNATURE = b"PK\x05\x06"
_END_BYTES = 22
_LONGEST_COMMENT = 0xFFFF

#: The list of members may have so many bytes: a real document of 10,000 parts has less than that.
_LIST_BYTES = 1024 * 1024
#: What is read of one member, packed and unpacked.
_MEMBER_BYTES = 4 * 1024 * 1024

#: The types of an Office package's main part ([Content_Types].xml; ECMA-376 part 2, 10.1.2), in lower case, and what they make
#: of it. A template is a document like any other; one with macros is not what .docx promises.
_MAIN_PARTS = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml": content.DOCX,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml": content.DOCX,
    "application/vnd.ms-word.document.macroenabled.main+xml": "application/vnd.ms-word.document.macroenabled.12",
    "application/vnd.ms-word.template.macroenabledtemplate.main+xml": "application/vnd.ms-word.template.macroenabled.12",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml": (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    ),
}
#: What a package says of itself in its member "mimetype": OpenDocument 1.3, part 2, 3.3; EPUB 3.3, 4.2.6.2.
_PACKAGE = re.compile(r"application/(vnd\.oasis\.opendocument\.[a-z-]+|epub\+zip)")
_ODT_TEMPLATE = f"{content.ODT}-template"
#: How XML begins in encodings that are certain without a declaration, or in spite of one.
_ENCODINGS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
    (b"<\0", "UTF-16LE"),
    (b"\0<", "UTF-16BE"),
)
#: One of these is in every such package.
_PACKAGE_PARTS = frozenset({"content.xml", "meta-inf/manifest.xml", "meta-inf/container.xml"})


def type_of(path: Path) -> str:
    """Returns the media type of the zip file at ``path``; empty if it cannot be read, or nothing says what it is."""
    try:
        with (
            BoundedFile(path, limit_bytes=_LIST_BYTES + _END_BYTES + _LONGEST_COMMENT) as file,
            zipfile.ZipFile(file) as archive,
        ):
            file.allow(_MEMBER_BYTES)
            return _Package(archive).type()
    except Exception:  # noqa: BLE001 - there is nothing that a crafted file does not make a zip reader raise
        return ""


def ends_like_a_zip(tail: bytes) -> bool:
    """True if a file with this end (its last 64 KiB and more) is a zip file too, whatever it begins with."""
    place = tail.rfind(END_SIGNATURE)
    while place >= 0:
        comment_bytes = int.from_bytes(tail[place + _END_BYTES - 2 : place + _END_BYTES], "little")
        if place + _END_BYTES + comment_bytes == len(tail):
            return True
        place = tail.rfind(END_SIGNATURE, 0, place)
    return False


class _Package:
    """The members of a zip file, by name as office programs compare them: without case, with forward slashes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members = {_normal(info.filename): info for info in archive.infolist()}

    def type(self) -> str:
        return self._office_type() or self._open_document_type()

    def _office_type(self) -> str:
        for element, attributes in _elements(self._read("[content_types].xml")):
            made = _MAIN_PARTS.get(attributes.get("ContentType", "").strip().lower())
            if made and self._has_part(element, attributes):
                return made
        return ""

    def _has_part(self, element: str, attributes: Mapping[str, str]) -> bool:
        """True if a part is there to which a type is given, by its name or by its extension."""
        if element == "Override":
            return _normal(unquote(attributes.get("PartName", ""))) in self._members
        suffix = f".{attributes.get('Extension', '').lower()}"
        return element == "Default" and any(PurePosixPath(name).suffix == suffix for name in self._parts())

    def _parts(self) -> Iterator[str]:
        return (name for name in self._members if name != "[content_types].xml" and not name.startswith("_rels/"))

    def _open_document_type(self) -> str:
        declared = self._read("mimetype").removeprefix(codecs.BOM_UTF8).strip(b"\0 \t\r\n").decode("ascii", errors="replace")
        declared = declared or self._manifest_type()
        has_content = not self._members.keys().isdisjoint(_PACKAGE_PARTS)
        if not has_content or not _PACKAGE.fullmatch(declared):
            return ""
        return content.ODT if declared == _ODT_TEMPLATE else declared

    def _manifest_type(self) -> str:
        """What the manifest says of the whole package, for the rare program that leaves "mimetype" out."""
        for element, attributes in _elements(self._read("meta-inf/manifest.xml")):
            if element == "file-entry" and attributes.get("full-path") == "/":
                return attributes.get("media-type", "")
        return ""

    def _read(self, name: str) -> bytes:
        """The content of a member; empty if there is none."""
        info = self._members.get(name)
        if info is None:
            return b""
        with self._archive.open(info) as member:
            return member.read(_MEMBER_BYTES)


def _normal(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _elements(xml: bytes) -> list[tuple[str, dict[str, str]]]:
    """All elements of an XML text with their attributes, by local names; whatever its encoding.

    Raises:
        expat.ExpatError, ValueError: it is no XML, or has a document type declaration, which these never have.
    """
    found: list[tuple[str, dict[str, str]]] = []
    if not xml:
        return found

    def begin(name: str, attributes: dict[str, str]) -> None:
        found.append((_local(name), {_local(key): value for key, value in attributes.items()}))

    def refuse(*_: object) -> None:
        raise ValueError("a document type declaration")

    encoding = next((encoding for start, encoding in _ENCODINGS if xml.startswith(start)), None)
    parser = expat.ParserCreate(encoding, namespace_separator=" ")
    parser.StartElementHandler = begin
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(xml, True)
    return found


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
