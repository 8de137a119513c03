"""A look inside office files before LibreOffice sees them.

LibreOffice says nothing useful of a file it cannot open, may ask for a password nobody can type, and takes what it does
not recognise for plain text.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import olefile

from .errors import EngineError, Reason

#: Members that are read here are small; more than this is a decompression bomb.
MEMBER_BYTES = 16 * 1024 * 1024

#: The XML of all parts. A measured docx of 2,106 pages of plain paragraphs has 5 MiB of it.
XML_BYTES = 128 * 1024 * 1024
#: Everything, pictures included.
UNPACKED_BYTES = 1024 * 1024 * 1024
MEMBERS = 20_000

#: [MS-DOC] 2.5.2 FibBase: the flags at offset 10 of the WordDocument stream; A = fEncrypted.
FIB_FLAGS_OFFSET = 10
FIB_ENCRYPTED = 0x0100

#: [MS-OFFCRYPTO] 2.3: the streams that mark an encrypted Office Open XML file.
ENCRYPTED_STREAMS = ("EncryptedPackage", "EncryptionInfo")

WORD_STREAM = "WordDocument"
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, KeyError, RuntimeError)


def check_docx(path: Path) -> None:
    """Raises EngineError unless `path` is an unencrypted Office Open XML package with a main document.

    Raises:
        EngineError: PASSWORD_REQUIRED or DOCUMENT_UNREADABLE.
    """
    if olefile.isOleFile(str(path)):
        _refuse_encrypted_package(path)
        raise _unreadable("it is no Word document in spite of its type")
    members = _members(path)
    if not {"[content_types].xml", "_rels/.rels"} & members.keys():
        raise _unreadable("parts of the Word document are missing")
    main = _main_document(path, members)
    if main is not None and main not in members:
        raise _unreadable("the Word document's text is missing")


def check_odt(path: Path) -> None:
    """Raises EngineError unless `path` is an unencrypted OpenDocument package with a text.

    Raises:
        EngineError: PASSWORD_REQUIRED or DOCUMENT_UNREADABLE.
    """
    members = _members(path)
    manifest = members.get("meta-inf/manifest.xml")
    if manifest is not None and b"encryption-data" in _read(path, manifest):
        raise password_required()
    if "content.xml" not in members:
        raise _unreadable("the document's text is missing")


def check_doc(path: Path) -> None:
    """Raises EngineError unless `path` is an unencrypted Word 6 to 2003 document, or Rich Text.

    Raises:
        EngineError: PASSWORD_REQUIRED or DOCUMENT_UNREADABLE.
    """
    with path.open("rb") as stream:
        if stream.read(5) == b"{\\rtf":  # word processors save Rich Text under this name too
            return
    if not olefile.isOleFile(str(path)):
        raise _unreadable("it is no Word document in spite of its type")
    _refuse_encrypted_package(path)
    try:
        with olefile.OleFileIO(str(path)) as ole:
            start = ole.openstream(WORD_STREAM).read(FIB_FLAGS_OFFSET + 2) if ole.exists(WORD_STREAM) else b""
    except Exception as exc:
        raise _unreadable("its structure is damaged") from exc
    if not start:
        raise _unreadable("the Word document's text is missing")
    if int.from_bytes(start[FIB_FLAGS_OFFSET:], "little") & FIB_ENCRYPTED:
        raise password_required()


def password_required() -> EngineError:
    return EngineError(
        Reason.PASSWORD_REQUIRED,
        "The document is protected by a password and cannot be opened. Save it without the password and upload it again.",
    )


def _unreadable(why: str) -> EngineError:
    return EngineError(
        Reason.DOCUMENT_UNREADABLE,
        f"The document cannot be read: {why}. Open it in the program that made it, save it anew and upload it again.",
    )


def _refuse_encrypted_package(path: Path) -> None:
    try:
        with olefile.OleFileIO(str(path)) as ole:
            encrypted = any(ole.exists(name) for name in ENCRYPTED_STREAMS)
    except Exception as exc:
        raise _unreadable("its structure is damaged") from exc
    if encrypted:
        raise password_required()


def _members(path: Path) -> dict[str, zipfile.ZipInfo]:
    """Members by name as office programs compare them: without case, with forward slashes."""
    try:
        with zipfile.ZipFile(path) as package:
            infos = package.infolist()
    except _BROKEN_ZIP as exc:
        raise _unreadable("the file is truncated or damaged") from exc
    members = {info.filename.replace("\\", "/").lstrip("/").lower(): info for info in infos}
    xml_bytes = sum(info.file_size for name, info in members.items() if name.endswith((".xml", ".rels")))
    if len(infos) > MEMBERS or xml_bytes > XML_BYTES or sum(info.file_size for info in infos) > UNPACKED_BYTES:
        raise EngineError(
            Reason.PROCESSING_TOO_LARGE,
            f"The document unpacks to more than can be processed ({XML_BYTES >> 20} MiB of text and structure, "
            f"{UNPACKED_BYTES >> 20} MiB in all, {MEMBERS} parts). Split it and upload the parts.",
        )
    return members


def _read(path: Path, member: zipfile.ZipInfo) -> bytes:
    try:
        with zipfile.ZipFile(path) as package, package.open(member) as stream:
            content = stream.read(MEMBER_BYTES + 1)
    except _BROKEN_ZIP as exc:
        raise _unreadable("the file is truncated or damaged") from exc
    if len(content) > MEMBER_BYTES:
        raise EngineError(
            Reason.PROCESSING_TOO_LARGE, f"The document's {member.filename} unpacks to more than {MEMBER_BYTES >> 20} MiB."
        )
    return content


def _main_document(path: Path, members: dict[str, zipfile.ZipInfo]) -> str | None:
    """The member that the package names as its main document; None if it does not say so in a way we understand."""
    relations = members.get("_rels/.rels")
    if relations is None:
        return None
    try:
        root = ElementTree.fromstring(_read(path, relations))  # noqa: S314 -- in a limited process, and expat limits expansion
    except ElementTree.ParseError:
        return None
    for relation in root:
        if relation.get("Type", "").endswith("/officeDocument"):
            return str(PurePosixPath(relation.get("Target", "").replace("\\", "/").lstrip("/").removeprefix("./"))).lower()
    return None
