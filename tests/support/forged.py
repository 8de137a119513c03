"""Files that are not what their names say, as many kinds as come to mind. A name's stem says what it really is."""

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.support import files
from tests.support.ole import ole, word
from tests.support.packages import CONTENT_TYPES, ODT_TYPE, document, many_members, odt_members, office, zipped

_PAGE = b"<!DOCTYPE html><html><head><title>t</title></head><body><script>alert(1)</script></body></html>"
_SCRIPT = b"#!/bin/sh\nrm -rf ~\n"
_DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def _saved(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((64, 48), 60).convert("RGB").save(stream, kind)
    return stream.getvalue()


def _program_of_windows() -> bytes:
    """What a .exe or .dll consists of, as far as anything looks."""
    stub = b"MZ".ljust(60, b"\0") + (128).to_bytes(4, "little") + b"This program cannot be run in DOS mode.\r\n$"
    return (
        stub.ljust(128, b"\0") + b"PE\0\0\x64\x86\x02\0".ljust(24, b"\0") + b"\x0b\x02".ljust(500, b"\0") + bytes(range(256)) * 9
    )


def _archive() -> bytes:
    return zipped({"a.txt": b"hello", "b/c.bin": os.urandom(100)})


def wrong_altogether() -> dict[str, bytes]:
    """Kinds of files that are refused under every name that is checked, .txt apart."""
    return {
        "page": _PAGE,
        "page in capitals": _PAGE.upper(),
        "page after a comment": b"<!-- x -->\n" + _PAGE,
        "page with a mark": b"\xef\xbb\xbf" + _PAGE,
        "drawing": _DRAWING,
        "XML": b'<?xml version="1.0"?><a/>',
        "script": _SCRIPT,
        "python script": b"#!/usr/bin/env python3\nimport os\n",
        "batch file": b"@echo off\r\ndel *.*\r\n",
        "JavaScript": b"(function () { alert(1); })();\n",
        "PHP": b"<?php system($_GET['c']); ?>",
        "text": b"hello, world\n",
        "mail": b"From: a@b.be\r\nTo: c@d.be\r\nSubject: s\r\nMIME-Version: 1.0\r\n\r\nHello\r\n",
    }


def wrong_binaries() -> dict[str, bytes]:
    """Kinds of files that are refused under every name that is checked."""
    return {
        "program": Path("/bin/true").read_bytes(),
        "program of Windows": _program_of_windows(),
        "program of macOS": b"\xcf\xfa\xed\xfe\x07\0\0\x01\x03\0\0\0\x02\0\0\0" + bytes(600),
        "Java class": b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(range(256)),
        "archive": _archive(),
        "empty archive": zipped({}),
        "jar": zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n", "A.class": b"\xca\xfe\xba\xbe"}),
        "app of Android": zipped({"AndroidManifest.xml": bytes(50), "classes.dex": b"dex\n035\0" + bytes(90)}),
        "epub": zipped({"mimetype": b"application/epub+zip", "META-INF/container.xml": b"<container/>"}, stored=["mimetype"]),
        "spreadsheet": zipped(office("xlsx")),
        "presentation": zipped(office("pptx")),
        "open spreadsheet": zipped(odt_members(kind="application/vnd.oasis.opendocument.spreadsheet"), stored=["mimetype"]),
        "Word with macros": zipped(office("docm")),
        "Word template with macros": zipped(office("dotm")),
        "old spreadsheet": ole({"Workbook": b"\x09\x08\x10\0", "\x05SummaryInformation": b"x"}),
        "older spreadsheet": ole({"Book": b"\x09\x08\x08\0"}),
        "old presentation": ole({"PowerPoint Document": b"x", "Current User": b"x"}),
        "old spreadsheet with a Word document inside": ole({"Workbook": b"x", "MBD0001": word()}),
        "old spreadsheet that claims Word": ole({**word(), "Workbook": b"\x09\x08\x10\0"}),
        "message": ole({"__properties_version1.0": b"x", "__substg1.0_0037001F": b"x"}),
        "installer": ole({"\u4840\u3f3f\u4577\u446c\u3b6a\u45e4\u4824": b"x", "\x05SummaryInformation": b"x"}),
        "compound file of nothing": ole({"Something": b"x"}),
        "compound file with a Word storage": ole({"WordDocument": {"a": b"x"}}),
        "compound file with an empty Word stream": ole({"WordDocument": b""}),
        "compound file with a false Word stream": ole({"WordDocument": b"\x7fELF" + bytes(5000)}),
        "compound file that is encrypted by nobody": ole({"EncryptedPackage": b"x"}),
        "GIF": _saved("GIF"),
        "GIF that is a script": b"GIF89a/*\x01\0\x01\0*/=1;alert(1)//",
        "GIF of letters that is a script": b"GIF89a=1;alert(document.domain)//",
        "BMP": _saved("BMP"),
        "TIFF": _saved("TIFF"),
        "WebP": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40),
        "gzip": bytes.fromhex("1f8b0800000000000003") + os.urandom(200),
        "7z": b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(range(200)),
        "rar": b"Rar!\x1a\x07\x01\0" + bytes(range(200)),
        "MP3": b"ID3\x04\0\0\0\0\0\x23" + bytes(range(256)) * 4,
        "film": struct.pack(">I4s4sI", 24, b"ftyp", b"isom", 512) + b"isomiso2" + bytes(500),
        "SQLite": b"SQLite format 3\0" + b"\x10\0\x01\x01\0\x40\x20\x20\0\0\0\x01" + bytes(4000),
        "disk image": bytes(0x8001) + b"CD001\x01" + bytes(4000),
        "noise": bytes(range(256)) * 40,
        "NULs": bytes(4096),
    }


def only_by_name() -> dict[str, bytes]:
    """What looks like a document to whoever looks at its shell alone."""
    types = office()[CONTENT_TYPES]
    word_types = {CONTENT_TYPES: types}
    return {
        "archive with a list of types.docx": zipped({CONTENT_TYPES: b"<Types/>", "a.exe": b"MZ"}),
        "types of Word without a part.docx": zipped(word_types),
        "types of Word, and a program.docx": zipped({**word_types, "_rels/.rels": b"", "setup.exe": _program_of_windows()}),
        "folder called word.docx": zipped({CONTENT_TYPES: b"<Types/>", "word/evil.html": _PAGE}),
        "empty folder called word.docx": zipped([(CONTENT_TYPES, types), ("word/", b"")]),
        "types that are no XML.docx": zipped({CONTENT_TYPES: b"\0\1\2", "word/document.xml": b"<w:document/>"}),
        "text without types.docx": zipped({"word/document.xml": b"<w:document/>"}),
        "part of another type.docx": zipped(
            document(**{CONTENT_TYPES: b'<Types><Override PartName="/word/document.xml" ContentType="text/html"/></Types>'})
        ),
        "types in a comment.docx": zipped(word_types) + b"word/document.xml",
        "OpenDocument.docx": zipped(odt_members(), stored=["mimetype"]),
        "old Word.docx": ole(word()),
        "Rich Text.docx": b"{\\rtf1 hello}",
        "Word of one file.docx": b'<?xml version="1.0"?><?mso-application progid="Word.Document"?><pkg:package/>',
        "cut off.docx": files.docx("x")[:700],
        "header alone.docx": b"PK\x03\x04" + bytes(26),
        "new Word.doc": files.docx("x"),
        "page for Word.doc": b"<html xmlns:w='urn:schemas-microsoft-com:office:word'><body>x</body></html>",
        "XML for Word.doc": b'<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument/>',
        "mail archive for Word.doc": b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n"
        b"--x\r\n\r\n<html>\r\n--x--\r\n",
        "OpenDocument.doc": zipped(odt_members(), stored=["mimetype"]),
        "encrypted new Word.doc": ole({"EncryptionInfo": b"x", "EncryptedPackage": bytes(5000)}),
        "mimetype alone.odt": zipped({"mimetype": ODT_TYPE.encode()}, stored=["mimetype"]),
        "mimetype and a program.odt": zipped(
            {"mimetype": ODT_TYPE.encode(), "a.exe": _program_of_windows()}, stored=["mimetype"]
        ),
        "mimetype of a page.odt": zipped({**odt_members(), "mimetype": b"text/html"}, stored=["mimetype"]),
        "mimetype of many lines.odt": zipped({**odt_members(), "mimetype": b"a\nb" * 100}, stored=["mimetype"]),
        "flat OpenDocument.odt": b'<?xml version="1.0"?>\n'
        b'<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"/>',
        "new Word.odt": files.docx("x"),
        "text.odt": b"This is no zip file.\n",
        "PNG.jpg": _saved("PNG"),
        "JPEG.png": _saved("JPEG"),
        "JPEG of another standard.jpg": b"\xff\xd8\xff\xf7\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0" + bytes(90),
        "signature of PNG alone.png": b"\x89PNG\r\n\x1a\n" + _PAGE,
        "PDF.png": files.pdf("x"),
        "PNG.pdf": _saved("PNG"),
        "PDF after a program.pdf": _program_of_windows()[:700] + files.pdf("x"),
        "PDF after a picture.pdf": _saved("GIF")[:600] + files.pdf("x"),
        "PDF after too much.pdf": b"x" * 1100 + files.pdf("x"),
        "PDF in an archive.pdf": zipped({"a.pdf": files.pdf("x")}, stored=["a.pdf"]),
        "Word with a PDF in front.pdf": zipped({"a.pdf": files.pdf("x"), **document()}, stored=["a.pdf"]),
        "script, then PDF.pdf": _SCRIPT + files.pdf("x"),
        "PostScript.pdf": b"%!PS-Adobe-3.0\n%%Pages: 1\nshowpage\n",
        "form data.pdf": b"%FDF-1.2\n1 0 obj\n<<>>\nendobj\n%%EOF\n",
        "PDF.txt": files.pdf("x"),
        "PDF of letters.txt": b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
        "JPEG.txt": _saved("JPEG"),
        "PNG.txt": _saved("PNG"),
        "new Word.txt": files.docx("x"),
        "old Word.txt": ole(word()),
        "a mark, then noise.txt": b"\xef\xbb\xbf" + bytes(range(256)) * 9,
        "a mark of UTF-16, then noise.txt": b"\xff\xfe" + Path("/bin/true").read_bytes()[:4096],
        "one NUL.txt": b"\0",
        "controls.txt": bytes(range(1, 32)),
    }


def two_at_once() -> dict[str, bytes]:
    """Polyglots."""
    pdf, jpeg, png = files.pdf("x"), _saved("JPEG"), _saved("PNG")
    header, rest = pdf.split(b"\n", 1)
    attached = zipped({"evil.sh": _SCRIPT})
    comment = bytes((0xFF, 0xFE)) + (len(_PAGE) + 2).to_bytes(2, "big") + _PAGE
    made = {
        "page behind the header.pdf": header + b"\n" + _PAGE + b"\n" + rest,
        "page and nothing else.pdf": b"%PDF-1.4\n<html><body><script>alert(1)</script></body></html>\n%%EOF",
        "page in a comment.pdf": header + b"\n%" + _PAGE + b"\n" + rest,
        "page in the first object.pdf": header + b"\n9 0 obj\n<<>>\nstream\n" + _PAGE + b"\nendstream\nendobj\n" + rest,
        "page before.pdf": _PAGE + pdf,
        "page around.pdf": b"<!--" + pdf + b"-->" + _PAGE,
        "drawing before.pdf": _DRAWING + pdf,
        "page after.pdf": pdf + _PAGE,
        "page after, with another end.pdf": pdf + _PAGE + b"\n%%EOF\n",
        "page after, in capitals.pdf": pdf + _PAGE.upper(),
        "script after.pdf": pdf + b"\n<script src=//evil.example></script>",
        "archive after.pdf": pdf + attached,
        "archive after, with the end in its comment.pdf": pdf
        + attached[:-2]
        + len(b"\n%%EOF\n").to_bytes(2, "little")
        + b"\n%%EOF\n",
        "Word document after.pdf": pdf + files.docx("x"),
        "page after.docx": files.docx("x") + _PAGE,
        "page in its comment.docx": files.docx("x")[:-2] + len(_PAGE).to_bytes(2, "little") + _PAGE,
        "page after.odt": zipped(odt_members(), stored=["mimetype"]) + _PAGE,
        "two letters of a program before.pdf": b"MZ" + pdf,
        "script before.pdf": b"#!/bin/sh\nexit\n" + pdf,
        "page in a comment.jpg": jpeg[:2] + comment + jpeg[2:],
        "page after.jpg": jpeg + _PAGE,
        "archive after.jpg": jpeg + attached,
        "jar after.jpg": jpeg + zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n", "A.class": b"\xca\xfe\xba\xbe"}),
        "page after.png": png + _PAGE,
        "archive after.png": png + attached,
    }
    return made | {
        "page after the beginning.png": png[:33] + (len(_PAGE)).to_bytes(4, "big") + b"tEXt" + _PAGE + bytes(4) + png[33:]
    }


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _endless_directory(path: Path) -> None:
    """A compound file whose directory's sectors follow each other in a circle."""
    content = bytearray(ole(word()))
    (directory,) = struct.unpack_from("<I", content, 48)
    (table,) = struct.unpack_from("<I", content, 76)
    struct.pack_into("<I", content, 512 * (table + 1) + 4 * directory, directory)
    path.write_bytes(content)


def _endless_list(path: Path) -> None:
    """A compound file whose list of table sectors goes on in a circle, asked for a sector far behind."""
    content = bytearray(ole(word(Data=bytes(9_000_000))))
    (first_list,) = struct.unpack_from("<I", content, 68)
    struct.pack_into("<I", content, 512 * (first_list + 1) + 508, first_list)
    struct.pack_into("<I", content, 48, 0x7FFFFFFF)
    path.write_bytes(content)


def _wide_directory(path: Path) -> None:
    """A compound file with a directory of half a million streams."""
    entry = "x".encode("utf-16-le").ljust(64, b"\0") + struct.pack("<HBBIII", 4, 2, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    streams = b"".join(entry[:72] + number.to_bytes(4, "little") + entry[76:] + bytes(48) for number in range(2, 500_002))
    writer = bytearray(ole({"Something": streams}))
    (directory,) = struct.unpack_from("<I", writer, 48)
    root = bytes(writer[512 * (directory + 1) : 512 * (directory + 1) + 128])
    writer[512 : 512 + 128] = root[:76] + struct.pack("<I", 1) + root[80:]
    struct.pack_into("<I", writer, 48, 0)
    path.write_bytes(writer)


#: What is to take long, or much memory: how to write it.
BOMBS: dict[str, Callable[[Path], None]] = {
    "a million members.docx": lambda path: _write(path, many_members(1_000_000, first=office())),
    "100,000 members.odt": lambda path: _write(path, many_members(100_000, first=odt_members())),
    "as many members as are looked at, to no avail.docx": lambda path: _write(path, many_members(18_000, first={"a": b""})),
    "types of 100 MB.docx": lambda path: _write(path, zipped(document(**{CONTENT_TYPES: b" " * 100_000_000}))),
    "types that never end.docx": lambda path: _write(path, zipped(document(**{CONTENT_TYPES: b"<Override " * 3_000_000}))),
    "types of open quotes.docx": lambda path: _write(path, zipped(document(**{CONTENT_TYPES: b"<Default a='" * 300_000 + b">"}))),
    "mimetype of 100 MB.odt": lambda path: _write(path, zipped({**odt_members(), "mimetype": b"a" * 100_000_000})),
    "endless directory.docx": _endless_directory,
    "endless list.doc": _endless_list,
    "wide directory.doc": _wide_directory,
    "brackets.pdf": lambda path: _write(path, b"%PDF-1.4\n" + b"/a(" * 100_000 + b"<html>"),
    "ends of archives.pdf": lambda path: _write(path, files.pdf("x") + b"PK\x05\x06" * 40_000 + b"<html>"),
    "noise.txt": lambda path: _write(path, bytes(range(1, 256)) * 100_000),
    "tags.png": lambda path: _write(path, b"<" * 5_000_000),
}
