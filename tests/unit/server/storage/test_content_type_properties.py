"""Whatever a file consists of, a look into it ends with a type: never with an error, never late."""

import functools
import io
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import olefile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osis_document_server.domain.names import extension_of
from osis_document_server.storage import ole_content, text_content, zip_content
from osis_document_server.storage.content_type import ContentTypes
from tests.support import files, genuine
from tests.support.ole import ole, word
from tests.support.packages import document, many_members, odt_members, office, zipped

DETECTOR = ContentTypes()
_EXTENSIONS = ("pdf", "docx", "doc", "odt", "txt", "jpg", "png", "")

many = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def blob() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "blob"


@functools.cache
def samples() -> list[tuple[str, bytes]]:
    """Small files of every kind; what is damaged below has to be reached by chance."""
    some = [
        ("a.docx", zipped(office())),
        ("b.docx", files.docx("x")),
        ("c.docx", ole({"EncryptionInfo": b"x", "EncryptedPackage": b"x"})),
        ("d.docx", many_members(20, first=document())),
        ("a.doc", ole(word())),
        ("b.doc", ole(word(), sector_bytes=4096)),
        ("c.doc", b"{\\rtf1 x}"),
        ("a.odt", zipped(odt_members(), stored=["mimetype"])),
        ("b.odt", zipped({name: part for name, part in odt_members().items() if name != "mimetype"})),
        ("a.pdf", files.pdf("x")),
        ("a.jpg", files.turned_jpeg(40, 20)),
        ("a.png", files.png(8)),
    ]
    return some + [(name, content) for name, content in genuine.txt().items() if len(content) < 2000]


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of some kind, cut, or with bytes changed, put in or doubled, under any name."""
    name, content = draw(st.sampled_from(samples()))
    changed = bytearray(content)
    for _ in range(draw(st.integers(0, 8))):
        place = draw(st.integers(0, len(changed)))
        match draw(st.sampled_from(["flip", "set", "put in", "repeat", "cut"])):
            case "flip" if place < len(changed):
                changed[place] ^= 1 << draw(st.integers(0, 7))
            case "set":
                filling = draw(st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\xfe\xff\xff\xff", b"\x7f\xff\xff\xff"]))
                changed[place : place + 4] = filling
            case "put in":
                changed[place:place] = draw(st.binary(max_size=40))
            case "repeat":
                changed[place:place] = changed[place : place + draw(st.integers(0, 600))]
            case "cut":
                del changed[place : place + draw(st.integers(0, 2000))]
    return draw(st.sampled_from([extension_of(name), *_EXTENSIONS])), bytes(changed)


@many
@given(damaged())
def test_a_damaged_file_is_of_some_type_and_is_looked_at_quickly(blob: Path, made: tuple[str, bytes]) -> None:
    extension, content = made
    blob.write_bytes(content)
    start = time.process_time()
    found = DETECTOR.detect(blob, extension=extension)
    assert time.process_time() - start < 1
    assert found.count("/") == 1
    assert len(found) < 100
    assert found.isprintable()


@many
@given(
    st.sampled_from(
        [b"PK\x03\x04", ole_content.SIGNATURE, b"%PDF-1.4\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1", b"\xff\xfe", b""]
    ),
    st.binary(max_size=3000),
    st.sampled_from(_EXTENSIONS),
)
def test_so_is_noise_behind_any_signature(blob: Path, signature: bytes, noise: bytes, extension: str) -> None:
    blob.write_bytes(signature + noise)
    assert DETECTOR.detect(blob, extension=extension).count("/") == 1


@many
@given(st.text(min_size=1, max_size=500), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_every_text_without_odd_controls_is_text_in_every_unicode_encoding(blob: Path, text: str, encoding: str) -> None:
    text = "".join(character for character in text if character.isprintable() or character in "\t\n\r\f") or "x"
    if text.startswith(("%PDF-", "GIF8")):
        text = "x" + text
    blob.write_bytes(text.encode(encoding))
    assert DETECTOR.detect(blob, extension="txt") == "text/plain"


@many
@given(
    st.text(alphabet=st.characters(codec="cp1252", exclude_categories=["Cc"]), min_size=1, max_size=500),
    st.sampled_from(["cp1252", "mac-roman"]),
)
def test_so_is_every_western_text_in_the_older_encodings(blob: Path, text: str, encoding: str) -> None:
    encoded = text.encode(encoding, errors="ignore") or b"x"
    blob.write_bytes(b"x" + encoded)
    assert DETECTOR.detect(blob, extension="txt") == "text/plain"


@many
@given(st.binary(min_size=300, max_size=3000).filter(lambda noise: noise.count(0) > 3 and len(set(noise)) > 100))
def test_noise_is_no_text(noise: bytes) -> None:
    assert not text_content.is_clean_text(noise)
    assert not text_content.is_text(noise)


@many
@given(
    st.dictionaries(
        st.text(alphabet="abcdefghijklmnopqrstuvwxyzABC_\x05", min_size=1, max_size=20),
        st.binary(max_size=6000),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([512, 4096]),
)
def test_the_root_of_a_compound_file_is_what_olefile_sees(blob: Path, streams: dict[str, bytes], sector_bytes: int) -> None:
    blob.write_bytes(ole({**streams, "storage": {"WordDocument": b"x", "inner": {"x": b"y"}}}, sector_bytes=sector_bytes))
    with olefile.OleFileIO(str(blob)) as reference:
        expected = {path[0] for path in reference.listdir(storages=True) if len(path) == 1}
    with ole_content.BoundedFile(blob, limit_bytes=10_000_000) as file:
        assert {entry.name for entry in ole_content._Container(file).root()} == expected


@many
@given(st.binary(max_size=400), st.binary(max_size=65_535))
def test_an_archive_behind_anything_is_found_by_its_end(before: bytes, comment: bytes) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a", b"b")
        archive.comment = comment
    assert zip_content.ends_like_a_zip(before + stream.getvalue())


@many
@given(st.binary(max_size=400))
def test_nothing_else_ends_like_an_archive(content: bytes) -> None:
    assert not zip_content.ends_like_a_zip(content.replace(b"PK", b"pk"))
