"""A look into zip files: which kind of document is packed there?

Only the packing is read: the list of members and the two or three small ones that say what the package is.
"""

import codecs
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

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
_TYPE_TAG = re.compile(r"<(?:\w+:)?(?P<kind>Override|Default)\s(?P<attributes>[^>]*)>")
_ATTRIBUTE = re.compile(r"(?P<name>\w+)\s*=\s*(?P<quote>[\"'])(?P<value>.*?)(?P=quote)", re.DOTALL)

#: What a package says of itself in its member "mimetype": OpenDocument 1.3, part 2, 3.3; EPUB 3.3, 4.2.6.2.
_PACKAGE = re.compile(r"application/(vnd\.oasis\.opendocument\.[a-z-]+|epub\+zip)")
_ODT_TEMPLATE = f"{content.ODT}-template"
_MANIFEST_ENTRY = re.compile(r"<(?:[\w-]+:)?file-entry\s(?P<attributes>[^>]*)>")

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


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
        for tag in _TYPE_TAG.finditer(self._text("[content_types].xml")):
            attributes = _attributes(tag["attributes"])
            made = _MAIN_PARTS.get(attributes.get("contenttype", "").lower())
            if made and self._has_part(tag["kind"], attributes):
                return made
        return ""

    def _has_part(self, kind: str, attributes: dict[str, str]) -> bool:
        """True if a part is there to which a type is given, by its name or by its extension."""
        if kind == "Override":
            return _normal(unquote(attributes.get("partname", ""))) in self._members
        extension = f".{attributes.get('extension', '').lower()}"
        return any(PurePosixPath(name).suffix == extension for name in self._parts())

    def _parts(self) -> Iterable[str]:
        return (name for name in self._members if name != "[content_types].xml" and not name.startswith("_rels/"))

    def _open_document_type(self) -> str:
        declared = self._text("mimetype").strip("\0 \t\r\n") or self._manifest_type()
        if not _PACKAGE.fullmatch(declared) or not {"content.xml", "meta-inf/manifest.xml", "meta-inf/container.xml"} & set(
            self._members
        ):
            return ""
        return content.ODT if declared == _ODT_TEMPLATE else declared

    def _manifest_type(self) -> str:
        """What the manifest says of the whole package, for the rare program that leaves "mimetype" out."""
        for entry in _MANIFEST_ENTRY.finditer(self._text("meta-inf/manifest.xml")):
            attributes = _attributes(entry["attributes"])
            if attributes.get("path") == "/":
                return attributes.get("type", "")
        return ""

    def _text(self, name: str) -> str:
        """The text of a member, in whichever encoding; empty if there is none."""
        info = self._members.get(name)
        if info is None:
            return ""
        with self._archive.open(info) as member:
            raw = member.read(_MEMBER_BYTES)
        for bom, encoding in _BOMS:
            if raw.startswith(bom):
                return raw[len(bom) :].decode(encoding, errors="replace")
        if b"\0" in raw[:2]:  # UTF-16 without a mark, as XML begins with "<"
            return raw.decode("utf-16-be" if raw[:1] == b"\0" else "utf-16-le", errors="replace")
        return raw.decode("utf-8", errors="replace")


def _normal(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _attributes(text: str) -> dict[str, str]:
    """The attributes of a tag, by local name in lower case (``manifest:media-type`` is ``type``)."""
    return {match["name"].lower(): match["value"].strip() for match in _ATTRIBUTE.finditer(text)}
