"""Zip packages as office programs write them, and as they do not."""

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping

from tests.support.files import docx

ODT_TYPE = "application/vnd.oasis.opendocument.text"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_MAIN_TYPES = {
    "docx": f"{_OFFICE}.wordprocessingml.document.main+xml",
    "dotx": f"{_OFFICE}.wordprocessingml.template.main+xml",
    "docm": "application/vnd.ms-word.document.macroEnabled.main+xml",
    "dotm": "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet.main+xml",
    "pptx": f"{_OFFICE}.presentationml.presentation.main+xml",
}
_MAIN_PARTS = {"xlsx": "xl/workbook.xml", "pptx": "ppt/presentation.xml"}
CONTENT_TYPES = "[Content_Types].xml"


def zipped(members: Mapping[str, bytes] | Iterable[tuple[str, bytes]], *, stored: Iterable[str] = ()) -> bytes:
    """A zip of these members, in this order; deflated but for those that are to be `stored`."""
    file = io.BytesIO()
    unpacked = set(stored)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items() if isinstance(members, Mapping) else members:
            archive.writestr(name, content, zipfile.ZIP_STORED if name in unpacked else None)
    return file.getvalue()


def members_of(package: bytes) -> dict[str, bytes]:
    """What is in a zip, in order."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def office(kind: str = "docx", *, main: str = "", encoding: str = "utf-8") -> dict[str, bytes]:
    """The least that an Office package consists of, its XML in whichever encoding; `main` is the main part's name."""
    main = main or _MAIN_PARTS.get(kind, "word/document.xml")
    types = (
        f'<?xml version="1.0" encoding="{encoding}"?>'
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/{main}" ContentType="{_MAIN_TYPES[kind]}"/></Types>'
    )
    relations = (
        f'<?xml version="1.0" encoding="{encoding}"?>'
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        f'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="{main}"/>'
        "</Relationships>"
    )
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/'
        '2006/main"><w:body><w:p><w:r><w:t>Été</w:t></w:r></w:p></w:body></w:document>'
    )
    parts = {CONTENT_TYPES: types, "_rels/.rels": relations, main: text}
    return {name: part.encode(encoding) for name, part in parts.items()}


def ordered(package: bytes, *first: str, last: Iterable[str] = ()) -> bytes:
    """The same package with some members before and some after all others."""
    members = members_of(package)
    ending = list(last)
    middle = [name for name in members if name not in {*first, *ending}]
    return zipped([(name, members[name]) for name in (*first, *middle, *ending)])


def renamed(package: bytes, *, change: Mapping[str, str]) -> bytes:
    """The same package with members of other names. zipfile would tidy backslashes up, so bytes are replaced."""
    for old, new in change.items():
        assert len(old) == len(new)
        package = package.replace(old.encode(), new.encode())
    return package


def streamed(package: bytes) -> bytes:
    """The same package as programs write it that cannot go back: sizes after the data (Google Docs, many libraries)."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.written += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members_of(package).items():
            archive.writestr(name, content)
    return bytes(pipe.written)


def document(**changes: bytes) -> dict[str, bytes]:
    """The members of a Word document as python-docx writes it, some of them changed."""
    return members_of(docx("Été")) | changes


def odt_members(*, kind: str = ODT_TYPE) -> dict[str, bytes]:
    """The least that an OpenDocument package consists of."""
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    return {
        "mimetype": kind.encode(),
        "content.xml": b'<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"/>',
        "META-INF/manifest.xml": manifest.encode(),
    }


def many_members(count: int, *, first: Mapping[str, bytes]) -> bytes:
    """A zip whose list names so many members, all of them the same few bytes; made quickly."""
    body = bytearray(zipped(first))
    with zipfile.ZipFile(io.BytesIO(bytes(body))) as archive:
        start, listed = archive.start_dir, len(archive.namelist())
    listing = body[start:-22]
    entry = struct.Struct("<4s6H3L5H2L")
    for number in range(count):
        name = b"m/%07x" % number
        listing += entry.pack(b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
    total = listed + count
    zip64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, total, total, len(listing), start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + len(listing), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return bytes(body[:start] + listing + zip64 + locator + end)
