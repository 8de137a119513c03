"""Files that are what their names say, as many kinds as people have. A name's stem says what is special."""

import array
import functools
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
from PIL import Image, ImageCms
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from tests.support import files
from tests.support.ole import WORD_6_JAPANESE, WORD_95, WORD_97, ole, word
from tests.support.packages import (
    CONTENT_TYPES,
    ODT_TYPE,
    document,
    many_members,
    odt_members,
    office,
    ordered,
    renamed,
    streamed,
    zipped,
)


def docx() -> dict[str, bytes]:
    """Word documents."""
    plain = files.docx("Été")
    made = {
        "python-docx": plain,
        "smallest": zipped(office()),
        "types last": ordered(plain, last=[CONTENT_TYPES]),
        "text first": ordered(plain, "word/document.xml"),
        "properties first": ordered(plain, "docProps/core.xml", "docProps/app.xml"),
        "vendor's part first": zipped({"vendor/marker.bin": b"\0" * 40, **document()}),
        "stored": zipped(document(), stored=document()),
        "streamed": streamed(plain),
        "folders as members": zipped([("word/", b""), ("_rels/", b""), *document().items()]),
        "byte order marks": zipped({name: b"\xef\xbb\xbf" + part for name, part in office().items()}),
        "UTF-16": zipped(office(encoding="utf-16")),
        "UTF-16 without marks": zipped(office(encoding="utf-16-le")),
        "types in lower case": renamed(plain, change={CONTENT_TYPES: CONTENT_TYPES.lower()}),
        "backslashes": renamed(
            plain, change={"word/document.xml": "word\\document.xml", "_rels/.rels": "_rels\\.rels", "docProps/": "docProps\\"}
        ),
        "text elsewhere": zipped(office(main="Dokument/Hauptteil.xml")),
        "text with an odd name": zipped(
            {name.replace("ä", "ä"): part.replace("ä".encode(), b"%C3%A4") for name, part in office(main="word/täxt.xml").items()}
        ),
        "template": zipped(office("dotx")),
        "single quotes": zipped(office() | {CONTENT_TYPES: office()[CONTENT_TYPES].replace(b'"', b"'")}),
        "prefixed names": zipped(
            office()
            | {
                CONTENT_TYPES: office()[CONTENT_TYPES]
                .replace(b"xmlns=", b"xmlns:ct=")
                .replace(b"<Types", b"<ct:Types")
                .replace(b"</Types", b"</ct:Types")
                .replace(b"<Override", b"<ct:Override")
                .replace(b"<Default", b"<ct:Default")
            }
        ),
        "type by extension": zipped(
            {
                CONTENT_TYPES: b'<Types><Default Extension="XML" ContentType="application/vnd.openxmlformats-officedocument.'
                b'wordprocessingml.document.main+xml"/></Types>',
                "word/document.xml": b"<w:document/>",
            }
        ),
        "with a spreadsheet inside": zipped(document() | {"word/embeddings/Sheet.xlsx": zipped(office("xlsx"))}),
        "with a PDF inside": zipped({"word/embeddings/a.pdf": files.pdf("x"), **document()}, stored=["word/embeddings/a.pdf"]),
        "with a page inside": zipped(
            {"word/afchunk.htm": b"<html><body>old</body></html>", **document()}, stored=["word/afchunk.htm"]
        ),
        "5,000 parts": many_members(5000, first=document()),
        "with a comment": plain[:-2] + b"\x05\x00hello",
        "password": files.PASSWORD_DOCX.read_bytes(),
        "password, large sectors": ole({"EncryptionInfo": b"x", "EncryptedPackage": bytes(5000)}, sector_bytes=4096),
        "rights": ole({"\x06DataSpaces": {"Version": b"x"}, "EncryptedPackage": bytes(5000)}),
        "password, names in capitals": ole({"ENCRYPTIONINFO": b"x", "ENCRYPTEDPACKAGE": bytes(5000)}),
    }
    return {f"{stem}.docx": content for stem, content in made.items()}


def doc() -> dict[str, bytes]:
    """Word documents from before 2007."""
    made = {
        "Word 97": ole(word(WORD_97)),
        "Word 95": ole(word(WORD_95)),
        "Word 6 Japanese": ole(word(WORD_6_JAPANESE)),
        "capitals": ole(word(name="WORDDOCUMENT")),
        "small letters": ole(word(name="worddocument")),
        "large sectors": ole(word(), sector_bytes=4096),
        "9 MB": ole(word(Data=bytes(9_000_000))),
        "with a spreadsheet inside": ole({**word(), "ObjectPool": {"_1": {"Workbook": b"x"}}}),
        "with macros": ole({**word(), "Macros": {"VBA": {"dir": b"x"}, "PROJECT": b"x"}}),
        "summary first": ole({"\x05SummaryInformation": b"x", "\x05DocumentSummaryInformation": b"x", **word()}),
        "1,500 objects inside": ole({**word(), "ObjectPool": {f"_{number}": {"Ole": b"x"} for number in range(1500)}}),
        "Rich Text": b"{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 Arial;}}\\f0 Et\\'e9}",
        "Rich Text of WordPad": b"{\\rtf1\\ansi\\ansicpg1252\\nouicompat{\\*\\generator Riched20 10.0}\\pard Hello\\par}\r\n\0",
        "Word 2": b"\xdb\xa5\x2d\x00\x00\x00\x09\x04" + bytes(2000),
        "Word for DOS": b"\x31\xbe\x00\x00\x00\xab" + bytes(2000),
        "Word 5 for the Macintosh": b"\xfe\x37\x00\x23\x00\x00" + bytes(2000),
    }
    return {f"{stem}.doc": content for stem, content in made.items()}


def odt() -> dict[str, bytes]:
    """OpenDocument texts."""
    members = odt_members()
    late = {name: members[name] for name in ("content.xml", "META-INF/manifest.xml", "mimetype")}
    made = {
        "as specified": zipped(members, stored=["mimetype"]),
        "compressed": zipped(members),
        "late": zipped(late, stored=["mimetype"]),
        "late and compressed": zipped(late),
        "line end in mimetype": zipped(members | {"mimetype": ODT_TYPE.encode() + b"\r\n"}, stored=["mimetype"]),
        "mark in mimetype": zipped(members | {"mimetype": b"\xef\xbb\xbf" + ODT_TYPE.encode()}, stored=["mimetype"]),
        "without mimetype": zipped({name: part for name, part in members.items() if name != "mimetype"}),
        "template": zipped(odt_members(kind=f"{ODT_TYPE}-template"), stored=["mimetype"]),
        "streamed": streamed(zipped(members)),
        "encrypted as a whole": zipped(
            {name: part for name, part in members.items() if name != "content.xml"} | {"encrypted-package": bytes(range(256))},
            stored=["mimetype"],
        ),
    }
    return {f"{stem}.odt": content for stem, content in made.items()}


_SENTENCE = "Dès Noël, où un zéphyr haï me vêt de glaçons würmiens, je dîne d’exquis rôtis de bœuf au kir. "


def txt() -> dict[str, bytes]:
    """Plain texts of all sorts and encodings."""
    made = {
        "UTF-8": _SENTENCE.encode(),
        "UTF-8 with a mark": _SENTENCE.encode("utf-8-sig"),
        "UTF-16 little-endian": b"\xff\xfe" + _SENTENCE.encode("utf-16-le"),
        "UTF-16 big-endian": b"\xfe\xff" + _SENTENCE.encode("utf-16-be"),
        "UTF-16 little-endian without a mark": _SENTENCE.encode("utf-16-le"),
        "UTF-16 big-endian without a mark": _SENTENCE.encode("utf-16-be"),
        "UTF-16 Chinese": "\ufeff统一码 – 文字编码标准。\r\n".encode("utf-16-le") * 50,
        "UTF-32": b"\xff\xfe\0\0" + _SENTENCE.encode("utf-32-le"),
        "Latin-1": "été à la plage\n".encode("latin-1"),
        "Windows-1252": "“été” – 5 € à l’œil\r\n".encode("cp1252"),
        "Mac Roman": "Élève “Noël” – 5 € ∞ ≠\r".encode("mac-roman") * 20,
        "DOS": "Élève ░▒▓ ╔══╗\r\n".encode("cp437", errors="replace") * 20 + b"\x1a",
        "Greek": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία\n".encode("cp1253") * 9,
        "Russian": "Съешь же ещё этих мягких французских булок\n".encode("koi8-r") * 9,
        "Japanese": "いろはにほへと ちりぬるを\n".encode("shift_jis") * 9,
        "Japanese mail": "いろはにほへと ちりぬるを\n".encode("iso2022_jp") * 9,
        "Chinese": "统一码 – 文字编码标准。\n".encode("gb18030") * 9,
        "Korean": "다람쥐 헌 쳇바퀴에 타고파\n".encode("euc_kr") * 9,
        "Arabic": "نص حكيم له سر قاطع\n".encode("cp1256") * 9,
        "Mac line ends": b"one\rtwo\rthree\r",
        "form feeds": b"page one\n\x0cpage two\n\x0c",
        "terminal": b"\x1b[31mred\x1b[0m and \x1b[1mbold\x1b[0m\n",
        "overstruck": b"N\x08NA\x08AM\x08ME\x08E\n",
        "old word processor": b"There is a \x02bold\x02 word in this line of WordStar's, and one that is \x19slanted\x19.\r\n"
        * 9,
        "receipt": b"\x02TICKET 0042\r\nTOTAL        12.50 EUR\r\nVIELEN DANK FUER IHREN EINKAUF\r\n\x03",
        "filled up with NUL": b"the last record is filled up".ljust(512, b"\0"),
        "one byte": b"x",
        "one accented byte": b"\xe9",
        "two bytes": b"ok",
        "line end alone": b"\n",
        "empty lines": b"\r\n" * 200,
        "blanks": b"    \t  ",
        "mark alone": b"\xef\xbb\xbf",
        "one long line": b"word " * 300_000,
        "shell": b"#!/bin/sh\necho hello\n",
        "python": b"#!/usr/bin/env python3\nimport os\nprint(os.name)\n",
        "C": b"#include <stdio.h>\nint main(void) { return 0; }\n",
        "batch": b"@echo off\r\ndir C:\\\r\n",
        "JavaScript": b"(function () { 'use strict'; alert(1); })();\n",
        "JSON": b'{"a": [1, 2, {"b": null}]}',
        "JSON lines": b'{"a": 1}\n{"a": 2}\n',
        "XML": b'<?xml version="1.0" encoding="UTF-8"?>\n<a><b/></a>\n',
        "drawing": b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>',
        "HTML": b"<!DOCTYPE html><html><body>notes</body></html>",
        "CSV": b"name;age\nAnn;42\nBob;43\nCid;44\n",
        "CSV with commas": b"name,age\nAnn,42\nBob,43\nCid,44\n",
        "e-mail": b"Return-Path: <a@b.be>\r\nReceived: from x\r\nFrom: a@b.be\r\nTo: c@d.be\r\nSubject: s\r\n\r\nHello\r\n",
        "mailbox": b"From a@b.be Mon Jan  1 00:00:00 2024\nFrom: a@b.be\nTo: c@d.be\nSubject: s\n\nHello\n",
        "subtitles": b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n",
        "calendar": b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
        "card": b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann\r\nEND:VCARD\r\n",
        "settings": b"[section]\r\nkey=value\r\n",
        "registry": b"Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\x]\r\n",
        "PGP": b"-----BEGIN PGP MESSAGE-----\n\nhQEMA0\n=abcd\n-----END PGP MESSAGE-----\n",
        "certificate": b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "LaTeX": b"\\documentclass{article}\n\\begin{document}\nText\n\\end{document}\n",
        "PostScript": b"%!PS-Adobe-3.0\n%%Title: x\nshowpage\n",
        "difference": b"--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n",
        "about PDF": b"A file that begins with %PDF-1.4 is a PDF.\n",
        "begins with MZ": b"MZ is what programs begin with. PK is for archives.\n",
        "begins with PK": b"PK is for archives.\n",
        "begins with BM": b"BM: the meeting is at 10, room 42.\n" * 3,
        "base64": b"TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAA=\n" * 30,
        "hex": b"00000000  4d 5a 90 00 03 00 00 00  |MZ......|\n" * 30,
        "punch card": b"C     A PROGRAM OF 1966\n      PROGRAM MAIN\n      END\n",
        "troff": b'.TH X 1\n.SH NAME\nx \\- a page\n.\\" comment\n',
    }
    return {f"{stem}.txt": content for stem, content in made.items()}


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _photo() -> Image.Image:
    return Image.effect_noise((64, 48), 60).convert("RGB")


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def jpg() -> dict[str, bytes]:
    """Photos."""
    exif = Image.Exif()
    exif[0x010F], exif[0x010E] = "Maker", "A <b>bold</b> description"
    plain = _saved(_photo(), "JPEG")
    bare = plain[:2] + plain[20:]
    xmp = b'http://ns.adobe.com/xap/1.0/\0<?xpacket?><x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:title>T</dc:title></x:xmpmeta>'
    made = {
        "JFIF": plain,
        "EXIF first": plain[:2] + _segment(0xE1, exif.tobytes()) + plain[20:],
        "EXIF after JFIF": _saved(_photo(), "JPEG", exif=exif),
        "neither": bare,
        "XMP first": bare[:2] + _segment(0xE1, xmp) + bare[2:],
        "profile first": bare[:2] + _segment(0xE2, b"ICC_PROFILE\0\1\1" + _profile()) + bare[2:],
        "Photoshop first": bare[:2] + _segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04" + bytes(40)) + bare[2:],
        "Adobe CMYK": _saved(_photo().convert("CMYK"), "JPEG"),
        "grey": _saved(_photo().convert("L"), "JPEG"),
        "progressive": _saved(_photo(), "JPEG", progressive=True),
        "one pixel": _saved(Image.new("RGB", (1, 1)), "JPEG"),
        "a comment": _saved(_photo(), "JPEG", comment=b"Created with GIMP; 5 < 6 > 3"),
        "trailing bytes": plain + b"\0" * 500 + b"SEFT",
        "a film behind it": plain + (24).to_bytes(4, "big") + b"ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 40,
        "a preview behind it": plain + plain,
        "several in one": _saved(_photo(), "MPO", save_all=True, append_images=[_photo(), _photo()]),
        "fill bytes": plain[:2] + b"\xff\xff" + plain[2:],
        "cut off": plain[: len(plain) // 2],
    }
    made_with_capitals = {"photo.JPG": plain, "photo.jpeg": plain, "photo.JPEG": plain}
    return {f"{stem}.jpg": content for stem, content in made.items()} | made_with_capitals


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def png() -> dict[str, bytes]:
    """Pictures without loss."""
    plain = _saved(_photo(), "PNG")
    deep = _saved(Image.new("I;16", (8, 8), 40_000), "PNG")
    with_text = plain[:33] + _chunk(b"tEXt", b"Description\0<svg viewBox='0 0 1 1'/> and a <table> of 5 < 6") + plain[33:]
    made = {
        "RGB": plain,
        "grey": _saved(_photo().convert("L"), "PNG"),
        "palette": _saved(_photo().convert("P"), "PNG"),
        "one bit": _saved(_photo().convert("1"), "PNG"),
        "transparent": _saved(_photo().convert("RGBA"), "PNG"),
        "16 bit": deep,
        "one pixel": _saved(Image.new("L", (1, 1)), "PNG"),
        "animated": _saved(_photo(), "PNG", save_all=True, append_images=[_photo(), _photo()]),
        "with a profile": _saved(_photo(), "PNG", icc_profile=_profile()),
        "with a drawing's source": with_text,
        "trailing bytes": plain + b"\0\r\ntrailing",
        "cut off": plain[: len(plain) // 2],
    }
    return {f"{stem}.png": content for stem, content in made.items()}


def _rewritten(content: bytes, **options: object) -> bytes:
    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as document:
        document.save(stream, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def _with_attachment(name: str, content: bytes) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(files.pdf("see the attachment")))
    writer.add_attachment(name, content)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def _titled(title: str) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(files.pdf("a page")))
    writer.add_metadata({"/Title": title})
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def _with_metadata(xml: bytes) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(files.pdf("a page")))
    metadata = DecodedStreamObject()
    metadata.set_data(xml)
    metadata.update({NameObject("/Type"): NameObject("/Metadata"), NameObject("/Subtype"): NameObject("/XML")})
    writer.root_object[NameObject("/Metadata")] = writer._add_object(metadata)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def pdf() -> dict[str, bytes]:
    """PDFs."""
    plain = files.pdf("one", "two")
    versions = {f"version {version}": _rewritten(plain, force_version=version) for version in ("1.4", "1.5", "1.7", "2.0")}
    old = {f"version {version}": plain.replace(b"%PDF-1.4", f"%PDF-{version}".encode()) for version in ("1.0", "1.1", "1.3")}
    encryption = pikepdf.Encryption(owner="o", user="u", R=6)
    made = {
        **versions,
        **old,
        "linearised": _rewritten(plain, linearize=True),
        "with object streams": _rewritten(plain, object_stream_mode=pikepdf.ObjectStreamMode.generate),
        "encrypted": files.password_pdf(),
        "encrypted with AES": _rewritten(plain, encryption=encryption),
        "line ends before": b"\r\n\r\n" + plain,
        "blanks before": b" " * 200 + plain,
        "NULs before": b"\0" * 128 + plain,
        "mail header before": b"MIME-Version: 1.0\r\nContent-Type: application/pdf\r\n\r\n" + plain,
        "HTTP header before": b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: 999\r\n\r\n" + plain,
        "printer's header before": b"\x1b%-12345X@PJL SET DUPLEX=ON\r\n@PJL ENTER LANGUAGE=PDF\r\n" + plain,
        "1,019 bytes before": b"x" * 1019 + plain,
        "1,024 bytes before": b"\n" * 1024 + plain,
        "MacBinary before": b"\0\x04scan".ljust(65, b"\0") + b"PDF CARO".ljust(63, b"\0") + plain,
        "a mark before": b"\xef\xbb\xbf" + plain,
        "a line %! before": b"%!\n" + plain,
        "PostScript's header instead": plain.replace(b"%PDF-1.4", b"%!PS-Adobe-3.0 PDF-1.4"),
        "a trailing line end": plain + b"\r\n",
        "trailing NULs": plain + b"\0" * 3000,
        "trailing garbage": plain + b"\n<br />\n<b>Warning</b>: something in <b>index.php</b> on line 7\n",
        "without an end": plain[: plain.rindex(b"startxref")],
        "cut off": plain[: len(plain) // 2],
        "appended to": plain + b"1 0 obj\n<<>>\nendobj\nxref\n0 0\ntrailer\n<<>>\nstartxref\n0\n%%EOF\n",
        "with a Word document attached": _with_attachment("a.docx", files.docx("x")),
        "with a page attached": _with_attachment("a.html", b"<!DOCTYPE html><html><script>x</script></html>" * 20),
        "a title about HTML": _titled("All about <table> and (how to) use <script>"),
        "metadata of PDF-A": _with_metadata(
            b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>'
            b"<dc:title>T</dc:title><pdfaid:part>2</pdfaid:part></rdf:RDF></x:xmpmeta>"
        ),
        "of pictures": _saved(_photo(), "PDF"),
    }
    return {f"{stem}.pdf": content for stem, content in made.items()}


def _large_docx(path: Path) -> None:
    """A Word document with a film of 300 MB in it, of which the disk holds nothing."""
    small = zipped({"word/media/film.mp4": b"", **document()}, stored=["word/media/film.mp4"])
    size = 300 * 1024 * 1024
    with zipfile.ZipFile(io.BytesIO(small)) as archive:
        start, film = archive.start_dir, archive.getinfo("word/media/film.mp4")
    body = len(film.FileHeader())
    with path.open("wb") as file:
        file.write(small[:body])
        file.seek(body + size)
        file.write(small[body:start])
        listing = bytearray(small[start:-22])
        place = 0
        while place < len(listing):
            name_bytes, extra_bytes, comment_bytes = struct.unpack_from("<3H", listing, place + 28)
            (offset,) = struct.unpack_from("<I", listing, place + 42)
            if offset:
                struct.pack_into("<I", listing, place + 42, offset + size)
            else:
                struct.pack_into("<3I", listing, place + 16, 0, size, size)
            place += 46 + name_bytes + extra_bytes + comment_bytes
        file.write(listing)
        end = bytearray(small[-22:])
        struct.pack_into("<I", end, 16, start + size)
        file.write(end)


def _large_doc(path: Path) -> None:
    """A Word document of 600 MB, of which the disk holds the directory and the table of sectors."""
    size = 600 * 1024 * 1024
    whole = ole({"WordDocument": WORD_97.ljust(4096, b"\0"), "Data": bytes(4096)})
    tables = size // 512 // 128 + 1
    lists = -(-(tables - 109) // 127)
    first_table = len(whole) // 512 - 1
    first_list = first_table + tables
    first_data = first_list + lists
    table = array.array("I", range(1, tables * 128 + 1))
    old = struct.unpack_from("<128I", whole, 512 * (struct.unpack_from("<I", whole, 76)[0] + 1))
    for number in range(first_table):
        table[number] = old[number]
    for number in range(first_table, first_list):
        table[number] = 0xFFFFFFFD
    for number in range(first_list, first_data):
        table[number] = 0xFFFFFFFC
    places = list(range(first_table, first_list))
    header = bytearray(whole[:512])
    struct.pack_into("<I", header, 44, tables)
    struct.pack_into("<II", header, 68, first_list, lists)
    struct.pack_into("<109I", header, 76, *places[:109])
    with path.open("wb") as file:
        file.write(bytes(header) + whole[512:] + table.tobytes())
        for number in range(lists):
            part = places[109 + number * 127 : 109 + (number + 1) * 127]
            part += [0xFFFFFFFF] * (127 - len(part))
            file.write(struct.pack("<128I", *part, first_list + number + 1 if number + 1 < lists else 0xFFFFFFFE))
        file.truncate(size)


#: Files that are larger than anything is read of: how to write them.
LARGE: dict[str, Callable[[Path], None]] = {
    "300 MB.docx": _large_docx,
    "600 MB.doc": _large_doc,
    "1 GB.pdf": lambda path: _sparse(path, files.pdf("x")[:200], 1_000_000_000, b"\nstartxref\n0\n%%EOF\n"),
    "1 GB.jpg": lambda path: _sparse(path, _saved(_photo(), "JPEG")[:600], 1_000_000_000, b"\xff\xd9"),
    "100 MB.txt": lambda path: _write(path, b"a line of a long protocol\n" * 4_000_000),
}


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _sparse(path: Path, beginning: bytes, size: int, end: bytes) -> None:
    with path.open("wb") as file:
        file.write(beginning)
        file.seek(size)
        file.write(end)


@functools.cache
def all_files() -> dict[str, bytes]:
    """All of them, by name."""
    return docx() | doc() | odt() | txt() | jpg() | png() | pdf()
